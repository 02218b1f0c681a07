package exchange

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

const (
	maxTexts      = 4 << 20 // bytes of the labels of an image, of data.yaml or classes.txt
	maxImageBoxes = 10_000  // boxes of an image, where they have a file of their own
)

// A yolo is what the files of a YOLO data set say about all of it.
type yolo struct {
	names  map[int]string // by class
	points bool           // key points follow the box in a line of labels
	splits []yoloSplit
	others []string // texts that are no labels of images
}

// A yoloSplit says which images are in a split: those in a folder, "." being
// the whole, or those of a list.
type yoloSplit struct {
	split Split
	dir   string
	files map[int32]bool
}

// loadYOLO finds the labels of each image.
func (c *collection) loadYOLO() error {
	y, err := c.readYOLO()
	if err != nil {
		return err
	}
	t := c.notes
	if len(t.having(".txt")) == 0 {
		t = c.images
	}
	noteOf := c.pairLabels(t, y)
	c.choose(func(i int32) bool {
		_, ok := noteOf[i]
		return ok || t == c.images && y.splitOf(i, c.images.files[i].name) != NoSplit
	})
	c.annotate = func(i int32, img *Image) []error {
		img.Split = y.splitOf(i, img.Name)
		n, ok := noteOf[i]
		if !ok {
			return nil
		}
		text, err := t.text(&t.files[n], maxTexts)
		if err != nil {
			return []error{err}
		}
		return y.fill(img, t.files[n].name, text)
	}
	return nil
}

// pairLabels returns the labels of each image that has some: images/train/1.jpg
// has labels/train/1.txt, or train/1.txt beside it; or if there is neither, one
// in folders that are called otherwise.
func (c *collection) pairLabels(t *tree, y *yolo) map[int32]int32 {
	p := c.pairsOf(func(name string) []string { return []string{twin(name, "images", "labels")} })
	noteOf := map[int32]int32{}
	var others []int
	for _, n := range t.having(".txt") {
		name := t.files[n].name
		switch found := p.exact[stem(name)]; {
		case len(found) == 1:
			noteOf[found[0]] = int32(n)
		case len(found) > 1:
			c.problems.addf("%s can be of %s or %s: rename one", name, c.images.files[found[0]].name, c.images.files[found[1]].name)
		case !slices.Contains(y.others, name):
			others = append(others, n)
		}
	}
	for _, n := range others {
		name := t.files[n].name
		found := p.loose[plain(stem(name))]
		if len(found) == 1 {
			if _, ok := noteOf[found[0]]; !ok {
				noteOf[found[0]] = int32(n)
				continue
			}
		}
		if slices.Contains(strings.Split(path.Dir(name), "/"), "labels") {
			c.problems.addf("%s has no image, or not one alone", name)
		}
	}
	return noteOf
}

// readYOLO reads data.yaml, or the names of the classes from classes.txt.
func (c *collection) readYOLO() (*yolo, error) {
	t, f := c.yoloYAML()
	if f == nil {
		return c.yoloClasses()
	}
	text, err := t.text(f, maxTexts)
	if err != nil {
		return nil, err
	}
	m, err := parseYAML(text)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.name, err)
	}
	y := &yolo{names: map[int]string{}, others: []string{"classes.txt"}, points: m["kpt_shape"] != nil}
	for i, item := range m["names"].list() {
		n := i
		if item.key != "" {
			if n, err = strconv.Atoi(item.key); err != nil {
				return nil, fmt.Errorf("%s: names: %.40q is no number of a class", f.name, item.key)
			}
		}
		y.names[n] = item.value
	}
	for _, key := range []string{"train", "val", "test", allImages} {
		for _, where := range m[key].all() {
			c.problems.add(c.yoloSplit(y, t, f, splits[key], m["path"].all(), where))
		}
	}
	return y, nil
}

// list returns the elements of a list or map.
func (v *yamlValue) list() []yamlItem {
	if v == nil {
		return nil
	}
	return v.items
}

// yoloYAML returns the file that names the classes, nil if there is none.
func (c *collection) yoloYAML() (*tree, *file) {
	for _, t := range []*tree{c.notes, c.images} {
		var found *file
		for _, i := range t.having(".yaml", ".yml") {
			f := &t.files[i]
			if text, err := t.text(f, maxTexts); err != nil || !hasNames(text) {
				continue
			}
			if found == nil || path.Base(f.name) == "data.yaml" && path.Base(found.name) != "data.yaml" {
				found = f
			}
		}
		if found != nil {
			return t, found
		}
	}
	return nil, nil
}

// hasNames tells whether a YAML file names classes.
func hasNames(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "names:") {
			return true
		}
	}
	return false
}

// yoloClasses reads the names of the classes from a list: classes.txt,
// obj.names and the like.
func (c *collection) yoloClasses() (*yolo, error) {
	for _, t := range []*tree{c.notes, c.images} {
		for i := range t.files {
			f := &t.files[i]
			if base := path.Base(f.name); base != "classes.txt" && path.Ext(base) != ".names" {
				continue
			}
			text, err := t.text(f, maxTexts)
			if err != nil {
				return nil, err
			}
			y := &yolo{names: map[int]string{}, others: []string{f.name}}
			for line := range strings.Lines(strings.TrimRight(text, "\r\n \t")) {
				y.names[len(y.names)] = strings.TrimSpace(line)
			}
			return y, nil
		}
	}
	return nil, errors.New("there is no data.yaml with names and no classes.txt, which name the classes of YOLO")
}

