package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Limits of a COCO file, which is read piece by piece.
const (
	maxPiece  = 16 << 20 // bytes of one image, annotation or category
	maxImages = MaxFiles
	jsonDepth = 100
	maxID     = 200 // bytes of an identifier that count
)

// A cocoImage, cocoAnnotation and cocoCategory are what COCO says of each that
// concerns us. Identifiers are whole numbers in COCO; others are taken too.
type (
	cocoImage struct {
		ID       json.RawMessage `json:"id"`
		FileName string          `json:"file_name"`
		Width    json.RawMessage `json:"width"`
		Height   json.RawMessage `json:"height"`
	}
	cocoAnnotation struct {
		ID         json.RawMessage `json:"id"`
		ImageID    json.RawMessage `json:"image_id"`
		CategoryID json.RawMessage `json:"category_id"`
		BBox       []float64       `json:"bbox"` // left, top, width, height; fractions of pixels
		IsCrowd    json.RawMessage `json:"iscrowd"`
	}
	cocoCategory struct {
		ID   json.RawMessage `json:"id"`
		Name string          `json:"name"`
	}
)

// loadCOCO reads the annotations.
func (c *collection) loadCOCO() error {
	notes := c.cocoFiles()
	if len(notes) == 0 {
		return errors.New(`there is no JSON file with "images" and "annotations", as COCO has`)
	}
	l := newLedger(c.images)
	for _, f := range notes {
		c.problems.add(c.readCOCO(l, f))
	}
	if len(l.records) == 0 {
		return errors.Join(append([]error{errors.New("no image of the COCO annotations is in the collection")}, c.problems.errs...)...)
	}
	l.done()
	c.choose(l.has)
	c.annotate = l.fill
	return nil
}

// cocoFiles returns the files of annotations. Beside instances of objects,
// COCO has files of key points and captions for the same images: if there are
// some that are named so, only the instances are read.
func (c *collection) cocoFiles() (found []*file) {
	var instances []*file
	for _, i := range c.notes.having(".json") {
		f := &c.notes.files[i]
		if !looksLikeCOCO(c.notes, f) {
			continue
		}
		found = append(found, f)
		if strings.HasPrefix(path.Base(f.name), "instances") {
			instances = append(instances, f)
		}
	}
	if len(instances) > 0 {
		return instances
	}
	return found
}

// A cocoReader reads one file of annotations into a ledger. Until the file has
// been read to its end, it keeps what it read with numbers of its own.
type cocoReader struct {
	c     *collection
	l     *ledger
	file  *file
	split Split

	images     ids
	listed     []cocoListed // by image
	categories ids
	labels     []int32 // by category; missing or refused
	marks      []mark
}

// A cocoListed is an image of the list.
type cocoListed struct {
	file          int32 // missing if the list does not have it so far, refused if it is not in the collection
	width, height int32
}

const (
	missing = -2
	refused = -1
)

// ids gives numbers to identifiers.
type ids map[string]int32

// number returns the number of an identifier, which is the next if it is new.
func (m ids) number(id json.RawMessage) int32 {
	key := identifier(id)
	key = key[:min(len(key), maxID)]
	n, ok := m[key]
	if !ok {
		n = int32(len(m))
		m[key] = n
	}
	return n
}

