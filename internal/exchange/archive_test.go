package exchange

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// A packed is an entry of an archive that pack writes.
type packed struct {
	name, text string
	mode       fs.FileMode
	method     uint16
}

// pack writes a zip archive and returns its path.
func pack(t testing.TB, items ...packed) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "images.zip")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, it := range items {
		h := &zip.FileHeader{Name: it.name, Method: it.method}
		h.SetMode(it.mode)
		w, err := z.CreateHeader(h)
		if err == nil && !strings.HasSuffix(it.name, "/") {
			_, err = w.Write(contents(t, it.name, it.text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestArchiveAttacks: names and entries that attack are refused by name, and
// the image beside them is read (T03, T04).
func TestArchiveAttacks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		items []packed
		want  string
	}{
		{"parent", []packed{{name: "../evil.jpg"}}, `"../evil.jpg" does not lead straight`},
		{"parent within", []packed{{name: "a/../../evil.jpg"}}, `does not lead straight`},
		{"absolute", []packed{{name: "/etc/evil.jpg"}}, `"/etc/evil.jpg" is absolute`},
		{"drive", []packed{{name: "C:/evil.jpg"}}, `"C:/evil.jpg" is absolute`},
		{"backslash", []packed{{name: `cat\evil.jpg`}}, `has a backslash`},
		{"UNC", []packed{{name: `\\server\evil.jpg`}}, `has a backslash`},
		{"NUL", []packed{{name: "evil.jpg\x00.txt"}}, `control character`},
		{"line break", []packed{{name: "evil\n.jpg"}}, `control character`},
		{"dot", []packed{{name: "./evil.jpg"}}, `does not lead straight`},
		{"empty element", []packed{{name: "cat//evil.jpg"}}, `does not lead straight`},
		{"not UTF-8", []packed{{name: "cat/\xff.jpg"}}, `is not UTF-8`},
		{"long", []packed{{name: "cat/" + strings.Repeat("x", 2000) + ".jpg"}}, `it may have 1024`},
		{"link", []packed{{name: "cat/evil.jpg", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}}, `cat/evil.jpg is a link`},
		{"device", []packed{{name: "cat/evil.jpg", mode: fs.ModeDevice | 0o666}}, `cat/evil.jpg is a link or another special file`},
		{"twice", []packed{{name: "cat/b.jpg", text: "image"}, {name: "cat/b.jpg", text: "image"}}, `cat/b.jpg is in the archive twice`},
		{"case", []packed{{name: "cat/b.jpg", text: "image"}, {name: "cat/B.jpg", text: "image"}}, `cat/B.jpg and cat/b.jpg differ in case only`},
		{"archive", []packed{{name: "cat/more.zip", text: "PK"}}, `cat/more.zip is an archive in the archive`},
		{"bomb", []packed{{name: "cat/evil.jpg", text: strings.Repeat("\x00", 4<<20), method: zip.Deflate}}, `cat/evil.jpg unpacks to more than 200 times`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := pack(t, append([]packed{{name: "cat/a.jpg", text: "image"}}, tt.items...)...)
			images, problems := load(t, path, Folder, Options{})
			if len(images) == 0 || images[0].Name != "cat/a.jpg" {
				t.Errorf("the good image is not read")
			}
			if len(problems) != 1 || !strings.Contains(problems[0], tt.want) {
				t.Errorf("problems = %q, want one with %q", problems, tt.want)
			}
		})
	}
}

func TestArchiveJunk(t *testing.T) {
	path := pack(t, packed{name: "cat/"}, packed{name: "cat/a.jpg", text: "image"}, packed{name: "__MACOSX/cat/._a.jpg", text: "junk"},
		packed{name: "cat/.DS_Store", text: "junk"}, packed{name: "cat/Thumbs.db", text: "junk"}, packed{name: "cat/._a.jpg", text: "junk"})
	images, problems := load(t, path, Auto, Options{})
	if len(images) != 1 || len(problems) != 0 {
		t.Errorf("%d images, problems %q", len(images), problems)
	}
}

// TestArchiveOverlap changes the list of entries so that two have the same
// data, as bombs do to be small.
func TestArchiveOverlap(t *testing.T) {
	path := pack(t, packed{name: "cat/a.jpg", text: "image"}, packed{name: "cat/b.jpg", text: "image"})
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := bytes.LastIndex(raw, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(raw[second+42:], 0) // offset of its header
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	images, problems := load(t, path, Folder, Options{})
	if len(images) != 1 || len(problems) != 1 || !strings.Contains(problems[0], "overlaps") {
		t.Errorf("%d images, problems %q", len(images), problems)
	}
}

// TestArchiveLies: an entry that unpacks to more than it says, or to something
// else, is an error of that image.
func TestArchiveLies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(raw []byte, entry int)
	}{
		{"size", func(raw []byte, entry int) { binary.LittleEndian.PutUint32(raw[entry+24:], 100) }},
		{"checksum", func(raw []byte, entry int) { raw[entry+16]++ }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := pack(t, packed{name: "cat/a.jpg", text: "image", method: zip.Deflate})
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tt.change(raw, bytes.LastIndex(raw, []byte("PK\x01\x02")))
			if err := os.WriteFile(path, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			images, problems := load(t, path, Folder, Options{})
			if len(images)+len(problems) != 1 {
				t.Fatalf("%d images, problems %q", len(images), problems)
			}
			if len(images) == 1 {
				r, err := images[0].Open()
				if err != nil {
					return
				}
				defer r.Close()
				if _, err := new(bytes.Buffer).ReadFrom(r); err == nil {
					t.Error("the image is read without an error")
				}
			}
		})
	}
}

