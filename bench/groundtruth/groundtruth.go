// Package groundtruth writes manifests as SageMaker Ground Truth does, of any
// size and always the same ones: line i of a manifest depends on its options
// and i alone. Benchmarks and tests share it, so a number in a table and a
// state in a test are about the same bytes.
package groundtruth

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"
)

// A Kind is a kind of labelling.
type Kind int

// The kinds.
const (
	Boxes   Kind = iota // object location, for Custom Labels
	Classes             // one label an image, for Custom Labels
	Anomaly             // normal or anomaly, for Lookout for Vision
)

// A Manifest says what to write. The zero value of a field is its default.
type Manifest struct {
	Lines   int64   // how many lines
	Kind    Kind    // what is labelled
	Bucket  string  // of the images; "factory"
	Prefix  string  // of the keys of the images; ""
	Errors  float64 // share of the lines with an error that keeps them in the dataset; Boxes only
	Dropped float64 // share of the lines that do not enter the dataset
	Seed    uint64  // another seed, other boxes
}

// labels are the class names; each camera sees three of them.
var labels = [...]string{"scratch", "dent", "crack", "burr", "stain", "missing_screw", "bent_pin", "cold_solder"}

// A Fault is what is wrong with a line on purpose.
type Fault int

// The faults. Those after Wrong keep the line in the dataset with an error of
// the code that Fault.Code returns; those after Lost drop it.
const (
	None Fault = iota

	Wrong // not itself a fault
	OffFrame
	TooSmall
	NoConfidence
	NoClassName
	BadType

	Lost // not itself a fault
	NotJSON
	NoSourceRef
	BadSourceRef
	Repeated // the source-ref of the line before
)

var codes = map[Fault]string{
	OffFrame:     "ERROR_INVALID_BOUNDING_BOX",
	TooSmall:     "ERROR_BOUNDING_BOX_TOO_SMALL",
	NoConfidence: "ERROR_MISSING_BOUNDING_BOX_CONFIDENCE",
	NoClassName:  "ERROR_MISSING_CLASS_MAP_ID",
	BadType:      "ERROR_UNSUPPORTED_USE_CASE_TYPE",
	NotJSON:      "ERROR_INVALID_JSON_LINE",
	NoSourceRef:  "ERROR_MISSING_SOURCE_REF",
	BadSourceRef: "ERROR_INVALID_SOURCE_REF_FORMAT",
}

// Code returns the error code that the fault leads to (CL-6.3), "" if none has
// a name.
func (f Fault) Code() string { return codes[f] }

// Drops reports whether the fault keeps its line out of the dataset.
func (f Fault) Drops() bool { return f > Lost }

// Fault returns what is wrong with line i.
func (m Manifest) Fault(i int64) Fault {
	r := m.random(i, 1)
	switch x := r.Float64(); {
	case x < m.Dropped && i > 0:
		f := Lost + 1 + Fault(r.IntN(int(Repeated-Lost)))
		if f == Repeated && m.Fault(i-1).Drops() {
			return NotJSON // the line before has no source-ref to repeat
		}
		return f
	case x >= m.Dropped && x < m.Dropped+m.Errors && m.Kind == Boxes:
		return Wrong + 1 + Fault(r.IntN(int(Lost-Wrong-1)))
	}
	return None
}

func (m Manifest) random(i int64, what uint64) *rand.Rand {
	return rand.New(rand.NewPCG(m.Seed<<8|what, uint64(i)))
}

// Totals counts what a service that keeps all other lines makes of the
// manifest: its entries, and those of them that have an error.
func (m Manifest) Totals() (entries, errors int64) {
	for i := range m.Lines {
		switch f := m.Fault(i); {
		case f.Drops():
		case f != None:
			entries, errors = entries+1, errors+1
		default:
			entries++
		}
	}
	return entries, errors
}

// WriteTo writes the manifest, each line with its end, and returns its size.
func (m Manifest) WriteTo(w io.Writer) (int64, error) {
	bw := bufio.NewWriterSize(w, 1<<20)
	var size int64
	var line []byte
	for i := range m.Lines {
		line = append(m.AppendLine(line[:0], i), '\n')
		n, err := bw.Write(line)
		size += int64(n)
		if err != nil {
			return size, err
		}
	}
	return size, bw.Flush()
}

