package exchange

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// A cocoEncoder writes images where their names say, and for each split a
// file annotations/instances_train.json. Its lists are kept in files until
// they are complete.
type cocoEncoder struct {
	w      *writer
	splits map[Split]*cocoLists
	images int
}

// cocoLists are the lists of one file.
type cocoLists struct {
	images, annotations *part
	counts              [2]int // elements of each
	categories          []string
	ids                 map[string]int
}

func newCOCOEncoder(w *writer) *cocoEncoder {
	return &cocoEncoder{w: w, splits: map[Split]*cocoLists{}}
}

// place implements encoder.
func (e *cocoEncoder) place(img *Image) (string, error) {
	if err := onlyBoxes(COCO, img); err != nil {
		return "", err
	}
	return img.Name, nil
}

// cocoName returns the path of the annotations of a split.
func cocoName(s Split) string {
	return fmt.Sprintf("annotations/instances_%s.json", cmp.Or(s, allImages))
}

// lists returns the lists of a split.
func (e *cocoEncoder) lists(s Split) (*cocoLists, error) {
	if l := e.splits[s]; l != nil {
		return l, nil
	}
	l := &cocoLists{ids: map[string]int{}}
	e.splits[s] = l
	var err error
	if l.images, err = e.w.out.part(cocoName(s)); err != nil {
		return nil, &fatal{err}
	}
	if l.annotations, err = e.w.out.part(cocoName(s)); err != nil {
		return nil, &fatal{err}
	}
	return l, nil
}

// add implements encoder. An image of which nothing is known is in no list,
// as one in it without annotations has no objects.
func (e *cocoEncoder) add(img *Image, to string) error {
	if img.Kind == Unlabeled {
		return nil
	}
	l, err := e.lists(img.Split)
	if err != nil {
		return err
	}
	e.images++
	err = element(l.images, &l.counts[0], map[string]any{
		"id": e.images, "file_name": to, "width": img.Width, "height": img.Height,
	})
	for _, b := range img.Boxes {
		if err != nil {
			break
		}
		err = element(l.annotations, &l.counts[1], map[string]any{
			"id": l.counts[1] + 1, "image_id": e.images, "category_id": l.category(b.Label),
			"bbox": []int{b.Left, b.Top, b.Width, b.Height}, "area": b.Width * b.Height,
			"iscrowd": 0, "segmentation": []int{},
		})
	}
	return err
}

// category returns the number of a label.
func (l *cocoLists) category(label string) int {
	id, ok := l.ids[label]
	if !ok {
		l.categories = append(l.categories, label)
		id = len(l.categories)
		l.ids[label] = id
	}
	return id
}

// element adds an element to a list.
func element(p *part, count *int, v any) error {
	if *count > 0 {
		p.w.WriteString(",\n")
	}
	*count++
	text, err := json.Marshal(v)
	if err == nil {
		_, err = p.w.Write(text)
	}
	if err != nil {
		return &fatal{err}
	}
	return nil
}

// finish implements encoder.
func (e *cocoEncoder) finish() error {
	for _, s := range []Split{NoSplit, Train, Test} {
		l := e.splits[s]
		if l == nil {
			continue
		}
		if err := e.w.out.write(cocoName(s), l.writeTo); err != nil {
			return err
		}
	}
	return nil
}

// writeTo writes the file.
func (l *cocoLists) writeTo(w io.Writer) error {
	categories := make([]map[string]any, 0, len(l.categories))
	for i, name := range l.categories {
		categories = append(categories, map[string]any{"id": i + 1, "name": name, "supercategory": ""})
	}
	text, err := json.Marshal(categories)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "{\"info\":{\"description\":\"written by fovea\"},\n\"categories\":%s,\n\"images\":[\n", text)
	if err := l.images.copyTo(w); err != nil {
		return err
	}
	io.WriteString(w, "],\n\"annotations\":[\n")
	if err := l.annotations.copyTo(w); err != nil {
		return err
	}
	_, err = io.WriteString(w, "]}\n")
	return err
}

// copyTo copies what was written to a part.
func (p *part) copyTo(w io.Writer) error {
	if err := p.w.Flush(); err != nil {
		return err
	}
	f, err := p.o.root.OpenFile(p.name, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// close implements encoder.
func (e *cocoEncoder) close() {
	for _, l := range e.splits {
		l.images.discard()
		l.annotations.discard()
	}
}