// TestArchiveTooMany: an archive with more entries than allowed is refused,
// also if it says that it has fewer.
func TestArchiveTooMany(t *testing.T) {
	var items []packed
	for i := range 20 {
		items = append(items, packed{name: fmt.Sprintf("cat/%d.txt", i)})
	}
	path := pack(t, items...)
	for _, lie := range []bool{false, true} {
		if lie {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			binary.LittleEndian.PutUint16(raw[len(raw)-12:], 2)
			if err := os.WriteFile(path, raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(path, Folder, Options{MaxEntries: 10}); err == nil || !lie && !strings.Contains(err.Error(), "20 entries; it may have 10") {
			t.Errorf("lie %v: err = %v", lie, err)
		}
	}
}

// TestArchiveEnds: an archive whose end claims 2^40 entries is refused before
// memory is set aside for them.
func TestArchiveEnds(t *testing.T) {
	end64 := make([]byte, 56)
	copy(end64, "PK\x06\x06")
	binary.LittleEndian.PutUint64(end64[4:], 44)
	binary.LittleEndian.PutUint64(end64[32:], 1<<40)
	locator := make([]byte, 20)
	copy(locator, "PK\x06\x07")
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], 3)
	binary.LittleEndian.PutUint16(end[12:], 0xffff) // a size that refers to the longer end
	path := filepath.Join(t.TempDir(), "x.zip")
	raw := append(append(end64, locator...), end...)
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	// The archive must begin as one for Open to try.
	raw[0] = 'P'
	if _, err := Open(path, Auto, Options{}); err == nil || !strings.Contains(err.Error(), "1099511627776 entries") {
		t.Errorf("err = %v", err)
	}
}

// TestArchiveForms reads each form from an archive as from a folder.
func TestArchiveForms(t *testing.T) {
	for form, files := range samples {
		t.Run(string(form), func(t *testing.T) {
			var items []packed
			for name, text := range files {
				items = append(items, packed{name: name, text: text, method: zip.Deflate})
			}
			want, wantProblems := load(t, folder(t, files), form, Options{})
			got, gotProblems := load(t, pack(t, items...), Auto, Options{})
			if diff := gocmp.Diff(flatten(t, want, nil), flatten(t, got, nil)); diff != "" {
				t.Errorf("images (-folder +archive):\n%s", diff)
			}
			if diff := gocmp.Diff(wantProblems, gotProblems); diff != "" || len(got) == 0 {
				t.Errorf("%d images, problems (-folder +archive):\n%s", len(got), diff)
			}
		})
	}
}

// TestNotArchives: what is no archive is refused with a way out.
func TestNotArchives(t *testing.T) {
	dir := folder(t, map[string]string{"a.tar": "ustar", "b.zip": "PK\x03\x04 cut off", "empty.zip": ""})
	for _, name := range []string{"a.tar", "b.zip", "empty.zip", "missing.zip"} {
		if _, err := Open(filepath.Join(dir, name), Auto, Options{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
}
