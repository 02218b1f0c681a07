package imaging

import (
	"bytes"
	"io"
)

// lookedAt is how much of the end of a file CheckEnd reads.
const lookedAt = 8 << 10

// CheckEnd looks at the last bytes of an image of that size and format, and
// reports Truncated if the end of the image is not among them. What many
// cameras append is allowed: a JPEG is only taken for cut off if its last
// bytes could be pixels.
func CheckEnd(r io.ReaderAt, size int64, f Format) error {
	n := min(size, lookedAt)
	tail := make([]byte, n)
	if got, err := r.ReadAt(tail, size-n); got < len(tail) {
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			return truncated(f)
		}
		return err
	}
	switch f {
	case PNG:
		if !bytes.Contains(tail, []byte("IEND\xaeB`\x82")) {
			return truncated(PNG)
		}
	case JPEG:
		if !bytes.Contains(tail, []byte{0xff, markerEOI}) && isScan(tail) {
			return truncated(JPEG)
		}
	}
	return nil
}

// isScan tells whether b can be from the middle of a scan of a JPEG: there a
// 0xff is followed by a zero or a restart marker.
func isScan(b []byte) bool {
	for i := range len(b) - 1 {
		if b[i] == 0xff && b[i+1] != 0 && b[i+1] != 0xff && (b[i+1] < markerRST0 || b[i+1] > markerRST7) {
			return false
		}
	}
	return true
}
