// Package appraisal says what a trained model is worth, and why: how each of
// its labels trades precision for recall, what it takes for what, and which
// images it finds hard or believes to be labelled wrong.
//
// The evaluation files that AWS's services write tell of one threshold a label;
// a report tells of all. It is bounded whatever was trained: curves are thinned,
// and of images only the worst are named.
package appraisal

import "fovea/internal/ml/head"

// Form is the form of a report, and its version.
const Form = "fovea.model-report/1"

// Bounds of a report.
const (
	MaxBytes  = 16 << 20 // of its JSON
	MaxImages = 100      // in each list
	MaxPoints = 100      // of a curve
	maxBoxes  = 20       // of an image
	maxNamed  = 20       // labels of an image
	maxMatrix = 250      // labels of a confusion matrix
)

// A Report is what a training found out about a model and its images.
type Report struct {
	Form        string `json:"report"`
	Kind        string `json:"kind"` // such as "image classification"
	TrainImages int    `json:"train_images"`
	TestImages  int    `json:"test_images"`
	Folds       int    `json:"folds,omitempty"` // of the predictions out of fold; 0 if there are none

	// NormalOnly says that there were too few anomalies to learn from.
	NormalOnly bool `json:"normal_only,omitempty"`

	Test    *Evaluation `json:"test"`                  // on the test images
	Trained *Evaluation `json:"out_of_fold,omitempty"` // on the training images, by models that had not seen them
	Areas   []Area      `json:"areas,omitempty"`       // of models that know masks, on the test images

	// Hardest are the test images that the model is most wrong about, Doubtful
	// the training images whose label it would not have given: candidates for
	// errors in labelling. The worst first.
	Hardest  []Image `json:"hardest_test_images"`
	Doubtful []Image `json:"doubtful_train_images"`
}

// An Evaluation compares scores with the truth.
type Evaluation struct {
	Labels []Label `json:"labels"`

	// Confusion has how many images, or boxes, of the label of the row were taken
	// for that of the column, in the order of Labels. A detector's has one more
	// row and column, for what is not there and what was not found. It is
	// missing from models of more than 250 labels.
	Confusion [][]int `json:"confusion,omitempty"`
}

// A Label says how well a label is found. A detector's counts are of boxes and
// not of images.
type Label struct {
	Name             string  `json:"name"`
	Count            int     `json:"count"` // images, or boxes, that have it
	Threshold        float64 `json:"threshold"`
	TruePositives    int     `json:"true_positives"`
	FalsePositives   int     `json:"false_positives"`
	FalseNegatives   int     `json:"false_negatives"`
	Precision        float64 `json:"precision"`
	Recall           float64 `json:"recall"`
	F1               float64 `json:"f1"`
	AveragePrecision float64 `json:"average_precision"`
	AUROC            float64 `json:"auroc,omitempty"` // not of boxes
	Curve            []Point `json:"curve"`           // the highest threshold first
}

// A Point is what a label would be worth with another threshold.
type Point struct {
	Threshold float64 `json:"threshold"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
}

// An Area says how well the pixels of a kind of anomaly are found.
type Area struct {
	Name      string  `json:"name"`
	Threshold float64 `json:"threshold"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	IoU       float64 `json:"iou"` // mean over images
}

// An Image is an image that a model is wrong or unsure about.
type Image struct {
	SourceRef string   `json:"source_ref"`
	Label     string   `json:"label"`               // that it has, or that the model thinks it has
	Has       bool     `json:"has"`                 // it has it
	Score     float64  `json:"score"`               // of the label
	Suggested string   `json:"suggested,omitempty"` // the label that the model would give instead
	By        float64  `json:"by"`                  // how far the score is on the wrong side; negative on the right one; of a detector, how wrong its boxes are, on average
	Boxes     []Wrong  `json:"boxes,omitempty"`     // of detectors, the worst first
	Labels    []string `json:"labels,omitempty"`    // all that it has
}

// A Wrong is a box that was found and is not there, or is there and was not
// found, in pixels of the image.
type Wrong struct {
	Label  string  `json:"label"`
	Error  string  `json:"error"` // "spurious" or "missed"
	Score  float64 `json:"score"` // of what was found; of a missed one what covers it best
	IoU    float64 `json:"iou"`   // with what comes closest to it
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
}

// labelOf returns what counts and a curve say of a label.
func labelOf(name string, count int, threshold float64, c head.Counts, curve []head.Point) Label {
	return Label{
		Name: name, Count: count, Threshold: threshold,
		TruePositives: c.TruePositives, FalsePositives: c.FalsePositives, FalseNegatives: c.FalseNegatives,
		Precision: c.Precision(), Recall: c.Recall(), F1: c.F1(), Curve: thin(curve),
	}
}

// thin returns the points of a curve, or MaxPoints of them, evenly spaced with
// both ends.
func thin(curve []head.Point) []Point {
	n := min(len(curve), MaxPoints)
	points := make([]Point, n)
	for i := range points {
		k := i
		if len(curve) > n {
			k = i * (len(curve) - 1) / (n - 1)
		}
		p := curve[k]
		points[i] = Point{p.Threshold, p.Precision(), p.Recall()}
	}
	return points
}
