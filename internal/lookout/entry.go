package lookout

import "bytes"

// AppendListed appends a line as ListDatasetEntries returns it: as it came,
// without the white space around it and without line breaks (LV-5.60). In a
// line that was accepted these can only stand between tokens.
func AppendListed(dst, line []byte) []byte {
	line = bytes.TrimSpace(line)
	if bytes.IndexByte(line, '\r') < 0 && bytes.IndexByte(line, '\n') < 0 {
		return append(dst, line...)
	}
	for _, b := range line {
		if b != '\r' && b != '\n' {
			dst = append(dst, b)
		}
	}
	return dst
}
