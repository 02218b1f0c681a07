package exchange

import (
	"io"

	"fovea/internal/imaging"
)

// probe returns what the header of an image of that size says.
func probe(r io.Reader, size int64) (imaging.Info, error) {
	at, ok := r.(io.ReaderAt)
	if !ok {
		at = &head{r: r}
	}
	return imaging.Probe(at, size)
}

// A head makes the start of a stream readable at any place. It keeps what it
// has read, which is what imaging.Probe asks for: somewhat more than
// imaging.MaxHeader at most.
type head struct {
	r   io.Reader
	buf []byte
	err error
}

// ReadAt implements io.ReaderAt.
func (h *head) ReadAt(p []byte, off int64) (int, error) {
	if missing := off + int64(len(p)) - int64(len(h.buf)); missing > 0 && h.err == nil {
		more := make([]byte, missing)
		n, err := io.ReadFull(h.r, more)
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		h.buf, h.err = append(h.buf, more[:n]...), err
	}
	if off >= int64(len(h.buf)) {
		return 0, h.err
	}
	n := copy(p, h.buf[off:])
	if n < len(p) {
		return n, h.err
	}
	return n, nil
}
