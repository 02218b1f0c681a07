package exchange

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"fovea/internal/imaging"
)

// maskLabels is the name of a file that says what the colours of masks mean:
// CSV with the columns image, mask, color and label.
const maskLabels = "masks.csv"

// defect is the label of what a mask marks if nothing says more.
const defect = "defect"

// masks are the masks of a collection for Lookout for Vision.
type masks struct {
	c         *collection
	top       string
	hasNormal bool // a folder is named for normal images

	masks  map[int32]bool     // the files that are masks
	byKey  map[string][]int32 // what maskKey makes of them
	stated map[int32]stated   // what masks.csv says, by image
	colors map[string]imaging.Color

	composed map[string]int // the files by their names in NFC, -1 for several; nil until it is needed
}

// stated is what masks.csv says of an image.
type stated struct {
	mask   int32
	labels map[string]string
}

// findMasks finds the files that are masks.
func (c *collection) findMasks(top string) (*masks, error) {
	m := &masks{c: c, top: top, masks: map[int32]bool{}, byKey: map[string][]int32{}, stated: map[int32]stated{}}
	if err := m.readStated(); err != nil {
		return nil, err
	}
	var defects []string
	for _, i := range c.files {
		name := c.images.files[i].name
		v := verdictFrom(name, top)
		switch {
		case m.masks[i]:
		case v.mask:
			m.masks[i] = true
			key := maskKey(name, top)
			m.byKey[key] = append(m.byKey[key], i)
		case v.kind == Normal && v.folder:
			m.hasNormal = true
		case v.defect != "" && !slices.Contains(defects, v.defect) && len(defects) < maxDefects:
			defects = append(defects, v.defect)
		}
	}
	m.unmatched()
	slices.Sort(defects)
	m.colors = map[string]imaging.Color{defect: colorOf(0)}
	for i, d := range defects {
		m.colors[d] = colorOf(i + 1)
	}
	return m, nil
}

// unmatched tells of files in folders for masks that are of no anomalous image.
func (m *masks) unmatched() {
	keys := map[string]bool{}
	for _, i := range m.c.files {
		if name := m.c.images.files[i].name; !m.masks[i] && m.verdictOf(name).kind == Anomalous {
			keys[maskKey(name, m.top)] = true
		}
	}
	said := map[int32]bool{}
	for _, s := range m.stated {
		said[s.mask] = true
	}
	for _, i := range m.c.files {
		name := m.c.images.files[i].name
		if m.masks[i] && !said[i] && verdictFrom(name, m.top).kind != Normal && !keys[maskKey(name, m.top)] && slices.ContainsFunc(strings.Split(path.Dir(name), "/"), isMaskFolder) {
			m.c.problems.addf("%s is in a folder for masks, and there is no anomalous image of that name", name)
		}
	}
}

// maxDefects is how many kinds of defects a project may have (LV-5.46).
const maxDefects = 100

// colorOf returns the n-th of a series of colours that are far from white and
// from those before: hues at the golden angle.
func colorOf(n int) imaging.Color {
	hue := math.Mod(0.35+float64(n)*0.6180339887498949, 1) * 6
	rise := byte(math.Round(200 * (1 - math.Abs(math.Mod(hue, 2)-1))))
	rgb := [...][3]byte{{200, rise, 0}, {rise, 200, 0}, {0, 200, rise}, {0, rise, 200}, {rise, 0, 200}, {200, 0, rise}}[int(hue)]
	return imaging.Color(rgb[0])<<16 | imaging.Color(rgb[1])<<8 | imaging.Color(rgb[2])
}

// of returns the mask of an anomalous image in a folder named for a defect, or
// nil if it has none.
func (m *masks) of(i int32, img *Image, kind string) (*Mask, error) {
	if s, ok := m.stated[i]; ok {
		f := &m.c.images.files[s.mask]
		return &Mask{Name: f.name, Size: f.size, Labels: s.labels, Open: func() (io.ReadCloser, error) { return m.c.images.open(f) }}, nil
	}
	f, err := m.fileOf(img)
	if f == nil || err != nil {
		return nil, err
	}
	return m.read(f, img, kind)
}

// fileOf returns the file of the mask of an image: that of the same split, or
// of none.
func (m *masks) fileOf(img *Image) (*file, error) {
	found := slices.Clone(m.byKey[maskKey(img.Name, m.top)])
	found = slices.DeleteFunc(found, func(i int32) bool {
		return differs(verdictFrom(m.c.images.files[i].name, m.top).split, img.Split)
	})
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return &m.c.images.files[found[0]], nil
	}
	return nil, fmt.Errorf("%s can have the mask %s or %s: leave one", img.Name, m.c.images.files[found[0]].name, m.c.images.files[found[1]].name)
}

