package transfer

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fovea"
	"fovea/internal/exchange"
	"fovea/internal/manifest"
)

// dateForm is the form of the dates of entries (CL-5.40).
const dateForm = "2006-01-02T15:04:05.000Z"

// A liner writes the lines of a manifest.
type liner struct {
	service fovea.Service
	bucket  string
	date    string
}

func newLiner(service fovea.Service, bucket string, date time.Time) *liner {
	return &liner{service, bucket, date.UTC().Format(dateForm)}
}

// A subject is an image that has its place in S3.
type subject struct {
	*exchange.Image
	key           string
	mask          string // key of the mask, empty for none
	width, height int    // in pixels, where boxes need them
}

// append appends the line of an image, with its line end.
func (l *liner) append(b []byte, s *subject) []byte {
	b = append(b, `{"source-ref":`...)
	b = l.ref(b, s.key)
	if l.service == fovea.Lookout {
		b = l.lookout(b, s)
	} else {
		b = l.customLabels(b, s)
	}
	return append(b, "}\n"...)
}

// ref appends the S3 URI of a key.
func (l *liner) ref(b []byte, key string) []byte {
	return manifest.AppendQuoted(b, "s3://"+l.bucket+"/"+key)
}

// customLabels appends what Custom Labels is told of an image: a pair of members
// for every label of the whole image (CL-5.20), or the boxes (CL 5.4).
func (l *liner) customLabels(b []byte, s *subject) []byte {
	switch s.Kind {
	case exchange.Classification:
		for i, label := range s.Labels {
			b = l.class(b, attribute(label, i), label, 1)
		}
	case exchange.Normal:
		b = l.class(b, normal, normal, 1)
	case exchange.Anomalous:
		b = l.class(b, anomaly, anomaly, 1)
	case exchange.Detection:
		b = l.boxes(b, s)
	}
	return b
}

// attribute returns the name of the attribute for a label: the label, as AWS
// names it (CL-5.20), unless that means something else in a line.
func attribute(label string, i int) string {
	switch {
	case strings.HasSuffix(label, "-metadata"), strings.HasSuffix(label, "-ref"), strings.HasPrefix(label, "cl-"), // CL-5.13
		strings.HasPrefix(label, standIn), slices.Contains([]string{"", "errors", "warnings"}, label):
		return standIn + strconv.Itoa(i+1)
	}
	return label
}

// standIn begins the names of attributes that cannot be named for their label.
const standIn = "label-"

// class appends a classification (CL 5.3, LV 5.2).
func (l *liner) class(b []byte, attribute, label string, value int) []byte {
	b = append(b, ',')
	b = manifest.AppendQuoted(b, attribute)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(value), 10)
	b = append(b, ',')
	b = manifest.AppendQuoted(b, attribute+"-metadata")
	b = append(b, `:{"confidence":1,"job-name":`...)
	b = manifest.AppendQuoted(b, "labeling-job/"+attribute)
	b = append(b, `,"class-name":`...)
	b = manifest.AppendQuoted(b, label)
	b = l.human(b)
	return append(b, `,"type":"groundtruth/image-classification"}`...)
}

// human appends who labelled, and when.
func (l *liner) human(b []byte) []byte {
	b = append(b, `,"human-annotated":"yes","creation-date":"`...)
	b = append(b, l.date...)
	return append(b, '"')
}