// identifier returns the text by which an identifier is known: 7, 7.0 and "7"
// are the same, as files have them mixed.
func identifier(id json.RawMessage) string {
	text := string(id)
	var s string
	if json.Unmarshal(id, &s) == nil {
		text = s
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f == float64(int64(f)) {
		return strconv.FormatInt(int64(f), 10)
	}
	return text
}

// readCOCO adds the annotations of a file to the ledger. If it breaks off,
// none are added, as it may have objects that were not read.
func (c *collection) readCOCO(l *ledger, f *file) error {
	stream, err := c.notes.open(f)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	defer stream.Close()
	r := &cocoReader{c: c, l: l, file: f, split: splitIn(f.name), images: ids{}, categories: ids{}}
	if err := r.read(stream); err != nil {
		return fmt.Errorf("%s cannot be read as COCO: %w", f.name, err)
	}
	return r.merge()
}

// read reads the members of the file.
func (r *cocoReader) read(stream io.Reader) error {
	d := newPieces(newText(stream))
	if err := d.expect(json.Delim('{')); err != nil {
		return err
	}
	for d.More() {
		key, err := d.token()
		if err != nil {
			return err
		}
		switch key {
		case "images":
			err = each(d, r.problem, r.image)
		case "annotations":
			err = each(d, r.problem, r.annotation)
		case "categories":
			err = each(d, r.problem, r.category)
		default:
			err = d.skip()
		}
		if err != nil {
			return fmt.Errorf("%v: %w", key, err)
		}
	}
	return d.expect(json.Delim('}'))
}

// image keeps an image of the list.
func (r *cocoReader) image(img *cocoImage) error {
	n := r.images.number(img.ID)
	if n >= maxImages {
		return fmt.Errorf("there are more than %d images", maxImages)
	}
	r.grow(n)
	if r.listed[n].file >= 0 {
		r.c.problems.addf("%s lists two images with the id %s: the first one is taken", r.file.name, img.ID)
		return nil
	}
	file, err := r.l.resolver.find(img.FileName, path.Dir(r.file.name), r.split)
	if err != nil {
		file = refused
		r.c.problems.addf("%s: %w", r.file.name, err)
	}
	r.listed[n] = cocoListed{file, side(img.Width), side(img.Height)}
	return nil
}

// grow makes place for image n.
func (r *cocoReader) grow(n int32) {
	for int(n) >= len(r.listed) {
		r.listed = append(r.listed, cocoListed{file: missing})
	}
}

// side returns the width or height of an image, 0 if there is none.
func side(raw json.RawMessage) int32 { return int32(number(strings.Trim(string(raw), `"`))) }

// problem tells of an element that is left out.
func (r *cocoReader) problem(err error) { r.c.problems.addf("%s: %w", r.file.name, err) }

// splitOf returns the split of a file: that of the annotations, or else that
// of its folders.
func (r *cocoReader) splitOf(file int32) Split {
	if r.split != NoSplit || strings.HasSuffix(stem(r.file.name), "_"+allImages) {
		return r.split
	}
	return splitIn(path.Dir(r.c.images.files[file].name))
}

// category adds a label to the ledger.
func (r *cocoReader) category(cat *cocoCategory) error {
	n := r.categories.number(cat.ID)
	if n >= maxLabels {
		return fmt.Errorf("there are more than %d categories", maxLabels)
	}
	label, err := r.l.label(cat.Name)
	if err != nil {
		label = refused
		r.c.problems.addf("%s: category %s: %w", r.file.name, cat.ID, err)
	}
	r.named(n)
	r.labels[n] = label
	return nil
}

// named makes place for category n.
func (r *cocoReader) named(n int32) {
	for int(n) >= len(r.labels) {
		r.labels = append(r.labels, missing)
	}
}

// annotation keeps a box until the images and categories are known. Crowds are
// left out: their box says nothing of single objects.
func (r *cocoReader) annotation(a *cocoAnnotation) error {
	if text := string(a.IsCrowd); text == "1" || text == "true" {
		return nil
	}
	if len(r.marks) == maxMarks {
		return fmt.Errorf("there are more than %d annotations", maxMarks)
	}
	m := mark{record: r.images.number(a.ImageID), label: r.categories.number(a.CategoryID)}
	if place, err := a.area(); err != nil {
		r.c.problems.addf("%s: annotation %s: %w", r.file.name, a.ID, err)
		m.area = doubtful
	} else {
		m.area = place
	}
	if m.record >= maxImages || m.label >= maxLabels {
		return fmt.Errorf("there are more than %d images or %d categories", maxImages, maxLabels)
	}
	r.grow(m.record)
	r.named(m.label)
	r.marks = append(r.marks, m)
	return nil
}

// area returns the box.
func (a *cocoAnnotation) area() (area, error) {
	if len(a.BBox) != 4 {
		return area{}, fmt.Errorf("it has a bbox of %d numbers; left, top, width and height are needed", len(a.BBox))
	}
	return round(a.BBox[0], a.BBox[1], a.BBox[0]+a.BBox[2], a.BBox[1]+a.BBox[3])
}

// merge adds the images and boxes to the ledger.
func (r *cocoReader) merge() error {
	records := make([]int32, len(r.listed))
	for n, img := range r.listed {
		records[n] = r.record(img)
	}
	orphans, unnamed := 0, 0
	for _, m := range r.marks {
		m.record, m.label = records[m.record], r.labels[m.label]
		if m.record == missing {
			orphans++
		}
		if m.label == missing {
			unnamed++
		}
		if m.label < 0 {
			m.area = doubtful
		}
		if m.record < 0 {
			continue
		}
		if err := r.l.mark(m); err != nil {
			return err
		}
	}
	if orphans > 0 {
		r.c.problems.addf("%s: %d annotations are of images that it does not list", r.file.name, orphans)
	}
	if unnamed > 0 {
		r.c.problems.addf("%s: %d annotations are of categories that it does not list", r.file.name, unnamed)
	}
	return nil
}

// record makes an image of the list one of the ledger, and returns its record,
// missing or refused.
func (r *cocoReader) record(img cocoListed) int32 {
	if img.file < 0 {
		return img.file
	}
	i, err := r.l.record(img.file, r.splitOf(img.file))
	if err != nil {
		r.c.problems.addf("%s: %w", r.file.name, err)
		return refused
	}
	rec := &r.l.records[i]
	rec.kind = Detection
	if img.width > 0 && img.height > 0 {
		rec.width, rec.height = img.width, img.height
	}
	return i
}
