package lookout

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
)

// evaluationTime is the form of times in evaluation files (LV-6.46).
const evaluationTime = "2006-01-02T15:04:05.000000"

// metrics are those of an evaluation result, in the order of LV-6.49.
type metrics struct {
	ROCAUC           float64
	AveragePrecision float64
	Precision        float64
	Recall           float64
	F1Score          float64

	// PixelAnomalyClassMetrics is left out for models without masks (LV-6.52).
	PixelAnomalyClassMetrics []pixelMetrics `json:",omitempty"`
}

// pixelMetrics tell how well the areas of a kind of anomaly are found
// (LV-6.35, LV-6.38).
type pixelMetrics struct {
	Precision float64
	Recall    float64
	F1Score   float64
	AIOU      float64
	ClassName string

	shared, found, there int64   // pixels
	overlap              float64 // sum of the IoU of images
	images               int     // that have the anomaly or where it was found
}

// summary returns the evaluation result (LV 6.7).
func (e *evaluation) summary(auroc, ap float64, tested int) any {
	type details struct {
		ModelArn               string
		EvaluationEndTimestamp string
		NumberOfTrainingImages int
		NumberOfTestingImages  int
	}
	type aggregated struct{ Metrics metrics }
	var classes []pixelMetrics // of the labels that test images have (LV-6.35, LV-6.53)
	for i := range e.classes {
		c := &e.classes[i]
		c.finish()
		if c.there > 0 {
			classes = append(classes, *c)
		}
	}
	r := e.result
	return struct {
		Version                     int
		EvaluationDetails           details
		AggregatedEvaluationResults aggregated
	}{
		1,
		details{e.arn(), time.Now().UTC().Format(evaluationTime), e.trained, tested},
		aggregated{metrics{auroc, ap, r.Precision, r.Recall, r.F1, classes}},
	}
}

func (e *evaluation) arn() string {
	return modelARNText(e.trainer.Partition, e.run.Project, e.run.Model)
}

// comparePixels counts what the segmenter found in an image that has a mask, or
// that is normal.
func (e *evaluation) comparePixels(ctx context.Context, x example, p prediction) error {
	if p.labels == nil || x.class == manifest.Anomaly && x.mask == nil {
		return nil
	}
	if e.classes == nil {
		for _, l := range e.predictor.Labels {
			e.classes = append(e.classes, pixelMetrics{ClassName: l.Name})
		}
	}
	truth := &imaging.LabelMap{}
	if x.mask != nil {
		var err error
		if truth, err = readMask(ctx, e.images, x, e.predictor.names()); err != nil {
			return err
		}
	}
	for k := range e.classes {
		e.classes[k].compare(truth.Pix, p.labels.Pix, uint8(k+1))
	}
	return nil
}

// compare counts the pixels of a label. No truth is an image without anomalies.
func (m *pixelMetrics) compare(truth, found []uint8, label uint8) {
	var shared, there, seen int64
	for i, f := range found {
		is := len(truth) > 0 && truth[i] == label
		switch {
		case is && f == label:
			shared++
			there++
			seen++
		case is:
			there++
		case f == label:
			seen++
		}
	}
	m.shared, m.there, m.found = m.shared+shared, m.there+there, m.found+seen
	if union := there + seen - shared; union > 0 {
		m.overlap += float64(shared) / float64(union)
		m.images++
	}
}

func (m *pixelMetrics) finish() {
	m.Precision, m.Recall = share(m.shared, m.found), share(m.shared, m.there)
	if m.Precision+m.Recall > 0 {
		m.F1Score = 2 * m.Precision * m.Recall / (m.Precision + m.Recall)
	}
	if m.images > 0 {
		m.AIOU = m.overlap / float64(m.images)
	}
}

