package exchange

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

const (
	maxXML      = 4 << 20 // bytes of an annotation of VOC
	maxXMLDepth = 32      // elements within each other
)

// A vocFile is what an annotation of Pascal VOC says that concerns us.
type vocFile struct {
	XMLName  xml.Name    `xml:"annotation"`
	Filename string      `xml:"filename"`
	Width    string      `xml:"size>width"`
	Height   string      `xml:"size>height"`
	Depth    string      `xml:"size>depth"`
	Objects  []vocObject `xml:"object"`
}

// A vocObject is an object in it. Its edges count pixels from 1, and the last
// pixel is within.
type vocObject struct {
	Name string `xml:"name"`
	Box  *struct {
		XMin string `xml:"xmin"`
		YMin string `xml:"ymin"`
		XMax string `xml:"xmax"`
		YMax string `xml:"ymax"`
	} `xml:"bndbox"`
}

// loadVOC finds the annotation of each image.
func (c *collection) loadVOC() error {
	notes := c.notes.having(".xml")
	if len(notes) == 0 {
		return errors.New("there is no XML file, as Pascal VOC has for each image")
	}
	sets := c.vocSets()
	noteOf := c.pairVOC(notes)
	c.choose(func(i int32) bool { _, ok := noteOf[i]; return ok })
	c.annotate = func(i int32, img *Image) []error {
		img.Split = sets.of(img.Name)
		n, ok := noteOf[i]
		if !ok {
			return nil
		}
		v, err := readVOC(c.notes, &c.notes.files[n])
		if err != nil {
			return []error{err}
		}
		return v.fill(img, c.notes.files[n].name)
	}
	return nil
}

// pairVOC returns the annotation of each image that has one: that of
// JPEGImages/x/1.jpg is Annotations/x/1.xml, or 1.jpg.xml if there is a 1.png
// too. Of others, and where there are several images, the annotation is asked
// which file it is of.
func (c *collection) pairVOC(notes []int) map[int32]int32 {
	p := c.pairsOf(func(name string) []string {
		return []string{twin(name, "JPEGImages", "Annotations"), twin(name+".xml", "JPEGImages", "Annotations")}
	})
	r := newResolver(c.images)
	noteOf := map[int32]int32{}
	for _, n := range notes {
		f := &c.notes.files[n]
		i, err := c.imageOf(f, p.of(f.name), r)
		if err == nil {
			err = c.match(noteOf, i, c.notes, n)
		}
		if err != nil {
			c.problems.add(err)
		}
	}
	return noteOf
}

// imageOf returns the image that an annotation is of: the only one of those
// that its path speaks for, or else the one that it names.
func (c *collection) imageOf(f *file, found []int32, r *resolver) (int32, error) {
	if len(found) == 1 {
		return found[0], nil
	}
	v, err := readVOC(c.notes, f)
	if err != nil {
		return 0, err
	}
	for _, i := range found {
		if path.Base(c.images.files[i].name) == v.Filename {
			return i, nil
		}
	}
	i, err := r.find(v.Filename, path.Dir(f.name), splitIn(path.Dir(f.name)))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.name, err)
	}
	return i, nil
}

// readVOC reads an annotation. Document types, in which entities are defined,
// are refused.
func readVOC(t *tree, f *file) (*vocFile, error) {
	if f.size > maxXML {
		return nil, fmt.Errorf("%s has %d bytes; an annotation may have %d", f.name, f.size, maxXML)
	}
	r, err := t.open(f)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return parseVOC(f.name, r)
}

func parseVOC(name string, r io.Reader) (*vocFile, error) {
	d := xml.NewDecoder(newText(io.LimitReader(r, maxXML)))
	d.CharsetReader = charset
	v := new(vocFile)
	if err := xml.NewTokenDecoder(&xmlGuard{d: d}).Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty, or cut off")
		}
		return nil, fmt.Errorf("%s is no annotation of Pascal VOC: %w", name, err)
	}
	return v, nil
}

// An xmlGuard passes on the tokens of an annotation.
type xmlGuard struct {
	d     *xml.Decoder
	depth int
}

// Token implements xml.TokenReader.
func (g *xmlGuard) Token() (xml.Token, error) {
	t, err := g.d.Token()
	switch t.(type) {
	case xml.Directive:
		return nil, errors.New("it has a document type, which could define entities: remove it")
	case xml.StartElement:
		if g.depth++; g.depth > maxXMLDepth {
			return nil, fmt.Errorf("its elements are nested deeper than %d", maxXMLDepth)
		}
	case xml.EndElement:
		g.depth--
	}
	return t, err
}

// fill sets what the annotation says of an image. Sizes that are not stated
// stay as they are.
func (v *vocFile) fill(img *Image, note string) (errs []error) {
	width, height := number(v.Width), number(v.Height)
	if width > 0 && height > 0 {
		img.Width, img.Height = width, height
	}
	if depth := number(v.Depth); depth > 0 {
		img.Depth = depth
	}
	for i, o := range v.Objects {
		if i == maxImageBoxes {
			errs = append(errs, fmt.Errorf("%s has more than %d objects: the rest is left out", note, maxImageBoxes))
			break
		}
		b, err := o.box(img.Width, img.Height)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: object %d: %w", note, i+1, err))
			continue
		}
		img.Boxes = append(img.Boxes, b)
	}
	img.detected(len(errs) > 0)
	return errs
}

// box returns the object's box in an image of that size.
func (o *vocObject) box(width, height int) (Box, error) {
	label, err := checkLabel(o.Name)
	if err != nil {
		return Box{}, err
	}
	if o.Box == nil {
		return Box{}, fmt.Errorf("%q has no bndbox", label)
	}
	var edges [4]float64
	for i, text := range []string{o.Box.XMin, o.Box.YMin, o.Box.XMax, o.Box.YMax} {
		if edges[i], err = strconv.ParseFloat(strings.TrimSpace(text), 64); err != nil {
			return Box{}, fmt.Errorf("%q has the edge %.40q, which is no number", label, text)
		}
	}
	a, err := round(edges[0]-1, edges[1]-1, edges[2], edges[3])
	if err != nil {
		return Box{}, err
	}
	b, err := a.fit(width, height)
	b.Label = label
	return b, err
}

// number returns a side of an image, 0 if the text is none.
func number(text string) int {
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || f < 1 || f > 1<<30 {
		return 0
	}
	return int(f)
}
