package exchange

import (
	"fmt"
	"slices"
	"strings"
)

// A Form is a way to keep annotated images in files.
type Form string

// The forms. docs/formats.md says how each is laid out.
const (
	Auto   Form = "auto" // whichever Detect finds
	Folder Form = "folder"
	COCO   Form = "coco"
	VOC    Form = "voc"
	YOLO   Form = "yolo"
	CSV    Form = "csv"
)

// Forms returns all forms that Open takes, Auto first.
func Forms() []Form { return []Form{Auto, Folder, COCO, VOC, YOLO, CSV} }

// ParseForm returns the form of that name, in any case; Auto for none. An
// unknown one is an error that lists those that are known.
func ParseForm(name string) (Form, error) {
	f := Form(strings.ToLower(name))
	if f == "" {
		return Auto, nil
	}
	if !slices.Contains(Forms(), f) {
		return "", fmt.Errorf("%q is no form of annotated images; use one of %s", name, list(Forms()))
	}
	return f, nil
}

// list joins names for people to read.
func list[S ~string](names []S) string {
	var b strings.Builder
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(n))
	}
	return b.String()
}