// share returns n/of, 0 of nothing (LV-6.37).
func share(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// line appends the line of an image to the evaluation manifest (LV 6.6).
func (e *evaluation) line(ctx context.Context, out *bytes.Buffer, x example, p prediction) error {
	now := time.Now().UTC().Format(evaluationTime)
	truth, detected := classWord(x.class == manifest.Anomaly), classWord(p.anomalous)
	line := evaluatedLine{
		SourceRef: x.image.String(), SourceMetadata: created{now},
		Label: number(x.class == manifest.Anomaly),
		LabelMetadata: labelMetadata{
			ClassName: truth, Type: typeLabel, HumanAnnotated: "yes", CreationDate: now, JobName: "labeling-job/anomaly-detection",
		},
		Detected: number(p.anomalous),
		DetectedMetadata: labelMetadata{
			ClassName: detected, Confidence: &p.confidence, Type: typeLabel, HumanAnnotated: "no", CreationDate: now,
			JobName: trainingJob, ModelArn: e.arn(), ProjectName: e.run.Project.Name, ModelVersion: e.run.Model.Name,
		},
	}
	if p.labels != nil {
		if err := e.maskLine(ctx, &line, x, p, now); err != nil {
			return err
		}
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	out.Write(append(text, '\n'))
	return nil
}

const trainingJob = "training-job/anomaly-detection"

// An evaluatedLine is a line of an evaluation manifest.
type evaluatedLine struct {
	SourceRef        string        `json:"source-ref"`
	SourceMetadata   created       `json:"source-ref-metadata"`
	Label            int           `json:"anomaly-label"`
	LabelMetadata    labelMetadata `json:"anomaly-label-metadata"`
	Detected         int           `json:"anomaly-label-detected"`
	DetectedMetadata labelMetadata `json:"anomaly-label-detected-metadata"`

	// Of models that know masks (LV-6.47).
	Mask                 string        `json:"anomaly-mask-ref,omitempty"`
	MaskMetadata         *maskMetadata `json:"anomaly-mask-ref-metadata,omitempty"`
	DetectedMask         string        `json:"anomaly-mask-ref-detected,omitempty"`
	DetectedMaskMetadata *maskMetadata `json:"anomaly-mask-ref-detected-metadata,omitempty"`
}

type created struct {
	CreationDate string `json:"creation-date"`
}

type labelMetadata struct {
	ClassName      string   `json:"class-name"`
	Confidence     *float32 `json:"confidence,omitempty"`
	Type           string   `json:"type"`
	HumanAnnotated string   `json:"human-annotated"`
	CreationDate   string   `json:"creation-date"`
	JobName        string   `json:"job-name"`
	ModelArn       string   `json:"model-arn,omitempty"`
	ProjectName    string   `json:"project-name,omitempty"`
	ModelVersion   string   `json:"model-version,omitempty"`
}

type maskMetadata struct {
	Colors         map[string]mapEntry `json:"internal-color-map"`
	Type           string              `json:"type"`
	HumanAnnotated string              `json:"human-annotated"`
	CreationDate   string              `json:"creation-date"`
	JobName        string              `json:"job-name"`
}

type mapEntry struct {
	ClassName string   `json:"class-name"`
	HexColor  string   `json:"hex-color"`
	Area      *float32 `json:"total-percentage-area,omitempty"`
}

func classWord(anomalous bool) string {
	if anomalous {
		return "anomaly"
	}
	return "normal"
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// maskRef returns where the mask that was found in a test image is written
// (LV-6.47): beside the evaluation manifest.
func (e *evaluation) maskRef(i int) string {
	m := e.run.Model
	return m.Asked.Output.Key + "EvaluationMasks-" + e.run.Project.Name + "-" + m.Name + "/" + fovea.FormatID(int64(i)) + ".png"
}

// maskLine adds what a segmenter found to the line of a test image, and writes
// the mask (LV-6.47).
func (e *evaluation) maskLine(ctx context.Context, line *evaluatedLine, x example, p prediction, now string) error {
	mask, err := e.predictor.maskPNG(p.labels)
	if err != nil {
		return err
	}
	ref, err := e.run.WriteObject(ctx, e.maskRef(e.masks), "image/png", bytes.NewReader(mask), int64(len(mask)))
	if err != nil {
		return err
	}
	e.masks++
	colors := map[string]mapEntry{}
	for i, area := range e.predictor.areas(p.labels) {
		entry := mapEntry{ClassName: "background", HexColor: "#FFFFFF", Area: &area}
		if i > 0 {
			entry.ClassName, entry.HexColor = e.predictor.Labels[i-1].Name, e.predictor.Labels[i-1].Color
		}
		colors[fmt.Sprint(i)] = entry
	}
	line.DetectedMask = ref.String()
	line.DetectedMaskMetadata = &maskMetadata{Colors: colors, Type: typeMask, HumanAnnotated: "no", CreationDate: now, JobName: trainingJob}
	if x.mask == nil {
		return nil
	}
	colors = map[string]mapEntry{"0": {ClassName: "BACKGROUND", HexColor: "#ffffff"}}
	for i, c := range x.mask.colors {
		colors[fmt.Sprint(i+1)] = mapEntry{ClassName: c.name, HexColor: c.hex}
	}
	line.Mask = x.mask.image.String()
	line.MaskMetadata = &maskMetadata{Colors: colors, Type: typeMask, HumanAnnotated: "yes", CreationDate: now, JobName: "labeling-job/anomaly-detection"}
	return nil
}