// SourceRef returns the source-ref that line i has if nothing is wrong with
// it. There are 40 cameras, each with a folder a day of 1000 images.
func (m Manifest) SourceRef(i int64) string {
	bucket := m.Bucket
	if bucket == "" {
		bucket = "factory"
	}
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(i/40000%365))
	return fmt.Sprintf("s3://%s/%scam-%02d/%s/img-%08d.jpg", bucket, m.Prefix, i/1000%40, day.Format(time.DateOnly), i)
}

// AppendLine appends line i without its end.
func (m Manifest) AppendLine(b []byte, i int64) []byte {
	fault := m.Fault(i)
	ref := strconv.Quote(m.SourceRef(i))
	switch fault {
	case NotJSON:
		return append(append(b, `{"source-ref":`...), ref[:len(ref)-1]...)
	case NoSourceRef:
		return append(append(append(b, `{"source_ref":`...), ref...), '}')
	case BadSourceRef:
		return append(b, `{"source-ref":"https://example.org/a.jpg"}`...)
	case Repeated:
		ref = strconv.Quote(m.SourceRef(i - 1))
	}
	b = append(append(b, `{"source-ref":`...), ref...)
	switch m.Kind {
	case Classes:
		b = m.appendClass(b, i)
	case Anomaly:
		b = m.appendAnomaly(b, i)
	default:
		b = m.appendBoxes(b, i, fault)
	}
	return append(b, '}')
}

func (m Manifest) appendDate(b []byte, i int64) []byte {
	date := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC).Add(time.Duration(i) * 937 * time.Millisecond)
	b = append(b, `"creation-date":"`...)
	b = date.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, '"')
}

func (m Manifest) appendClass(b []byte, i int64) []byte {
	label := labels[m.random(i, 2).IntN(len(labels))]
	b = fmt.Appendf(b, `,"%s":1,"%s-metadata":{"confidence":1,"job-name":"labeling-job/%s","class-name":"%s","human-annotated":"yes",`, label, label, label, label)
	return append(m.appendDate(b, i), `,"type":"groundtruth/image-classification"}`...)
}

func (m Manifest) appendAnomaly(b []byte, i int64) []byte {
	class, value := "normal", 0
	if m.random(i, 2).IntN(5) == 0 {
		class, value = "anomaly", 1
	}
	b = fmt.Appendf(b, `,"anomaly-label":%d,"anomaly-label-metadata":{"confidence":1,"job-name":"labeling-job/anomaly-label","class-name":"%s","human-annotated":"yes",`, value, class)
	return append(m.appendDate(b, i), `,"type":"groundtruth/image-classification"}`...)
}

// appendBoxes appends one to three boxes of the three classes of the camera.
func (m Manifest) appendBoxes(b []byte, i int64, fault Fault) []byte {
	const width, height = 1920, 1080
	r := m.random(i, 2)
	n := 1 + r.IntN(3)
	b = fmt.Appendf(b, `,"BB":{"image_size":[{"width":%d,"height":%d,"depth":3}],"annotations":[`, width, height)
	for k := range n {
		w, h := 16+r.IntN(400), 16+r.IntN(300)
		left, top := r.IntN(width-w), r.IntN(height-h)
		id := r.IntN(3)
		if k == 0 {
			switch fault {
			case OffFrame:
				left = width - w/2
			case TooSmall:
				w, h = 1, 1
			case NoClassName:
				id = 7
			}
		}
		if k > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"class_id":%d,"left":%d,"top":%d,"width":%d,"height":%d}`, id, left, top, w, h)
	}
	b = append(b, `]},"BB-metadata":{"objects":[`...)
	for k := range n {
		switch {
		case k > 0:
			b = append(b, `,{"confidence":1}`...)
		case fault == NoConfidence:
			b = append(b, `{}`...)
		default:
			b = append(b, `{"confidence":1}`...)
		}
	}
	c := int(i / 1000 % 40)
	b = fmt.Appendf(b, `],"class-map":{"0":"%s","1":"%s","2":"%s"},"type":"groundtruth/`,
		labels[c%len(labels)], labels[(c+1)%len(labels)], labels[(c+3)%len(labels)])
	if fault == BadType {
		b = append(b, `segmentation",`...)
	} else {
		b = append(b, `object-detection",`...)
	}
	b = append(b, `"human-annotated":"yes",`...)
	return append(m.appendDate(b, i), `,"job-name":"labeling-job/boxes-of-line-3-shift-1"}`...)
}
