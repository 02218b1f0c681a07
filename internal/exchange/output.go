package exchange

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// partSuffix ends the names of files that are not complete. They are removed
// or written again, and never read.
const partSuffix = ".fovea-part"

// An output writes files below a folder.
type output struct {
	root   *os.Root
	bySize bool
	parts  int // to give parts names
}

// sweep removes what an interrupted writing has left. Nobody else may write to
// the folder.
func (o *output) sweep() error {
	return fs.WalkDir(o.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, partSuffix) {
			return err
		}
		return o.root.Remove(name)
	})
}

// copy writes what open returns, which is size bytes if that is not 0, unless
// the file has it already. An error of the output is fatal.
func (o *output) copy(to string, size int64, open func() (io.ReadCloser, error)) error {
	if info, err := o.root.Lstat(to); err == nil && info.Mode().IsRegular() && (size == 0 || info.Size() == size) {
		if o.bySize && size > 0 {
			return nil
		}
		if same, err := o.same(to, open); same || err != nil {
			return err
		}
	}
	r, err := open()
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	defer r.Close()
	return o.write(to, func(w io.Writer) error {
		from := &source{r: r}
		n, err := io.Copy(w, from)
		switch {
		case from.err != nil:
			return fmt.Errorf("it cannot be read: %w", from.err)
		case err != nil:
			return &fatal{err}
		case size > 0 && n != size:
			return fmt.Errorf("it has %d bytes where %d were announced", n, size)
		}
		return nil
	})
}

// A source tells errors of reading from those of writing.
type source struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// put writes a small file, unless it is there already.
func (o *output) put(to string, text []byte) error {
	return o.copy(to, int64(len(text)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
}

// same tells whether a file has the bytes that open returns.
func (o *output) same(to string, open func() (io.ReadCloser, error)) (bool, error) {
	have, err := o.root.Open(to)
	if err != nil {
		return false, &fatal{err}
	}
	defer have.Close()
	want, err := open()
	if err != nil {
		return false, fmt.Errorf("it cannot be read: %w", err)
	}
	defer want.Close()
	return equal(have, want)
}

// equal tells whether two streams have the same bytes.
func equal(a, b io.Reader) (bool, error) {
	var x, y [32 << 10]byte
	for {
		n, err := io.ReadFull(a, x[:])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, err
		}
		m, err := io.ReadFull(b, y[:])
		switch {
		case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
			return false, err
		case !bytes.Equal(x[:n], y[:m]):
			return false, nil
		case err != nil:
			return true, nil
		}
	}
}

// write writes a file, which appears when fn has returned.
func (o *output) write(to string, fn func(io.Writer) error) error {
	p, err := o.part(to)
	if err != nil {
		return err
	}
	defer p.discard()
	if err := fn(p.w); err != nil {
		return err
	}
	return p.publish()
}

// A part is a file that is being written.
type part struct {
	o    *output
	to   string
	name string // until it is published; then ""
	f    *os.File
	w    *bufio.Writer
}

// part begins a file. A name that cannot be used is an error about the image;
// others are fatal.
func (o *output) part(to string) (*part, error) {
	dir := path.Dir(to)
	if err := o.root.MkdirAll(dir, 0o755); err != nil {
		return nil, o.judge(to, err)
	}
	o.parts++
	name := path.Join(dir, fmt.Sprintf(".%d%s", o.parts, partSuffix))
	f, err := o.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, o.judge(to, err)
	}
	return &part{o: o, to: to, name: name, f: f, w: bufio.NewWriter(f)}, nil
}

// judge tells whether an error is about one file, because another is where its
// folder should be, or a link leads out.
func (o *output) judge(to string, err error) error {
	for dir := path.Dir(to); dir != "."; dir = path.Dir(dir) {
		if info, lerr := o.root.Lstat(dir); lerr == nil && !info.IsDir() {
			return fmt.Errorf("%s is in the way of %s: %w", dir, to, err)
		}
	}
	return &fatal{err}
}

// publish gives the file its name.
func (p *part) publish() error {
	if err := p.w.Flush(); err != nil {
		return &fatal{err}
	}
	if err := p.f.Close(); err != nil {
		return &fatal{err}
	}
	if info, err := p.o.root.Lstat(p.to); err == nil && info.IsDir() {
		return fmt.Errorf("there is a folder %s in its place", p.to)
	}
	if err := p.o.root.Rename(p.name, p.to); err != nil {
		return &fatal{err}
	}
	p.name = ""
	return nil
}

// discard removes the file if it was not published.
func (p *part) discard() {
	if p == nil || p.name == "" {
		return
	}
	p.f.Close()
	p.o.root.Remove(p.name)
}
