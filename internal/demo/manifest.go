package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// An imageSize is the size of an image with boxes (CL 5.4).
type imageSize struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	Depth  int `json:"depth"`
}

// An annotation is a box of a manifest line (CL 5.4).
type annotation struct {
	ClassID int `json:"class_id"`
	Left    int `json:"left"`
	Top     int `json:"top"`
	Width   int `json:"width"`
	Height  int `json:"height"`
}

// An object is what the metadata says of a box.
type object struct {
	Confidence float64 `json:"confidence"`
}

// A plateLine is a line of a manifest for Custom Labels (CL 5.4).
type plateLine struct {
	SourceRef string `json:"source-ref"`
	Parts     struct {
		ImageSize   []imageSize  `json:"image_size"`
		Annotations []annotation `json:"annotations"`
	} `json:"parts"`
	Metadata struct {
		Objects        []object          `json:"objects"`
		ClassMap       map[string]string `json:"class-map"`
		Type           string            `json:"type"`
		HumanAnnotated string            `json:"human-annotated"`
		CreationDate   string            `json:"creation-date"`
		JobName        string            `json:"job-name"`
	} `json:"parts-metadata"`
}

// A labelMetadata says what class an image has (LV 5.2).
type labelMetadata struct {
	Confidence     float64 `json:"confidence"`
	JobName        string  `json:"job-name"`
	ClassName      string  `json:"class-name"`
	HumanAnnotated string  `json:"human-annotated"`
	CreationDate   string  `json:"creation-date"`
	Type           string  `json:"type"`
}

// A maskColor is an entry of a colour map (LV 5.2).
type maskColor struct {
	ClassName  string  `json:"class-name"`
	HexColor   string  `json:"hex-color"`
	Confidence float64 `json:"confidence"`
}

// A maskMetadata says what the colours of a mask mean (LV 5.2).
type maskMetadata struct {
	ColorMap       map[string]maskColor `json:"internal-color-map"`
	Type           string               `json:"type"`
	HumanAnnotated string               `json:"human-annotated"`
	CreationDate   string               `json:"creation-date"`
	JobName        string               `json:"job-name"`
}

// A lookoutLine is a line of a manifest for Lookout (LV 5.2).
type lookoutLine struct {
	SourceRef    string        `json:"source-ref"`
	Label        int           `json:"anomaly-label"`
	Metadata     labelMetadata `json:"anomaly-label-metadata"`
	MaskRef      string        `json:"anomaly-mask-ref,omitempty"`
	MaskMetadata *maskMetadata `json:"anomaly-mask-ref-metadata,omitempty"`
}

// Where the manifests are in their buckets.
const (
	trainKey  = "train.manifest"
	testKey   = "test.manifest"
	brokenKey = "bad.manifest"
)

// manifests returns the manifests of all datasets, of which two have lines that
// are broken on purpose.
func (s *story) manifests(now time.Time) []file {
	date := now.UTC().Format("2006-01-02T15:04:05.000Z")
	train, test := plateLines(s.plates, date), []plateLine(nil)
	train, test = train[:inTraining], train[inTraining:]
	flanges := lookoutLines(flangeBucket, s.flanges, date)
	half := len(flanges) / 2
	lids := lookoutLines(lidBucket, s.lids[:lidsTrain+lidsTest], date)
	return []file{
		manifestFile(plateBucket, trainKey, breakPlates(train)),
		manifestFile(plateBucket, testKey, encode(test)),
		manifestFile(flangeBucket, trainKey, encode(flanges[:half])),
		manifestFile(flangeBucket, testKey, encode(flanges[half:])),
		manifestFile(flangeBucket, brokenKey, breakFlanges(flanges[:half])),
		manifestFile(lidBucket, trainKey, encode(lids[:lidsTrain])),
		manifestFile(lidBucket, testKey, encode(lids[lidsTrain:])),
	}
}

func manifestFile(bucket, key string, lines [][]byte) file {
	return file{bucket, key, "application/jsonlines", append(bytes.Join(lines, []byte("\n")), '\n')}
}

