package imaging

import (
	"bytes"
	"unicode/utf8"
)

// sniffed is how many bytes tell the format of a file.
const sniffed = 512

// signatures are what the files begin with that people take for images, or
// upload by mistake. A dot stands for any byte.
var signatures = []struct{ start, name string }{
	{"GIF87a", "a GIF"},
	{"GIF89a", "a GIF"},
	{"RIFF....WEBP", "a WebP"},
	{"BM....\x00\x00\x00\x00", "a BMP"},
	{"II*\x00", "a TIFF, or a raw photograph"},
	{"MM\x00*", "a TIFF, or a raw photograph"},
	{"II+\x00", "a BigTIFF"},
	{"MM\x00+", "a BigTIFF"},
	{"....ftypavif", "an AVIF"},
	{"....ftypheic", "a HEIC"},
	{"....ftypheix", "a HEIC"},
	{"....ftypmif1", "a HEIF"},
	{"....ftypmsf1", "a HEIF"},
	{"....ftyp", "a video"},
	{"....moov", "a video"},
	{"....mdat", "a video"},
	{"\x1aE\xdf\xa3", "a video (Matroska or WebM)"},
	{"\x00\x00\x00\x0cjP  ", "a JPEG 2000"},
	{"\xffO\xffQ", "a JPEG 2000"},
	{"\x00\x00\x00\x0cJXL ", "a JPEG XL"},
	{"\xff\x0a", "a JPEG XL"},
	{"8BPS", "a Photoshop document"},
	{"v/1\x01", "an OpenEXR image"},
	{"\x00\x00\x01\x00", "an icon"},
	{"%PDF-", "a PDF"},
	{"PK\x03\x04", "a ZIP archive"},
	{"\x1f\x8b", "a gzip file"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{"\x28\xb5\x2f\xfd", "a zstd file"},
	{"\x93NUMPY", "a NumPy array"},
	{"\x89HDF\r\n\x1a\n", "an HDF5 file"},
	{"version https://git-lfs.github.com/spec/", "the pointer of Git LFS to a file that was not fetched"},
	{"iVBORw0KGgo", "a PNG in Base64"},
	{"/9j/", "a JPEG in Base64"},
	{"data:image/", "a data URL"},
}

// sniff tells what a file is that is no PNG and no JPEG.
func sniff(head []byte) *Error {
	if e := almost(head); e != nil {
		return e
	}
	for _, s := range signatures {
		if matches(head, s.start) {
			return errorf(OtherFormat, "It is %s.", s.name)
		}
	}
	if len(head) >= 132 && string(head[128:132]) == "DICM" {
		return errorf(OtherFormat, "It is a DICOM file.")
	}
	if len(bytes.Trim(head, "\x00")) == 0 {
		return errorf(OtherFormat, "It begins with zero bytes only.")
	}
	if name := textOf(head); name != "" {
		return errorf(OtherFormat, "It is %s.", name)
	}
	return errorf(OtherFormat, "It is neither a PNG nor a JPEG.")
}

// almost recognizes a PNG or JPEG that was damaged on its way.
func almost(head []byte) *Error {
	switch {
	case matches(head, "\x89PNG\n\x1a\n"), matches(head, "\x89PNG\r\r\n\x1a"), matches(head, "\x09PNG\r\n\x1a\n"):
		return malformed(PNG, "it was transferred as text, which changes line ends")
	case matches(head, "\xef\xbf\xbdPNG"):
		return malformed(PNG, "it was transferred as UTF-8 text, which loses bytes")
	case matches(head, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"):
		return malformed(JPEG, "it was transferred as UTF-8 text, which loses bytes")
	case len(head) < len(pngSignature) && bytes.HasPrefix([]byte(pngSignature), head):
		return truncated(PNG)
	case len(head) < 3 && bytes.HasPrefix([]byte("\xff\xd8\xff"), head):
		return truncated(JPEG)
	}
	return nil
}

func matches(head []byte, start string) bool {
	if len(head) < len(start) {
		return false
	}
	for i := range len(start) {
		if start[i] != '.' && start[i] != head[i] {
			return false
		}
	}
	return true
}

// textOf names the kind of text that a file begins with, "" if it is none.
func textOf(head []byte) string {
	for len(head) > 0 && len(head) > sniffed-utf8.UTFMax && !utf8.Valid(head) {
		head = head[:len(head)-1]
	}
	if !utf8.Valid(head) || bytes.ContainsFunc(head, isControl) {
		return ""
	}
	text := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\ufeff"))))
	switch {
	case bytes.HasPrefix(text, []byte("<svg")), bytes.HasPrefix(text, []byte("<?xml")) && bytes.Contains(text, []byte("<svg")):
		return "an SVG"
	case bytes.HasPrefix(text, []byte("<!doctype html")), bytes.HasPrefix(text, []byte("<html")):
		return "an HTML page"
	case bytes.HasPrefix(text, []byte("<?xml")), bytes.HasPrefix(text, []byte("<error>")):
		return "an XML document, perhaps an error message that was saved as an image"
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return "a JSON text"
	}
	return "a text"
}

func isControl(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }
