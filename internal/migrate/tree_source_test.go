package migrate

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// treeOf returns a folder with files of the given names, listed.
func treeOf(t *testing.T, dir string, files map[string]string, o TreeOptions) *Tree {
	t.Helper()
	root := filepath.Join(t.TempDir(), dir)
	if err := os.MkdirAll(root, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := NewFolder(root, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	s, err := openState(filepath.Join(t.TempDir(), stateFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := tree.list(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestLocate(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{
		"m/a.manifest", "img/1.jpg", "m/2.jpg", "deep/er/img/3.jpg", "one/same.jpg", "two/same.jpg", "bucket/k/4.jpg", "k/4.jpg", "x%20y.jpg", "ü/5.jpg", "test/1.jpg",
	} {
		files[name] = name
	}
	tree := treeOf(t, "tree", files, TreeOptions{})
	if err := os.Symlink(t.TempDir(), filepath.Join(tree.files.(*folder).dir, "link")); err != nil {
		t.Fatal(err)
	}
	d := &dataset{source: "m/a.manifest"}
	for _, tt := range []struct {
		ref, place, problem string
		unsure              bool
	}{
		{ref: "img/1.jpg", place: "img/1.jpg"},
		{ref: "./img/1.jpg", place: "img/1.jpg"},
		{ref: "2.jpg", place: "m/2.jpg"},
		{ref: "../img/1.jpg", place: "img/1.jpg"},
		{ref: "s3://gone/img/1.jpg", place: "img/1.jpg"},
		{ref: "S3://gone/img/1.jpg", place: "img/1.jpg"},
		{ref: "s3://gone/datasets/old/img/1.jpg", place: "img/1.jpg"},
		{ref: "s3://gone/img/3.jpg", place: "deep/er/img/3.jpg"},
		{ref: "s3://bucket/k/4.jpg", place: "bucket/k/4.jpg"},
		{ref: "s3://other/k/4.jpg", place: "k/4.jpg"},
		{ref: "s3://gone/ü/5.jpg", place: "ü/5.jpg"},
		{ref: "s3://gone/x%20y.jpg", place: "x%20y.jpg"},
		{ref: "/home/me/img/1.jpg", place: "img/1.jpg"},
		{ref: "s3://gone/same.jpg", problem: "may be one/same.jpg or two/same.jpg"},
		{ref: "s3://gone/train/1.jpg", problem: "not there"}, // and not test/1.jpg
		{ref: "../../../etc/passwd", problem: "not there"},
		{ref: "s3://gone/../../etc/passwd", problem: "not there"},
		{ref: "link/x", problem: "not there"},
		{ref: "", problem: "not there"},
		{ref: ".", problem: "not there"},
		{ref: "img", problem: "not there"},
		{ref: "a.manifest", problem: "not there"},
		{ref: "http://127.0.0.1/x", problem: "neither an S3 URI nor a path"},
		{ref: "file:///etc/passwd", problem: "neither"},
		{ref: "img/1.jpg\x00", problem: "not there"},
		{ref: "yes", unsure: true},
		{ref: "img/1.jpg", place: "img/1.jpg", unsure: true},
		{ref: "er/img/3.jpg", unsure: true},
	} {
		place, problem, err := tree.locate(t.Context(), d, ref{key: sourceRef, value: tt.ref, sure: !tt.unsure})
		if err != nil || place != tt.place || (problem == "") != (tt.problem == "") || !strings.Contains(problem, tt.problem) {
			t.Errorf("%q: %q, %q, %v; want %q, %q", tt.ref, place, problem, err, tt.place, tt.problem)
		}
	}
}

func TestFolderIsNotLeft(t *testing.T) {
	tree := treeOf(t, "tree", map[string]string{"a": "a"}, TreeOptions{})
	dir := tree.files.(*folder).dir
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../outside", "link", outside, "a/../../outside", "."} {
		if r, _, err := tree.open(t.Context(), name); err == nil {
			r.Close()
			t.Errorf("%s can be opened", name)
		}
	}
}

const (
	normalLine = `{"source-ref":"i","l":0,"l-metadata":{"class-name":"Normal","type":"groundtruth/image-classification"}}` + "\n"
	leafLine   = `{"source-ref":"i","l":0,"l-metadata":{"class-name":"leaf","type":"groundtruth/image-classification"}}` + "\n"
	maskedLine = `{"source-ref":"i","m-ref":"m","m-ref-metadata":{"type":"groundtruth/semantic-segmentation"}}` + "\n"
	bareLine   = `{"source-ref":"i"}` + "\n"
)

// TestDiscover: whose the manifests of a folder are.
func TestDiscover(t *testing.T) {
	for _, tt := range []struct {
		name  string
		dir   string
		files map[string]string
		o     TreeOptions
		want  []string // SERVICE/PROJECT/SPLIT manifest
		fails string
	}{
		{name: "the console of Lookout (LV-12.21)", dir: "lookoutvision-us-east-1-0a1b2c3d4e",
			files: map[string]string{"datasets/parts/train/manifests/output/output.manifest": bareLine, "datasets/parts/test/manifests/output/output.manifest": bareLine,
				"tmp/x.manifest": bareLine},
			want: []string{"lookout/parts/test datasets/parts/test/manifests/output/output.manifest", "lookout/parts/train datasets/parts/train/manifests/output/output.manifest"}},
		{name: "the console of Custom Labels", dir: "custom-labels-console-us-east-1-0a1b2c3d4e",
			files: map[string]string{"datasets/my-parts/manifests/output/output.manifest": bareLine, "datasets/my-parts_test/manifests/output/output.manifest": bareLine},
			want:  []string{"custom-labels/my-parts/train datasets/my-parts/manifests/output/output.manifest", "custom-labels/my-parts/test datasets/my-parts_test/manifests/output/output.manifest"}},
		{name: "AWS's export script (LV-13.19b)", dir: "bottles",
			files: map[string]string{"train.manifest": normalLine, "test.manifest": normalLine, "images/train/1.jpg": ""},
			want:  []string{"lookout/bottles/test test.manifest", "lookout/bottles/train train.manifest"}},
		{name: "AWS's example", dir: "cookies", files: map[string]string{"dataset-files/manifests/template.manifest": maskedLine},
			want: []string{"lookout/cookies/train dataset-files/manifests/template.manifest"}},
		{name: "a name of its own", dir: "x", files: map[string]string{"My Parts.manifest": leafLine}, want: []string{"custom-labels/My-Parts/train My Parts.manifest"}},
		{name: "named", dir: "x", files: map[string]string{"a.manifest": leafLine, "b.jsonl": leafLine}, o: TreeOptions{Manifests: []string{"./b.jsonl"}, Project: "p", Split: fovea.Test, Service: fovea.Lookout},
			want: []string{"lookout/p/test b.jsonl"}},
		{name: "what a migration wrote", dir: "x", files: map[string]string{"a.manifest": leafLine, "fovea-migrate/manifests/lookout/a/train.manifest": leafLine}, want: []string{"custom-labels/a/train a.manifest"}},
		{name: "none", dir: "x", files: map[string]string{"a.jpg": ""}, fails: "no file *.manifest"},
		{name: "named and not there", dir: "x", files: map[string]string{"a.manifest": leafLine}, o: TreeOptions{Manifests: []string{"../a.manifest", "b"}}, fails: "no manifest b"},
		{name: "two of one dataset", dir: "x", files: map[string]string{"a/train.manifest": leafLine, "b/train.manifest": leafLine}, o: TreeOptions{Project: "p"}, fails: "both of the train dataset"},
		{name: "no label", dir: "x", files: map[string]string{"a.manifest": bareLine + "not JSON\n"}, fails: "--service"},
		{name: "an empty one", dir: "x", files: map[string]string{"a.manifest": ""}, fails: "--service"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := treeOf(t, tt.dir, tt.files, tt.o)
			projects, err := tree.discover(t.Context(), tree.st)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("%v, %v; want %q", projects, err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range projects {
				for _, d := range p.datasets {
					got = append(got, fmt.Sprintf("%s/%s/%s %s", p.service, p.name, d.split, d.source))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("datasets (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPages: the pages of a manifest have each line once, with its number,
// whatever their bounds cut.
func TestPages(t *testing.T) {
	var text strings.Builder
	var want []int64
	for n := int64(1); text.Len() < 3*pageBytes; n++ {
		switch n % 7 {
		case 0:
			text.WriteString("\r\n")
		case 1:
			fmt.Fprintf(&text, `{"source-ref":"%d","x":"%s"}`+"\r\n", n, strings.Repeat("x", int(n%5000)))
			want = append(want, n)
		default:
			fmt.Fprintf(&text, `{"source-ref":"%d"}`+"\n", n)
			want = append(want, n)
		}
	}
	tree := treeOf(t, "x", map[string]string{"a.manifest": text.String()}, TreeOptions{})
	d := &dataset{source: "a.manifest"}
	var got []int64
	pages, before := 0, int64(0)
	for token := ""; pages == 0 || token != ""; pages++ {
		p, err := tree.page(t.Context(), d, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range p.lines {
			got = append(got, before+l.n)
			if w := fmt.Sprintf(`{"source-ref":"%d"`, before+l.n); !strings.HasPrefix(string(l.text), w) || strings.HasSuffix(string(l.text), "\r") {
				t.Fatalf("line %d is %.60q", before+l.n, l.text)
			}
		}
		before += p.count
		token = p.next
	}
	if diff := cmp.Diff(want, got); diff != "" || pages < 3 {
		t.Errorf("%d pages, lines (-want +got):\n%.2000s", pages, diff)
	}
	if _, err := tree.page(t.Context(), d, "x"); err == nil {
		t.Error("a place that is no number is taken")
	}
}

func TestLongLine(t *testing.T) {
	tree := treeOf(t, "x", map[string]string{"a.manifest": bareLine + `{"x":"` + strings.Repeat("x", maxLine) + "\"}\n" + bareLine}, TreeOptions{})
	var lines []numbered
	for token, first := "", true; first || token != ""; first = false {
		p, err := tree.page(t.Context(), &dataset{source: "a.manifest"}, token)
		if err != nil {
			t.Fatal(err)
		}
		lines, token = append(lines, p.lines...), p.next
	}
	if len(lines) != 3 || lines[1].bad == "" || lines[1].text != nil || lines[2].bad != "" {
		t.Errorf("%d lines: %+v", len(lines), lines)
	}
}