// boxes appends the boxes of an image (CL 5.4), whose class map holds the labels
// of this image only (CL-5.32).
func (l *liner) boxes(b []byte, s *subject) []byte {
	ids := map[string]int{}
	for _, box := range s.Boxes {
		ids[box.Label] = 0
	}
	names := slices.Sorted(maps.Keys(ids))
	for i, name := range names {
		ids[name] = i
	}
	b = append(b, `,"BB":{"image_size":[{"width":`...)
	b = strconv.AppendInt(b, int64(s.width), 10)
	b = append(b, `,"height":`...)
	b = strconv.AppendInt(b, int64(s.height), 10)
	b = append(b, `,"depth":`...)
	depth := s.Depth
	if depth <= 0 {
		depth = 3
	}
	b = strconv.AppendInt(b, int64(depth), 10)
	b = append(b, `}],"annotations":[`...)
	for i, box := range s.Boxes {
		if i > 0 {
			b = append(b, ',')
		}
		for _, m := range []struct {
			name  string
			value int
		}{{`{"class_id":`, ids[box.Label]}, {`,"left":`, box.Left}, {`,"top":`, box.Top}, {`,"width":`, box.Width}, {`,"height":`, box.Height}} {
			b = append(b, m.name...)
			b = strconv.AppendInt(b, int64(m.value), 10)
		}
		b = append(b, '}')
	}
	b = append(b, `]},"BB-metadata":{"objects":[`...)
	for i := range s.Boxes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"confidence":1}`...)
	}
	b = append(b, `],"class-map":{`...)
	for i, name := range names {
		b = member(b, i, strconv.Itoa(i))
		b = manifest.AppendQuoted(b, name)
	}
	b = append(b, `},"type":"groundtruth/object-detection"`...)
	b = l.human(b)
	return append(b, `,"job-name":"labeling-job/BB"}`...)
}

// member appends the key of a member, the i-th of its object.
func member(b []byte, i int, key string) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	b = manifest.AppendQuoted(b, key)
	return append(b, ':')
}

// The classes of Lookout, and the attributes that AWS's console names (LV 5.2).
const (
	normal  = "normal"
	anomaly = "anomaly"

	classAttribute = "anomaly-label"
	maskAttribute  = "anomaly-mask-ref"
)

// lookout appends what Lookout is told of an image.
func (l *liner) lookout(b []byte, s *subject) []byte {
	switch class, _ := lookoutClass(s.Image); class {
	case normal:
		b = l.class(b, classAttribute, normal, 0)
	case anomaly:
		b = l.class(b, classAttribute, anomaly, 1)
		if s.mask != "" {
			b = l.mask(b, s)
		}
	}
	return b
}

// mask appends where the mask is and what its colours mean. The background is
// white, as AWS documents it (LV-5.23); what is transparent is background, too
// (LV-5.44).
func (l *liner) mask(b []byte, s *subject) []byte {
	b = append(b, `,"`+maskAttribute+`":`...)
	b = l.ref(b, s.mask)
	b = append(b, `,"`+maskAttribute+`-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0}`...)
	for i, color := range colorsOf(s.Mask) {
		b = member(b, i+1, strconv.Itoa(i+1))
		b = append(b, `{"class-name":`...)
		b = manifest.AppendQuoted(b, s.Mask.Labels[color])
		b = append(b, `,"hex-color":`...)
		b = manifest.AppendQuoted(b, color)
		b = append(b, `,"confidence":0}`...)
	}
	b = append(b, `},"type":"groundtruth/semantic-segmentation"`...)
	b = l.human(b)
	return append(b, `,"job-name":"labeling-job/`+maskAttribute+`"}`...)
}

// colorsOf returns the colours of a mask in the order of their labels.
func colorsOf(m *exchange.Mask) []string {
	return slices.SortedFunc(maps.Keys(m.Labels), func(a, b string) int {
		if c := strings.Compare(m.Labels[a], m.Labels[b]); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
}

// lookoutClass returns the class of an image for Lookout, "" for an unlabelled
// one; lost says that it has annotations that Lookout knows nothing of.
func lookoutClass(img *exchange.Image) (class string, lost bool) {
	switch img.Kind {
	case exchange.Normal:
		return normal, false
	case exchange.Anomalous:
		return anomaly, false
	case exchange.Classification:
		if len(img.Labels) == 1 {
			switch strings.ToLower(img.Labels[0]) {
			case normal:
				return normal, false
			case anomaly:
				return anomaly, false
			}
		}
		return "", true
	case exchange.Detection:
		return "", true
	}
	return "", false
}