// yoloSplit adds the split that a member of the YAML file f describes: a folder
// or a list, relative to the path that the file gives, or to the file. Some
// files say ../train/images for what is beside them.
func (c *collection) yoloSplit(y *yolo, t *tree, f *file, split Split, root []string, where string) error {
	dir := path.Dir(f.name)
	if t != c.images {
		dir = "."
	}
	where = strings.ReplaceAll(where, `\`, "/")
	straight := where
	for strings.HasPrefix(straight, "../") {
		straight = straight[3:]
	}
	for _, p := range []string{path.Join(dir, strings.Join(root, "/"), where), path.Join(dir, where), path.Join(dir, straight)} {
		if i := c.images.find(p); i >= 0 && extension(p) == ".txt" {
			return c.yoloList(y, &c.images.files[i], split)
		}
		if c.images.hasDir(p) {
			y.splits = append(y.splits, yoloSplit{split: split, dir: p})
			return nil
		}
	}
	return fmt.Errorf("%s: %s is %.200q, which is neither a folder nor a list of the collection", f.name, split, where)
}

// hasDir tells whether there are files below a folder.
func (t *tree) hasDir(dir string) bool {
	if dir == "." {
		return true
	}
	i, _ := slices.BinarySearchFunc(t.files, dir+"/", func(f file, name string) int { return cmp.Compare(f.name, name) })
	return i < len(t.files) && strings.HasPrefix(t.files[i].name, dir+"/")
}

// yoloList adds a list of images, one in a line.
func (c *collection) yoloList(y *yolo, f *file, split Split) error {
	text, err := c.images.text(f, maxList)
	if err != nil {
		return err
	}
	y.others = append(y.others, f.name)
	s := yoloSplit{split: split, files: map[int32]bool{}}
	r := newResolver(c.images)
	for line := range strings.Lines(text) {
		name := strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(name) == "" {
			continue
		}
		i, err := r.find(name, path.Dir(f.name), NoSplit)
		if err != nil {
			c.problems.addf("%s: %w", f.name, err)
			continue
		}
		s.files[i] = true
	}
	y.splits = append(y.splits, s)
	return nil
}

// splitOf returns the split of an image: the first of the YAML file that it is
// in, or if that has none, that of its folders.
func (y *yolo) splitOf(i int32, name string) Split {
	for _, s := range y.splits {
		if s.files[i] || s.files == nil && (s.dir == "." || strings.HasPrefix(name, s.dir+"/")) {
			return s.split
		}
	}
	if len(y.splits) > 0 {
		return NoSplit
	}
	return splitIn(path.Dir(name))
}

// fill sets the boxes of an image.
func (y *yolo) fill(img *Image, note, text string) (errs []error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(img.Boxes)+len(errs) == maxImageBoxes {
			errs = append(errs, fmt.Errorf("%s has more than %d lines: the rest is left out", note, maxImageBoxes))
			break
		}
		b, err := y.box(fields, img.Width, img.Height)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", note, n, err))
			continue
		}
		img.Boxes = append(img.Boxes, b)
	}
	img.detected(len(errs) > 0)
	return errs
}

// box returns the box of a line of labels: the class, then the centre and the
// size of the box, or the corners of a polygon, as parts of the image's sides.
func (y *yolo) box(fields []string, width, height int) (Box, error) {
	class, err := strconv.ParseFloat(fields[0], 64)
	if err != nil || class != math.Trunc(class) || math.Abs(class) > math.MaxInt32 {
		return Box{}, fmt.Errorf("%.20q is no number of a class", fields[0])
	}
	label, err := checkLabel(y.names[int(class)])
	if err != nil {
		return Box{}, fmt.Errorf("class %d: %w", int(class), err)
	}
	parts := make([]float64, len(fields)-1)
	for i := range parts {
		if parts[i], err = strconv.ParseFloat(fields[i+1], 64); err != nil {
			return Box{}, fmt.Errorf("%.20q is no number", fields[i+1])
		}
	}
	left, top, right, bottom, err := y.edges(parts)
	if err != nil {
		return Box{}, err
	}
	w, h := float64(width), float64(height)
	a, err := round(left*w, top*h, right*w, bottom*h)
	if err != nil {
		return Box{}, err
	}
	b, err := a.fit(width, height)
	b.Label = label
	return b, err
}

// edges returns the edges of a box, or of what is around a polygon.
func (y *yolo) edges(p []float64) (left, top, right, bottom float64, err error) {
	switch {
	case len(p) == 4, len(p) == 5, len(p) > 4 && y.points: // a confidence or key points may follow
		return p[0] - p[2]/2, p[1] - p[3]/2, p[0] + p[2]/2, p[1] + p[3]/2, nil
	case len(p) < 6 || len(p)%2 != 0:
		return 0, 0, 0, 0, fmt.Errorf("%d numbers after the class are neither a box nor a polygon", len(p))
	}
	left, top, right, bottom = p[0], p[1], p[0], p[1]
	for i := 0; i < len(p); i += 2 {
		left, right = min(left, p[i]), max(right, p[i])
		top, bottom = min(top, p[i+1]), max(bottom, p[i+1])
	}
	return left, top, right, bottom, nil
}
