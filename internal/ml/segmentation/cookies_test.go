package segmentation_test

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/segmentation"
)

// open returns an image file of the cookies.
func open(ctx context.Context, name string) (*imaging.Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return imaging.Decode(ctx, f, info.Size(), imaging.Decoding{Stored: true})
}

// cookies returns a set of the training photographs of cookies, of which 10 with
// a mask and 10 normal ones are to train and the others to test.
func cookies(t testing.TB, seed uint64) (train, test *segmentation.Set) {
	t.Helper()
	dir := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../../../shared/data"), "cookies/dataset-files")
	var sets [2][]string
	for _, kind := range []string{"normal", "anomaly"} {
		files, err := filepath.Glob(filepath.Join(dir, "training-images", kind+"-*.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Skipf("no photographs in %s: set FOVEA_TEST_DATA", dir)
		}
		for n, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(files)) {
			sets[min(1, n/10)] = append(sets[min(1, n/10)], files[i])
		}
	}
	set := func(files []string) *segmentation.Set {
		return &segmentation.Set{
			N:     len(files),
			Image: func(ctx context.Context, i int) (*imaging.Image, error) { return open(ctx, files[i]) },
			Mask: func(ctx context.Context, i int) (*imaging.LabelMap, error) {
				if strings.Contains(files[i], "normal") {
					return nil, nil
				}
				name := strings.TrimSuffix(filepath.Base(files[i]), ".jpg") + ".png"
				f, err := os.Open(filepath.Join(dir, "mask-images", name))
				if err != nil {
					return nil, err
				}
				defer f.Close()
				return imaging.DecodeMask(ctx, f, []imaging.MapColor{{Color: 0x23a436}})
			},
		}
	}
	return set(sets[0]), set(sets[1])
}

// iou returns the overlap of what a model finds with the truth, over every
// third image of a set.
func iou(t testing.TB, m *segmentation.Model, s *segmentation.Set) float64 {
	t.Helper()
	both, either := 0, 0
	for i := 0; i < s.N; i += 3 {
		img, err := s.Image(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		mask, err := s.Mask(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Predict(img)
		if err != nil {
			t.Fatal(err)
		}
		for k, l := range r.Labels.Pix {
			found, there := l == 1, mask != nil && mask.Pix[k] == 1
			if found && there {
				both++
			}
			if found || there {
				either++
			}
		}
	}
	return float64(both) / float64(either)
}

// TestCookies trains a forest alone on fewer images than make bench-vision, which
// measures it beside the network: seconds for an IoU that colours alone, 0.09,
// do not come near.
func TestCookies(t *testing.T) {
	train, test := cookies(t, 1)
	m, report, err := segmentation.Train(t.Context(), train, segmentation.Options{Types: []string{"cracked"}, Workers: 2, Fast: true})
	if err != nil {
		t.Fatal(err)
	}
	got := iou(t, m, test)
	t.Logf("IoU %.3f, out of fold %.3f, threshold %.2f, area %v", got, report.Types[0].IoU, m.Types[0].Threshold, m.Types[0].Area)
	if got < 0.42 {
		t.Errorf("IoU %.3f, want 0.42", got)
	}
}
