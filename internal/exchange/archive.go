package exchange

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Limits of a zip archive (T04). An entry beyond them is refused, and the
// others are read; an archive beyond those of its directory is refused.
const (
	maxDirectory = 64 << 20 // bytes of the list of entries
	maxUnpacked  = 1 << 40  // bytes of all entries
	maxEntry     = 4 << 30  // bytes of an entry
	maxRatio     = 200      // times an entry may shrink that is larger than maxUnjudged
	maxUnjudged  = 1 << 20  // bytes
)

// openArchive returns the files of a zip archive of that size, max entries at
// most.
func openArchive(r io.ReaderAt, size int64, max int) (*tree, error) {
	z, err := readDirectory(r, size, max)
	if err != nil {
		return nil, err
	}
	t := &tree{packed: true, opener: func(f *file) (io.ReadCloser, error) { return openEntry(z.File[f.at]) }}
	var unpacked uint64
	seen := make(map[string]string, len(z.File))
	for i, e := range z.File {
		if strings.HasSuffix(e.Name, "/") && e.UncompressedSize64 == 0 || isJunk(e.Name) {
			continue
		}
		if err := cmp.Or(checkEntry(e), collides(seen, e.Name)); err != nil {
			t.problems.add(err)
			continue
		}
		if unpacked += e.UncompressedSize64; unpacked > maxUnpacked {
			return nil, fmt.Errorf("with %s it unpacks to more than %d bytes", e.Name, int64(maxUnpacked))
		}
		t.files = append(t.files, file{name: e.Name, size: int64(e.UncompressedSize64), at: i})
	}
	t.dropOverlaps(z)
	t.sort()
	return t, nil
}

// readDirectory reads the list of entries, which may take maxDirectory bytes.
func readDirectory(r io.ReaderAt, size int64, max int) (*zip.Reader, error) {
	n, err := countEntries(r, size)
	if err != nil {
		return nil, err
	}
	if n > uint64(max) {
		return nil, fmt.Errorf("it has %d entries; it may have %d", n, max)
	}
	m := &metered{r: r, left: maxDirectory}
	z, err := zip.NewReader(m, size)
	if err != nil {
		return nil, fmt.Errorf("it is damaged, or no zip archive: %w", err)
	}
	if len(z.File) > max {
		return nil, fmt.Errorf("it has %d entries; it may have %d", len(z.File), max)
	}
	m.off = true
	return z, nil
}

// A metered passes on a number of bytes until it is switched off.
type metered struct {
	r    io.ReaderAt
	left int64
	off  bool // set before it is used by several
}

// ReadAt implements io.ReaderAt.
func (m *metered) ReadAt(p []byte, off int64) (int, error) {
	if !m.off {
		if m.left -= int64(len(p)); m.left < 0 {
			return 0, fmt.Errorf("its list of entries is longer than %d bytes", maxDirectory)
		}
	}
	return m.r.ReadAt(p, off)
}

// checkEntry says why an entry of an archive is not read.
func checkEntry(e *zip.File) error {
	if err := checkName(e.Name); err != nil {
		return err
	}
	switch mode := e.Mode(); {
	case !mode.IsRegular():
		return fmt.Errorf("%s is a link or another special file: archives may hold regular files only", e.Name)
	case e.Flags&1 != 0:
		return fmt.Errorf("%s is encrypted: pack it without a password", e.Name)
	case e.Method != zip.Store && e.Method != zip.Deflate:
		return fmt.Errorf("%s is compressed by method %d: pack it with deflate, as usual", e.Name, e.Method)
	case isArchive(e.Name):
		return fmt.Errorf("%s is an archive in the archive, which is not opened: unpack it first", e.Name)
	case e.UncompressedSize64 > maxEntry:
		return fmt.Errorf("%s unpacks to %d bytes; a file may have %d", e.Name, e.UncompressedSize64, int64(maxEntry))
	case e.UncompressedSize64 > maxUnjudged && e.UncompressedSize64/maxRatio > e.CompressedSize64:
		return fmt.Errorf("%s unpacks to more than %d times its size (%d bytes from %d)", e.Name, maxRatio, e.UncompressedSize64, e.CompressedSize64)
	}
	return nil
}

// isArchive tells whether a file is an archive by its name.
func isArchive(name string) bool {
	return slices.Contains([]string{".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"}, extension(name))
}

// collides says whether a name is one of those seen, on some systems at least,
// and adds it to them.
func collides(seen map[string]string, name string) error {
	key := strings.ToLower(name)
	other, ok := seen[key]
	switch {
	case !ok:
		seen[key] = name
		return nil
	case other == name:
		return fmt.Errorf("%s is in the archive twice: the first one is taken", name)
	}
	return fmt.Errorf("%s and %s differ in case only: the first one is taken", name, other)
}

// dropOverlaps leaves out the entries whose data lies in that of another.
func (t *tree) dropOverlaps(z *zip.Reader) {
	type place struct {
		file     int
		from, to int64
	}
	places := make([]place, 0, len(t.files))
	bad := map[int]bool{}
	for i, f := range t.files {
		e := z.File[f.at]
		from, err := e.DataOffset()
		if err != nil {
			t.problems.addf("%s is damaged: %w", f.name, err)
			bad[i] = true
			continue
		}
		places = append(places, place{i, from, from + int64(e.CompressedSize64)})
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(places); i++ {
		before, p := &places[i-1], &places[i]
		if p.from >= before.to || p.to == p.from {
			continue
		}
		t.problems.addf("%s overlaps %s in the archive, as bombs do", t.files[p.file].name, t.files[before.file].name)
		bad[p.file] = true
		p.to = max(p.to, before.to)
	}
	kept := t.files[:0]
	for i, f := range t.files {
		if !bad[i] {
			kept = append(kept, f)
		}
	}
	t.files = kept
}

// openEntry returns the bytes of an entry: not more than it says it has.
func openEntry(e *zip.File) (io.ReadCloser, error) {
	r, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", e.Name, err)
	}
	return &entry{r, int64(e.UncompressedSize64)}, nil
}

// An entry reads an entry of an archive.
type entry struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (e *entry) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if e.left -= int64(n); e.left < 0 {
		return 0, errors.New("it is longer than the archive says")
	}
	return n, err
}