// read returns a mask whose colours nobody says the meaning of.
func (m *masks) read(f *file, img *Image, kind string) (*Mask, error) {
	found, err := m.count(f)
	if err != nil {
		return nil, err
	}
	if found.Width != img.Width || found.Height != img.Height {
		return nil, fmt.Errorf("%s has %d x %d pixels, and its image %s has %d x %d (LV-5.41)", f.name, found.Width, found.Height, img.Name, img.Width, img.Height)
	}
	if _, ok := m.colors[kind]; !ok {
		kind = defect
	}
	if isBinary(found) {
		return m.colored(f, kind)
	}
	mask := &Mask{Name: f.name, Size: f.size, Labels: map[string]string{}, Open: func() (io.ReadCloser, error) { return m.c.images.open(f) }}
	for _, o := range found.Others {
		if o.Pixels*100 < found.Unmatched {
			break // the rim of an area, or noise
		}
		mask.Labels[o.Color.String()] = kind + strings.TrimPrefix(o.Color.String(), "#")
		if len(found.Others) == 1 || found.Others[1].Pixels*100 < found.Unmatched {
			mask.Labels[o.Color.String()] = kind
		}
	}
	if len(mask.Labels) == 0 {
		return nil, fmt.Errorf("%s marks nothing: all of it is background, which is white or transparent", f.name)
	}
	return mask, nil
}

// count counts the colours of a mask but for the background.
func (m *masks) count(f *file) (*imaging.Mask, error) {
	r, err := m.c.images.open(f)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.name, err)
	}
	defer r.Close()
	found, err := imaging.ReadMask(context.Background(), r, nil)
	if bad := new(imaging.Error); errors.As(err, &bad) {
		return nil, fmt.Errorf("%s: %w Masks are PNGs (LV-5.40)", f.name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.name, err)
	}
	return found, nil
}

// isBinary tells whether a mask has no colours: there black is background,
// where it is white in those of Lookout for Vision.
func isBinary(m *imaging.Mask) bool {
	switch m.Model {
	case imaging.Gray:
		return true
	case imaging.RGB, imaging.Palette:
		return len(m.Others) == 1 && m.Others[0].Color == 0
	}
	return false
}

// colored returns a mask without colours as Lookout for Vision has them: black
// as white, and everything else in the colour of the label.
func (m *masks) colored(f *file, label string) (*Mask, error) {
	r, err := m.c.images.open(f)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", f.name, err)
	}
	defer r.Close()
	src, err := png.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be decoded: %w", f.name, err)
	}
	c := m.colors[label]
	b := src.Bounds()
	dst := image.NewPaletted(b, color.Palette{color.White, color.RGBA{byte(c >> 16), byte(c >> 8), byte(c), 255}})
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, g, b, _ := src.At(x, y).RGBA(); r|g|b != 0 {
				dst.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, dst); err != nil {
		return nil, err
	}
	return &Mask{
		Name: f.name, Size: int64(out.Len()), Labels: map[string]string{c.String(): label},
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.Bytes())), nil },
	}, nil
}

// readStated reads masks.csv where there is one.
func (m *masks) readStated() error {
	for i := range m.c.images.files {
		f := &m.c.images.files[i]
		if path.Base(f.name) != maskLabels {
			continue
		}
		stream, err := m.c.images.open(f)
		if err != nil {
			return err
		}
		err = m.readRows(f.name, newRows(stream))
		stream.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// readRows reads a masks.csv.
func (m *masks) readRows(name string, rows *rows) error {
	for {
		row, err := rows.next()
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, new(*badRow)):
		case err != nil:
			return fmt.Errorf("%s:%d: %w", name, rows.line, err)
		case rows.line == 1 && len(row) > 0 && strings.EqualFold(row[0], "image"):
			continue
		default:
			err = m.state(path.Dir(name), row)
		}
		if err != nil {
			m.c.problems.addf("%s:%d: %w", name, rows.line, err)
		}
	}
}

// find returns the file of that name or, if there is none, the only one whose name
// is the same in NFC; -1 if there is neither.
func (m *masks) find(name string) int {
	if i := m.c.images.find(name); i >= 0 {
		return i
	}
	if m.composed == nil {
		m.composed = map[string]int{}
		for i, f := range m.c.images.files {
			key := composed(f.name)
			if _, ok := m.composed[key]; ok {
				m.composed[key] = -1
			} else {
				m.composed[key] = i
			}
		}
	}
	if i, ok := m.composed[composed(name)]; ok {
		return i
	}
	return -1
}

// state keeps a row of masks.csv: image, mask, color, label.
func (m *masks) state(dir string, row []string) error {
	if len(row) != 4 {
		return fmt.Errorf("it has %d cells; image, mask, color and label are needed", len(row))
	}
	img, mask := m.find(path.Join(dir, row[0])), m.find(path.Join(dir, row[1]))
	if img < 0 || mask < 0 {
		return fmt.Errorf("%.200q or its mask %.200q is not in the collection", row[0], row[1])
	}
	m.masks[int32(mask)] = true
	s, ok := m.stated[int32(img)]
	if !ok {
		s = stated{int32(mask), map[string]string{}}
	}
	m.stated[int32(img)] = s
	if row[2] == "" && row[3] == "" {
		return nil
	}
	label, err := checkLabel(row[3])
	if err != nil {
		return err
	}
	if len(s.labels) == maxDefects {
		return fmt.Errorf("the mask of %s has more than %d colours", row[0], maxDefects)
	}
	s.labels[strings.ToLower(row[2])] = label
	return nil
}
