package transfer

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/exchange"
	"fovea/internal/manifest"
)

// An entry is a line of a dataset, as far as files in other forms need it.
type entry struct {
	image  fovea.ObjectRef
	mask   fovea.ObjectRef // zero for none
	colors map[string]string

	kind                 exchange.Kind
	labels               []string
	boxes                []exchange.Box
	width, height, depth int

	// edits are where in the line the references are, with their quotation
	// marks.
	imageAt, maskAt [2]int
}

// A reader reads entries. It is used by one goroutine at a time.
type reader struct {
	service fovea.Service
	doc     manifest.Doc
}

// read reads a line, which the entry does not keep. What cannot be read is a
// fault.
func (r *reader) read(line []byte) (*entry, error) {
	if bad := r.doc.Parse(line, 0); bad != nil {
		return nil, faultf("an entry is no JSON object: %s", manifest.Excerpt(line, 80))
	}
	d, e := &r.doc, &entry{}
	at := d.Member(d.Root(), "source-ref")
	var ok bool
	if at >= 0 {
		e.image, ok = parseRef(d.Str(at, nil))
	}
	if !ok {
		return nil, faultf("an entry does not name its image: %s", manifest.Excerpt(line, 80))
	}
	e.imageAt = r.span(at)
	for key, value := range d.Members(d.Root()) {
		name := string(d.Key(key))
		meta := d.Member(d.Root(), name+"-metadata")
		if meta < 0 || d.Type(meta) != manifest.Object {
			continue
		}
		switch kind := d.Member(meta, "type"); {
		case kind < 0:
		case d.Is(kind, "groundtruth/image-classification"):
			r.class(e, meta)
		case d.Is(kind, "groundtruth/object-detection") && r.service == fovea.CustomLabels:
			r.boxes(e, value, meta)
		case d.Is(kind, "groundtruth/semantic-segmentation") && r.service == fovea.Lookout && name != "source-ref":
			r.mask(e, value, meta)
		}
	}
	e.finish(r.service)
	return e, nil
}

// parseRef takes an S3 URI apart.
func parseRef(ref []byte) (o fovea.ObjectRef, ok bool) {
	if len(ref) < 5 || !strings.EqualFold(string(ref[:5]), "s3://") {
		return o, false
	}
	o.Bucket, o.Key, ok = strings.Cut(string(ref[5:]), "/")
	return o, ok && o.Bucket != "" && o.Key != ""
}

func (r *reader) span(node int) [2]int {
	n := r.doc.Nodes[node]
	return [2]int{int(n.Start), int(n.End)}
}

// class takes the label of the whole image. For Lookout the last one counts
// (LV-5.32).
func (r *reader) class(e *entry, meta int) {
	name := r.doc.Member(meta, "class-name")
	if name < 0 {
		return
	}
	label := string(r.doc.Str(name, nil))
	if r.service == fovea.Lookout {
		e.labels = e.labels[:0]
	}
	if label != "" && !slices.Contains(e.labels, label) {
		e.labels = append(e.labels, label)
	}
}

// boxes takes the boxes of an image (CL 5.4), to the nearest pixel, which is
// what other forms have.
func (r *reader) boxes(e *entry, value, meta int) {
	d := &r.doc
	e.kind = exchange.Detection
	if size := r.size(value); size >= 0 {
		e.width, e.height, e.depth = r.whole(size, "width"), r.whole(size, "height"), r.whole(size, "depth")
	}
	classes, list := d.Member(meta, "class-map"), d.Member(value, "annotations")
	if classes < 0 || list < 0 || d.Type(list) != manifest.Array {
		return
	}
	for at := range d.Elements(list) {
		if d.Type(at) != manifest.Object {
			continue
		}
		id := d.Member(at, "class_id")
		if id < 0 {
			continue
		}
		name := d.Member(classes, strings.Trim(string(d.Raw(id)), `"`))
		if name < 0 {
			continue
		}
		e.boxes = append(e.boxes, exchange.Box{
			Label: string(d.Str(name, nil)),
			Left:  r.whole(at, "left"), Top: r.whole(at, "top"), Width: r.whole(at, "width"), Height: r.whole(at, "height"),
		})
	}
}

// size returns the node of the image's size: an array of one, or the object
// itself (CL-5.33); -1 for none.
func (r *reader) size(value int) int {
	at := r.doc.Member(value, "image_size")
	if at < 0 || r.doc.Type(at) == manifest.Object {
		return at
	}
	if r.doc.Type(at) == manifest.Array {
		for first := range r.doc.Elements(at) {
			if r.doc.Type(first) == manifest.Object {
				return first
			}
			break
		}
	}
	return -1
}

// whole returns a member that is a number, rounded; 0 if there is none, or one
// that no image has.
func (r *reader) whole(object int, name string) int {
	at := r.doc.Member(object, name)
	if at < 0 {
		return 0
	}
	f, ok := r.doc.Float(at)
	if !ok || math.Abs(f) > 1<<30 {
		return 0
	}
	return int(math.Round(f))
}

// mask takes where the mask is and what its colours mean (LV 5.2).
func (r *reader) mask(e *entry, value, meta int) {
	d := &r.doc
	ref, ok := parseRef(d.Str(value, nil))
	if !ok {
		return
	}
	e.mask, e.maskAt, e.colors = ref, r.span(value), map[string]string{}
	colors := d.Member(meta, "internal-color-map")
	if colors < 0 || d.Type(colors) != manifest.Object {
		return
	}
	for _, at := range d.Members(colors) {
		if d.Type(at) != manifest.Object {
			continue
		}
		name, hex := d.Member(at, "class-name"), d.Member(at, "hex-color")
		if name < 0 || hex < 0 {
			continue
		}
		label := string(d.Str(name, nil))
		if !strings.EqualFold(label, "BACKGROUND") {
			e.colors[strings.ToLower(string(d.Str(hex, nil)))] = label
		}
	}
}

// finish decides what kind of entry it is.
func (e *entry) finish(service fovea.Service) {
	switch {
	case service == fovea.Lookout:
		class := ""
		if len(e.labels) > 0 {
			class = strings.ToLower(e.labels[0])
		}
		switch class {
		case normal:
			e.kind = exchange.Normal
		case anomaly:
			e.kind = exchange.Anomalous
		}
		e.labels = nil
	case e.kind == exchange.Detection:
	case len(e.labels) > 0:
		e.kind = exchange.Classification
		slices.Sort(e.labels)
	}
}

// rewritten appends the line to dst with other references to the image and the
// mask.
func (e *entry) rewritten(dst, line []byte, image, mask string) []byte {
	type edit struct {
		at  [2]int
		ref string
	}
	edits := []edit{{e.imageAt, image}}
	if e.mask.Bucket != "" {
		edits = append(edits, edit{e.maskAt, mask})
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.at[0], b.at[0]) })
	from := 0
	for _, ed := range edits {
		dst = append(dst, line[from:ed.at[0]]...)
		dst = manifest.AppendQuoted(dst, ed.ref)
		from = ed.at[1]
	}
	return append(dst, line[from:]...)
}
