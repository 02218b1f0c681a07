package exchange

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A yoloEncoder writes images below images, labels for each below labels,
// lists of the splits, and data.yaml.
type yoloEncoder struct {
	w       *writer
	names   []string
	classes map[string]int
	lists   map[Split]*part
	labels  map[string]string // paths of labels to those of their images
}

func newYOLOEncoder(w *writer) *yoloEncoder {
	return &yoloEncoder{w: w, classes: map[string]int{}, lists: map[Split]*part{}, labels: map[string]string{}}
}

// place implements encoder.
func (e *yoloEncoder) place(img *Image) (string, error) {
	if err := onlyBoxes(YOLO, img); err != nil {
		return "", err
	}
	to := within(img.Name, "images")
	labels := strings.ToLower(twin(to, "images", "labels"))
	if other, ok := e.labels[labels]; ok {
		return "", fmt.Errorf("its labels would be those of %s, which differs in the extension only: rename one of them", other)
	}
	e.labels[labels] = img.Name
	return to, nil
}

// add implements encoder. An image of which nothing is known has no labels.
func (e *yoloEncoder) add(img *Image, to string) error {
	if err := e.list(to, img.Split); err != nil {
		return err
	}
	if img.Kind == Unlabeled {
		return nil
	}
	var text []byte
	w, h := float64(img.Width), float64(img.Height)
	for _, b := range img.Boxes {
		text = strconv.AppendInt(text, int64(e.class(b.Label)), 10)
		for _, v := range []float64{
			(float64(b.Left) + float64(b.Width)/2) / w, (float64(b.Top) + float64(b.Height)/2) / h,
			float64(b.Width) / w, float64(b.Height) / h,
		} {
			text = strconv.AppendFloat(append(text, ' '), v, 'f', yoloDigits, 64)
		}
		text = append(text, '\n')
	}
	return e.w.out.put(twin(to, "images", "labels")+".txt", text)
}

// yoloDigits is how many digits follow the point. The edges of a box in an
// image of s pixels are wrong by s * 10^-8 at most, far less than the half
// pixel that would change them.
const yoloDigits = 8

// class returns the number of a label.
func (e *yoloEncoder) class(label string) int {
	n, ok := e.classes[label]
	if !ok {
		n = len(e.names)
		e.names = append(e.names, label)
		e.classes[label] = n
	}
	return n
}

// list adds an image to the list of its split.
func (e *yoloEncoder) list(to string, split Split) error {
	p := e.lists[split]
	if p == nil {
		var err error
		if p, err = e.w.out.part(string(cmp.Or(split, allImages)) + ".txt"); err != nil {
			return &fatal{err}
		}
		e.lists[split] = p
	}
	if _, err := p.w.WriteString("./" + to + "\n"); err != nil {
		return &fatal{err}
	}
	return nil
}

// finish implements encoder.
func (e *yoloEncoder) finish() error {
	for _, p := range e.lists {
		if err := p.publish(); err != nil {
			return err
		}
	}
	return e.w.out.write("data.yaml", func(w io.Writer) error {
		var b strings.Builder
		for _, m := range []struct {
			key   string
			split Split
		}{{"train", Train}, {"val", Test}, {"test", Test}, {allImages, NoSplit}} {
			if e.lists[m.split] != nil {
				fmt.Fprintf(&b, "%s: %s.txt\n", m.key, cmp.Or(m.split, allImages))
			}
		}
		fmt.Fprintf(&b, "nc: %d\nnames:\n", len(e.names))
		for i, name := range e.names {
			fmt.Fprintf(&b, "  %d: %s\n", i, strconv.Quote(name))
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// close implements encoder.
func (e *yoloEncoder) close() {
	for _, p := range e.lists {
		p.discard()
	}
}
