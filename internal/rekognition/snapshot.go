package rekognition

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"fovea/internal/manifest"
	"fovea/internal/ml/head"
)

// The names of the attributes and jobs of an evaluation manifest snapshot
// (CL-9.71 to CL-9.77).
const (
	truthName     = "rekognition-custom-labels-training"
	truthJob      = "rekognition-custom-labels-training-job"
	foundName     = "rekognition-custom-labels-evaluation"
	foundJob      = "rekognition-custom-labels-evaluation-job"
	detailsName   = "rekognition-custom-labels-evaluation-details"
	objectID      = "rekognition-custom-labels-object-id"
	decimals      = 1e5 // to which confidences are rounded (CL-9.78)
	manyLabels    = 50  // beyond which labels that are not there and hardly found are left out
	hardlyAtAll   = 0.01
	snapshotDepth = 3 // channels of an image
)

// details are those of a prediction (CL-9.74, CL-9.75).
type details struct {
	Version        int      `json:"version"`
	Jobs           []string `json:"ground-truth-labelling-jobs"`
	TruePositive   bool     `json:"is-true-positive"`
	TrueNegative   bool     `json:"is-true-negative"`
	FalsePositive  bool     `json:"is-false-positive"`
	FalseNegative  bool     `json:"is-false-negative"`
	PresentInTruth bool     `json:"is-present-in-ground-truth"`
}

func detailsOf(positive, present bool) *details {
	return &details{
		Version: 1, Jobs: []string{truthJob}, PresentInTruth: present,
		TruePositive: positive && present, TrueNegative: !positive && !present,
		FalsePositive: positive && !present, FalseNegative: !positive && present,
	}
}

type imageMetadata struct {
	Confidence     float64  `json:"confidence"`
	JobName        string   `json:"job-name"`
	ClassName      string   `json:"class-name"`
	HumanAnnotated string   `json:"human-annotated"`
	CreationDate   string   `json:"creation-date"`
	Type           string   `json:"type"`
	Details        *details `json:"rekognition-custom-labels-evaluation-details,omitempty"`
}

type boxes struct {
	Annotations []annotation `json:"annotations"`
	ImageSize   []imageSize  `json:"image_size"`
}

type annotation struct {
	ClassID int `json:"class_id"`
	Left    int `json:"left"`
	Top     int `json:"top"`
	Width   int `json:"width"`
	Height  int `json:"height"`
}

type imageSize struct {
	Width  int `json:"width"`
	Height int `json:"height"`
	Depth  int `json:"depth"`
}

type boxesMetadata struct {
	Objects        []object          `json:"objects"`
	ClassMap       map[string]string `json:"class-map"`
	Type           string            `json:"type"`
	HumanAnnotated string            `json:"human-annotated"`
	CreationDate   string            `json:"creation-date"`
	JobName        string            `json:"job-name"`
	Confidence     *float64          `json:"confidence,omitempty"`
}

type object struct {
	Confidence float64  `json:"confidence"`
	Details    *details `json:"rekognition-custom-labels-evaluation-details,omitempty"`
}

// A member is a member of a line.
type member struct {
	key   string
	value any
}

// line returns the line of image i, with what was found in it if it is a test
// image.
func (e *evaluation) line(i int, s sample, list []found, test bool) []byte {
	now := time.Now().UTC().Format(evaluationTime)
	members := []member{{"source-ref", s.image.String()}}
	if e.predictor.detector != nil {
		members = append(members, e.boxMembers(s, list, test, now)...)
	} else {
		members = append(members, e.imageMembers(s, list, now)...)
	}
	return appendLine(append(members, member{objectID, i + 1}))
}

// appendLine returns members as a line, in their order.
func appendLine(members []member) []byte {
	line := []byte{'{'}
	for i, m := range members {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(manifest.AppendQuoted(line, m.key), ':')
		text, err := json.Marshal(m.value)
		if err != nil {
			panic(err) // they are ours
		}
		line = append(line, text...)
	}
	return append(line, '}', '\n')
}

func rounded(v float64) float64 { return math.Round(v*decimals) / decimals }

// imageMembers returns the labels of a whole image and what was found (CL-9.72).
func (e *evaluation) imageMembers(s sample, list []found, now string) (members []member) {
	for n, name := range s.labels {
		key := fmt.Sprintf("%s-%d", truthName, n)
		members = append(members, member{key, 1}, member{key + "-metadata", imageMetadata{
			Confidence: 1, JobName: truthJob, ClassName: name, HumanAnnotated: "yes", CreationDate: now, Type: typeImage,
		}})
	}
	n := 0
	for _, x := range list {
		name := e.predictor.Labels[x.Label]
		present := slices.Contains(s.labels, name)
		positive := float64(x.Score) >= e.predictor.Thresholds[x.Label]
		if len(e.predictor.Labels) > manyLabels && !present && !positive && x.Score < hardlyAtAll {
			continue
		}
		key := fmt.Sprintf("%s-%d", foundName, n)
		n++
		value := 0
		if positive {
			value = 1
		}
		members = append(members, member{key, value}, member{key + "-metadata", imageMetadata{
			Confidence: rounded(float64(x.Score)), JobName: foundJob, ClassName: name, HumanAnnotated: "no", CreationDate: now, Type: typeImage,
			Details: detailsOf(positive, present),
		}})
	}
	return members
}

// boxMembers returns the boxes of an image and what was found (CL-9.73).
func (e *evaluation) boxMembers(s sample, list []found, test bool, now string) []member {
	classMap := map[string]string{}
	for i, name := range e.predictor.Labels {
		classMap[strconv.Itoa(i)] = name
	}
	size := []imageSize{{s.width, s.height, snapshotDepth}}
	there := s.objects(e.predictor.Labels)
	scale := max(1, float64(max(s.width, s.height))/trainSide) // from pixels of readImage to those of the image
	truth, objects := boxes{Annotations: []annotation{}, ImageSize: size}, []object{}
	for _, o := range there {
		truth.Annotations = append(truth.Annotations, annotate(o.Class, o.Box, scale))
		objects = append(objects, object{Confidence: 1})
	}
	key := truthName + "-0"
	members := []member{{key, truth}, {key + "-metadata", boxesMetadata{
		Objects: objects, ClassMap: classMap, Type: typeBoxes, HumanAnnotated: "yes", CreationDate: now, JobName: truthJob,
	}}}
	if !test {
		return members
	}
	seen := boxes{Annotations: []annotation{}, ImageSize: size}
	objects = []object{}
	best := 0.0
	for i, hit := range head.Match(asObjects(list), there, matchIoU) {
		x := list[i]
		positive := float64(x.Score) >= e.predictor.Thresholds[x.Label]
		seen.Annotations = append(seen.Annotations, annotate(x.Label, *x.Box, scale))
		objects = append(objects, object{Confidence: rounded(float64(x.Score)), Details: detailsOf(positive, hit)})
		best = max(best, rounded(float64(x.Score)))
	}
	return append(members, member{foundName, seen}, member{foundName + "-metadata", boxesMetadata{
		Objects: objects, ClassMap: classMap, Type: typeBoxes, HumanAnnotated: "no", CreationDate: now, JobName: foundJob, Confidence: &best,
	}})
}

// annotate returns a box in whole pixels of the image.
func annotate(class int, b head.Box, scale float64) annotation {
	left, top := math.Round(b.Left*scale), math.Round(b.Top*scale)
	return annotation{class, int(left), int(top), int(math.Round((b.Left+b.Width)*scale) - left), int(math.Round((b.Top+b.Height)*scale) - top)}
}
