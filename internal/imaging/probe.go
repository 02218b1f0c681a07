package imaging

import "io"

// Probe returns what the header of the image file r of that size says. It
// reads 64 KiB, and more only if the header is longer: at most MaxHeader. What
// is wrong with the file is an *Error.
func Probe(r io.ReaderAt, size int64) (info Info, err error) {
	defer contain(&err)
	if size <= 0 {
		return Info{}, errorf(Empty, "It is empty.")
	}
	s := &source{r: r, size: size}
	head, err := s.at(0, int(min(size, sniffed)))
	if err != nil {
		return Info{}, err
	}
	switch s.format = formatOf(head); s.format {
	case PNG:
		return probePNG(s)
	case JPEG:
		return probeJPEG(s)
	}
	return Info{}, sniff(head)
}

const pngSignature = "\x89PNG\r\n\x1a\n"

// formatOf returns the format of a file that begins with head, 0 for another.
func formatOf(head []byte) Format {
	switch {
	case len(head) >= 8 && string(head[:8]) == pngSignature:
		return PNG
	case len(head) >= 3 && string(head[:3]) == "\xff\xd8\xff":
		return JPEG
	}
	return 0
}
