package exchange

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxName is how long the name of a file may be, in bytes: as long as the key
// of an S3 object.
const maxName = 1024

// maxLabel is how long a label may be, in characters (CL-12.11).
const maxLabel = 256

// checkName says what is wrong with the path of a file in a collection: it
// leads elsewhere, on some system at least, or could not be a name in S3.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("a file without a name")
	case len(name) > maxName:
		return fmt.Errorf("the name %.60q… has %d bytes; it may have %d", name, len(name), maxName)
	case !utf8.ValidString(name):
		return fmt.Errorf("the name %+q is not UTF-8: rename it", name)
	case strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name %q has a control character: rename it", name)
	case strings.Contains(name, `\`):
		return fmt.Errorf("the name %q has a backslash, which some systems take for a folder: rename it", name)
	case strings.HasPrefix(name, "/"), isDrive(name):
		return fmt.Errorf("the name %q is absolute; names are relative to the collection", name)
	case path.Clean(name) != name || name == "." || name == ".." || strings.HasPrefix(name, "../"):
		return fmt.Errorf("the name %q does not lead straight to a file of the collection", name)
	}
	return nil
}

// composed returns a name in the normal form NFC. macOS keeps names in NFD, in
// which an é is an e with an accent behind it; annotations mostly have NFC.
func composed(name string) string { return norm.NFC.String(name) }

// isDrive tells whether a path begins with a drive of Windows.
func isDrive(name string) bool {
	return len(name) >= 3 && name[1] == ':' && name[2] == '/' && name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z'
}

// isJunk tells whether a file is one that systems leave behind, and people do
// not see.
func isJunk(name string) bool {
	if name == "__MACOSX" || strings.HasPrefix(name, "__MACOSX/") || strings.Contains(name, "/__MACOSX/") {
		return true
	}
	base := path.Base(name)
	return strings.HasPrefix(base, "._") || strings.HasSuffix(base, partSuffix) ||
		slices.Contains([]string{".DS_Store", "Thumbs.db", "ehthumbs.db", "desktop.ini"}, base)
}

// checkLabel returns a label without white space around it, or what is wrong
// with it.
func checkLabel(label string) (string, error) {
	label = strings.TrimSpace(label)
	switch {
	case label == "":
		return "", errors.New("the label is empty")
	case utf8.RuneCountInString(label) > maxLabel:
		return "", fmt.Errorf("the label %.60q… has %d characters; it may have %d", label, utf8.RuneCountInString(label), maxLabel)
	case !utf8.ValidString(label):
		return "", fmt.Errorf("the label %+q is not UTF-8", label)
	case strings.ContainsFunc(label, isUnwritable):
		return "", fmt.Errorf("the label %q has a character that not every form can hold", label)
	}
	return label, nil
}

// isUnwritable tells of the characters that XML has no way to write, and those
// that break lines.
func isUnwritable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufffe' || r == '\uffff' || r == utf8.RuneError
}

// images are the extensions of the formats that both services take (CL-12.16,
// LV-9.1), and of those that people have besides, which are told of.
var images = []string{
	".jpg", ".jpeg", ".jpe", ".jfif", ".png",
	".bmp", ".gif", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".ppm", ".pgm",
}

// isImage tells whether a file is an image by its name.
func isImage(name string) bool { return slices.Contains(images, extension(name)) }

// splits are the words for the parts of a dataset. Validation counts as test,
// as a project has two datasets.
var splits = map[string]Split{
	"train": Train, "training": Train, "trn": Train, "trainval": Train,
	"test": Test, "testing": Test, "tst": Test,
	"val": Test, "valid": Test, "validation": Test, "eval": Test, "dev": Test,
}

// allImages is what a list of images is called that belong to no split,
// whatever folders they are in.
const allImages = "all"

// splitOf returns the split that a folder is named for: "train", also with
// "images" or a number behind, as in "train2017" and "test-images".
func splitOf(folder string) Split {
	word := strings.ToLower(folder)
	word = strings.TrimRight(word, "0123456789")
	for _, suffix := range []string{"images", "image", "imgs", "set", "data"} {
		word = strings.TrimSuffix(word, suffix)
	}
	return splits[strings.TrimRight(word, "-_ ")]
}

// splitIn returns the first split that the folders or words of a path name.
func splitIn(name string) Split {
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("/_-. ", r) })
	for _, w := range words {
		if s := splitOf(w); s != NoSplit {
			return s
		}
	}
	return NoSplit
}
