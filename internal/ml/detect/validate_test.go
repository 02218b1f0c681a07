package detect

import (
	"math"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/head"
)

// outcomes adds n objects of a class that were found with a score, of which
// right are there.
func outcomes(d *head.Detected, class int, score float32, n, right int) {
	for i := range n {
		d.Scores[class], d.Hits[class] = append(d.Scores[class], score), append(d.Hits[class], i < right)
	}
	d.There[class] += right
}

// TestCalibrate (vision.md §2.7): a score becomes the share of objects with it
// that are there, of a class of which enough were found, and of all together
// otherwise.
func TestCalibrate(t *testing.T) {
	all := head.NewDetected(3, foundIoU)
	outcomes(all, 0, 0.3, 100, 90)
	outcomes(all, 0, 0.1, 1000, 100)
	outcomes(all, 1, 0.3, 4, 2)
	m := newModel(nil, []string{"many", "few", "never"}, 320)
	m.calibrate(all)
	for _, tt := range []struct {
		class       int
		score, want float64
	}{{0, 0.3, 0.9}, {0, 0.1, 0.1}, {1, 0.3, 92. / 104}, {2, 0.3, 92. / 104}} {
		if got := m.Calibration[tt.class].At(tt.score); math.Abs(got-tt.want) > 0.02 {
			t.Errorf("class %d: %v becomes %.3f, want %.3f", tt.class, tt.score, got, tt.want)
		}
	}
	if cut := m.Thresholds(); cut[0] < 0.1 || cut[0] > 0.9 || cut[1] > 0.9 || cut[2] != usualThreshold {
		t.Errorf("thresholds %v", cut)
	}
}

// TestFitted: an object is what of it is within the image.
func TestFitted(t *testing.T) {
	object := func(left, top, width, height float64) head.Object {
		return head.Object{Box: head.Box{Left: left, Top: top, Width: width, Height: height}}
	}
	p := fitted(imaging.New(200, 100), []head.Object{
		object(10, 20, 30, 40),
		object(-10, -10, 30, 30),
		object(190, 90, 100, 100),
		object(200, 10, 30, 30), // beside it
		object(-50, 10, 50, 30),
	}, 7, 100)
	want := []head.Box{{Left: 5, Top: 10, Width: 15, Height: 20}, {Width: 10, Height: 10}, {Left: 95, Top: 45, Width: 5, Height: 5}}
	if p.image.W != 100 || p.image.H != 50 || p.index != 7 || len(p.objects) != len(want) {
		t.Fatalf("%dx%d, image %d, objects %v", p.image.W, p.image.H, p.index, p.objects)
	}
	for i, b := range want {
		if p.objects[i].Box != b {
			t.Errorf("object %d is at %v, want %v", i, p.objects[i].Box, b)
		}
	}
}
