package imaging

import (
	"bytes"
	"io"
)

// lookedAt is how much of the end of a file CheckEnd reads. If it is nothing
// but zeros, with which some cameras fill their files up, it reads what is
// before, up to MaxHeader.
const lookedAt = 8 << 10

// CheckEnd looks at the last bytes of an image of that size and format, and
// reports Truncated if the end of the image is not among them. What many
// cameras append is allowed: a JPEG is only taken for cut off if its last
// bytes could be pixels.
func CheckEnd(r io.ReaderAt, size int64, f Format) error {
	for n, end := int64(lookedAt), size; end > max(0, size-MaxHeader); n = nextRead {
		tail := make([]byte, min(end, n))
		end -= int64(len(tail))
		if got, err := r.ReadAt(tail, end); got < len(tail) {
			if err == nil || isEnd(err) {
				return truncated(f)
			}
			return err
		}
		if tail = bytes.TrimRight(tail, "\x00"); len(tail) > 0 {
			return checkTail(tail, end == 0, f)
		}
	}
	return truncated(f)
}

// checkTail looks at the last bytes of a file, or at all of them.
func checkTail(tail []byte, whole bool, f Format) error {
	if len(tail) > lookedAt {
		tail, whole = tail[len(tail)-lookedAt:], false
	}
	if f == PNG {
		if !bytes.Contains(tail, []byte("IEND\xaeB`\x82")) {
			return truncated(PNG)
		}
		return nil
	}
	if bytes.Contains(tail, []byte{0xff, markerEOI}) {
		return nil
	}
	if i := bytes.LastIndex(tail, []byte{0xff, markerSOS, 0}); i >= 0 {
		tail, whole = tail[i+2:], false
	}
	if whole || isScan(tail) {
		return truncated(JPEG)
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
