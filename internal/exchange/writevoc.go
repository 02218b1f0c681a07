package exchange

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"path"
	"strings"
)

// A vocEncoder writes images below JPEGImages, an annotation for each below
// Annotations, and lists of the splits in ImageSets/Main.
type vocEncoder struct {
	w     *writer
	ids   map[string]bool // paths of annotations, without the extension
	lists map[string]*part
}

func newVOCEncoder(w *writer) *vocEncoder {
	return &vocEncoder{w: w, ids: map[string]bool{}, lists: map[string]*part{}}
}

// place implements encoder.
func (e *vocEncoder) place(img *Image) (string, error) {
	if err := onlyBoxes(VOC, img); err != nil {
		return "", err
	}
	return within(img.Name, "JPEGImages"), nil
}

// vocNote is what is written of an image.
type vocNote struct {
	XMLName   xml.Name     `xml:"annotation"`
	Folder    string       `xml:"folder"`
	Filename  string       `xml:"filename"`
	Width     int          `xml:"size>width"`
	Height    int          `xml:"size>height"`
	Depth     int          `xml:"size>depth"`
	Segmented int          `xml:"segmented"`
	Objects   []vocWritten `xml:"object"`
}

// vocWritten is what is written of a box.
type vocWritten struct {
	Name      string `xml:"name"`
	Pose      string `xml:"pose"`
	Truncated int    `xml:"truncated"`
	Difficult int    `xml:"difficult"`
	XMin      int    `xml:"bndbox>xmin"`
	YMin      int    `xml:"bndbox>ymin"`
	XMax      int    `xml:"bndbox>xmax"`
	YMax      int    `xml:"bndbox>ymax"`
}

// add implements encoder. An image of which nothing is known has no
// annotation.
func (e *vocEncoder) add(img *Image, to string) error {
	root, rest := around(to, "JPEGImages")
	id := e.id(root, rest)
	if err := e.list(root, id, img.Split); err != nil {
		return err
	}
	if img.Kind == Unlabeled {
		return nil
	}
	note := vocNote{
		Folder: "JPEGImages", Filename: path.Base(to),
		Width: img.Width, Height: img.Height, Depth: img.Depth,
	}
	for _, b := range img.Boxes {
		note.Objects = append(note.Objects, vocWritten{
			Name: b.Label, Pose: "Unspecified",
			XMin: b.Left + 1, YMin: b.Top + 1, XMax: b.Left + b.Width, YMax: b.Top + b.Height,
		})
	}
	text, err := xml.MarshalIndent(note, "", "\t")
	if err != nil {
		return err
	}
	return e.w.out.put(root+"Annotations/"+id+".xml", append(text, '\n'))
}

// around returns what is before the last folder dir of a path, with a slash if
// it is not empty, and what is after.
func around(name, dir string) (before, after string) {
	i := strings.LastIndex("/"+name, "/"+dir+"/")
	return name[:i], name[i+len(dir)+1:]
}

// id returns by what the lists know an image: its path without the extension,
// or with it, if there is one of the same path.
func (e *vocEncoder) id(root, rest string) string {
	id := stem(rest)
	if e.ids[strings.ToLower(root+id)] {
		id = rest
	}
	e.ids[strings.ToLower(root+id)] = true
	return id
}

// list adds an image to the list of its split.
func (e *vocEncoder) list(root, id string, split Split) error {
	name := fmt.Sprintf("%sImageSets/Main/%s.txt", root, cmp.Or(split, allImages))
	p := e.lists[name]
	if p == nil {
		var err error
		if p, err = e.w.out.part(name); err != nil {
			return &fatal{err}
		}
		e.lists[name] = p
	}
	if _, err := p.w.WriteString(id + "\n"); err != nil {
		return &fatal{err}
	}
	return nil
}

// finish implements encoder.
func (e *vocEncoder) finish() error {
	for _, p := range e.lists {
		if err := p.publish(); err != nil {
			return err
		}
	}
	return nil
}

// close implements encoder.
func (e *vocEncoder) close() {
	for _, p := range e.lists {
		p.discard()
	}
}
