package transfer

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"

	"fovea/internal/exchange"
)

// A manifestFile is a manifest that is being written to a temporary file, so
// that it may be larger than memory.
type manifestFile struct {
	split exchange.Split
	date  string // of its entries
	f     *os.File
	w     *bufio.Writer
	sum   hash.Hash
	size  int64
	lines int64
	line  []byte // of memory that is used again
}

func newManifestFile(dir string, split exchange.Split, date string) (*manifestFile, error) {
	f, err := os.CreateTemp(dir, "fovea-"+string(split)+"-*.manifest")
	if err != nil {
		return nil, err
	}
	m := &manifestFile{split: split, date: date, f: f, sum: md5.New()}
	m.w = bufio.NewWriterSize(io.MultiWriter(f, m.sum), 256<<10)
	return m, nil
}

// add appends a line, with its line end.
func (m *manifestFile) add(line []byte) error {
	n, err := m.w.Write(line)
	m.size += int64(n)
	m.lines++
	return err
}

// flush makes all lines readable.
func (m *manifestFile) flush() error { return m.w.Flush() }

// etag returns the MD5 of what was flushed, which S3 has as its ETag.
func (m *manifestFile) etag() string { return hex.EncodeToString(m.sum.Sum(nil)) }

// reader returns the manifest from its beginning.
func (m *manifestFile) reader() *io.SectionReader { return io.NewSectionReader(m.f, 0, m.size) }

// remove closes and removes the file.
func (m *manifestFile) remove() error {
	err := os.Remove(m.f.Name())
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(m.f.Close(), err)
}