// encode returns lines as JSON.
func encode[L any](lines []L) [][]byte {
	out := make([][]byte, len(lines))
	for i, l := range lines {
		b, err := json.Marshal(l)
		if err != nil {
			panic(err) // structs of strings and numbers are always JSON
		}
		out[i] = b
	}
	return out
}

// classIDs are the labels of plates.
var classIDs = []string{"bolt", "hole", "scratch"}

func plateLines(parts []*part, date string) []plateLine {
	lines := make([]plateLine, len(parts))
	for i, p := range parts {
		l := &lines[i]
		l.SourceRef = "s3://" + plateBucket + "/" + imageKey(p.name)
		l.Parts.ImageSize = []imageSize{{frameWidth, frameHeight, 3}}
		l.Metadata.ClassMap = make(map[string]string)
		for id, name := range classIDs {
			l.Metadata.ClassMap[fmt.Sprint(id)] = name
			for _, b := range p.boxes {
				if b.label == name {
					l.Parts.Annotations = append(l.Parts.Annotations,
						annotation{id, b.area.Min.X, b.area.Min.Y, b.area.Dx(), b.area.Dy()})
					l.Metadata.Objects = append(l.Metadata.Objects, object{1})
				}
			}
		}
		l.Metadata.Type, l.Metadata.HumanAnnotated = "groundtruth/object-detection", "yes"
		l.Metadata.CreationDate, l.Metadata.JobName = date, "labeling-job/parts"
	}
	return lines
}

// lookoutLines returns the lines of a manifest for Lookout, with masks if parts
// have them.
func lookoutLines(bucket string, parts []*part, date string) []lookoutLine {
	lines := make([]lookoutLine, len(parts))
	for i, p := range parts {
		lines[i] = lookoutLine{
			SourceRef: "s3://" + bucket + "/" + imageKey(p.name),
			Metadata: labelMetadata{
				Confidence: 1, JobName: "labeling-job/anomaly-label", ClassName: "normal",
				HumanAnnotated: "yes", CreationDate: date, Type: "groundtruth/image-classification",
			},
		}
		if p.defect != "" {
			lines[i].Label, lines[i].Metadata.ClassName = 1, "anomaly"
		}
		if p.masked {
			lines[i].MaskRef = "s3://" + bucket + "/" + maskKey(p.name)
			lines[i].MaskMetadata = &maskMetadata{
				ColorMap: colorMap(), Type: "groundtruth/semantic-segmentation",
				HumanAnnotated: "yes", CreationDate: date, JobName: "labeling-job/anomaly-mask",
			}
		}
	}
	return lines
}

// colorMap names the colours of masks.
func colorMap() map[string]maskColor {
	m := make(map[string]maskColor)
	for i, name := range append([]string{"BACKGROUND"}, defects...) {
		r, g, b, _ := maskColors[i].RGBA()
		m[fmt.Sprint(i)] = maskColor{ClassName: name, HexColor: fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)}
	}
	return m
}

// brokenPlates is how many lines breakPlates breaks.
const brokenPlates = 5

// breakPlates returns the lines with five of them broken, as happens to people:
// two stay in the dataset with an error, three are dropped, which is less than
// the fifth of the lines that may be (CL-5.67).
func breakPlates(lines []plateLine) [][]byte {
	box := &lines[7].Parts.Annotations[1]
	box.Width, box.Height = box.Left+box.Width, box.Top+box.Height // its other corner
	lines[10].Parts.Annotations[0].ClassID = 7                     // not in the class map
	lines[28].SourceRef = lines[2].SourceRef                       // a duplicate
	out := encode(lines)
	out[16] = out[16][:len(out[16])/2] // cut off
	out[22] = bytes.Replace(out[22], []byte("source-ref"), []byte("source_ref"), 1)
	return out
}

// breakFlanges returns the lines with two of them broken. Lookout accepts none
// (LV-5.89).
func breakFlanges(lines []lookoutLine) [][]byte {
	out := encode(lines)
	out[6] = bytes.Replace(out[6], []byte("anomaly-label-metadata"), []byte("anomaly-label-meta"), 1)
	out[13] = bytes.Replace(out[13], []byte(`"#2ca02c"`), []byte(`"2ca02c"`), 1)
	return out
}
