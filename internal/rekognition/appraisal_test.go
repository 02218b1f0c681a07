package rekognition

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/ml/head"
)

// TestAppraise: the training images of a detector are doubtful where it is sure
// of a box that nobody drew, and where it finds nothing in a box that somebody
// drew.
func TestAppraise(t *testing.T) {
	drawn := head.Box{Left: 100, Top: 50, Width: 400, Height: 200}
	var train []sample
	for i := range 4 {
		train = append(train, sample{
			image: fovea.ObjectRef{Bucket: "b", Key: fmt.Sprint(i, ".jpg")}, width: 2 * trainSide, height: trainSide,
			boxes: []target{{"nut", drawn, 2 * trainSide, trainSide}},
		})
	}
	// Boxes are found in images of half the size.
	nut := func(left, score float64) head.Object {
		return head.Object{Class: 1, Box: head.Box{Left: left, Top: 25, Width: 200, Height: 100}, Score: float32(score)}
	}
	found := [][]head.Object{
		{nut(50, 0.9)},
		{nut(50, 0.9), nut(400, 0.8)}, // one more
		{nut(50, 0.1)},                // too unsure
		nil,                           // not used
	}
	e, doubtful := appraise(found, train, []string{"bolt", "nut"}, []float64{0.5, 0.5})
	var got []string
	for _, x := range doubtful {
		w := x.Boxes[0]
		got = append(got, fmt.Sprintf("%s %s %.1f at %.0f, %.0f", x.SourceRef, w.Error, x.By, w.Left, w.Top))
	}
	want := []string{"s3://b/2.jpg missed 0.9 at 100, 50", "s3://b/1.jpg spurious 0.4 at 800, 50"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("doubtful (-want +got):\n%s", diff)
	}
	if l := e.Labels[1]; l.Count != 3 || l.TruePositives != 2 || l.FalsePositives != 1 || l.FalseNegatives != 1 {
		t.Errorf("out of fold: %+v", l)
	}
}
