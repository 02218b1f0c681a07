package imaging

import (
	"errors"
	"io"
)

// MaxHeader is how many bytes Probe reads at most. Some cameras put a second
// picture of several megabytes before the first.
const MaxHeader = 8 << 20

// How much is read at a time: most headers are within the first read.
const (
	firstRead = 64 << 10
	nextRead  = 512 << 10
)

// A source is a file that is read in pieces, forward.
type source struct {
	r      io.ReaderAt
	size   int64
	format Format // for messages

	buf   []byte
	start int64 // offset of buf in the file
	read  int64 // bytes read so far
}

// at returns n bytes from offset off, good until the next call. They are fewer
// than firstRead. If the file ends before, it reports Truncated; after
// MaxHeader bytes, LongHeader.
func (s *source) at(off int64, n int) ([]byte, error) {
	if off < s.start || off+int64(n) > s.start+int64(len(s.buf)) {
		if err := s.fill(off, n); err != nil {
			return nil, err
		}
	}
	from := off - s.start
	return s.buf[from : from+int64(n)], nil
}

func (s *source) fill(off int64, n int) error {
	switch {
	case off < 0 || off+int64(n) > s.size:
		return truncated(s.format)
	case off+int64(n) > MaxHeader || s.read > MaxHeader:
		return errorf(LongHeader, "It is a %s whose header is longer than %d MiB.", s.format, MaxHeader>>20)
	}
	length := int64(nextRead)
	if s.read == 0 {
		length = firstRead
	}
	length = min(length, s.size-off)
	if int64(cap(s.buf)) < length {
		s.buf = make([]byte, length)
	}
	s.buf, s.start = s.buf[:length], off
	got, err := s.r.ReadAt(s.buf, off)
	s.buf = s.buf[:got]
	s.read += int64(got)
	switch {
	case got >= n:
		return nil
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return truncated(s.format)
	}
	return err
}
