package lookout

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
	"fovea/internal/model"
)

// An example is a labelled image of a training.
type example struct {
	image fovea.ObjectRef
	class manifest.Class // Normal or Anomaly
	mask  *areas         // of an anomalous image; nil for none
	shows []string       // names of the labels that the mask has pixels of
	size  [2]int         // width and height in pixels, as stored
}

// Areas are what a line says of where the anomalies are.
type areas struct {
	image  fovea.ObjectRef
	colors []maskLabel
}

// A maskLabel is an entry of a colour map that is not the background.
type maskLabel struct {
	name string // as the map has it
	hex  string // likewise (LV-7.35)
	rgb  imaging.Color
}

// readExamples returns the labelled images of a split. Those without a class are
// left out (LV-6.13), and so are lines that cannot be read.
func readExamples(ctx context.Context, run *model.Run, split fovea.Split) ([]example, error) {
	var list []example
	checker := newChecker(run.Limits)
	var doc manifest.Doc
	var entry manifest.Entry
	err := run.Lines(ctx, split, func(number int64, line []byte, bad *manifest.LineError) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if bad == nil {
			bad = doc.Parse(line, int(run.Limits.LineChars))
		}
		entry.Reset()
		entry.Line, entry.Number = line, number
		checker.Check(&entry, &doc, bad)
		if entry.Dropped || entry.Class == manifest.NoClass {
			return nil
		}
		want := imageOf(&doc, &entry)
		e := example{image: want.Image, class: entry.Class}
		if want.Mask != nil && !want.Mask.Unused {
			e.mask = &areas{image: want.Mask.Image, colors: labelsOf(&doc)}
		}
		list = append(list, e)
		return nil
	})
	return list, err
}

// splitShare is the part of the images of a project with one dataset that tests
// its model (LV-6.19), and minTest how many of each class at least.
const (
	splitShare = 0.2
	minTest    = 5
)

// splitExamples shares out the images of the one dataset of a project, of each
// class alike, by a hash of their names: the same images test every model
// (LV-6.19).
func splitExamples(list []example) (train, test []example) {
	byClass := map[manifest.Class][]example{}
	for _, e := range list {
		byClass[e.class] = append(byClass[e.class], e)
	}
	for _, class := range []manifest.Class{manifest.Normal, manifest.Anomaly} {
		images := byClass[class]
		slices.SortFunc(images, func(a, b example) int {
			x, y := sha256.Sum256([]byte(a.image.String())), sha256.Sum256([]byte(b.image.String()))
			return cmp.Or(slices.Compare(x[:], y[:]), strings.Compare(a.image.String(), b.image.String()))
		})
		n := min(max(int(splitShare*float64(len(images))+0.5), minTest), len(images)/2)
		test, train = append(test, images[:n]...), append(train, images[n:]...)
	}
	return train, test
}

// openExamples looks at every image, and returns those that can be used: only
// they are counted (LV-6.51).
func openExamples(ctx context.Context, images *model.Images, list []example, progress func(done float64)) ([]example, error) {
	good, looked := make([]bool, len(list)), 0
	ref := func(i int) fovea.ObjectRef { return list[i].image }
	err := images.CheckAll(ctx, len(list), ref, func(i int, info imaging.Info, fault model.ImageFault) {
		good[i], list[i].size = fault == model.Usable, [2]int{info.Width, info.Height}
		looked++
		progress(float64(looked) / float64(len(list)))
	})
	var usable []example
	for i, e := range list {
		if good[i] {
			usable = append(usable, e)
		}
	}
	return usable, err
}

// sameSize reports images of different sizes, of all that are given (LV-6.21).
func sameSize(lists ...[]example) error {
	var first *example
	for _, list := range lists {
		for i := range list {
			if first == nil {
				first = &list[i]
			}
			if list[i].size != first.size {
				return &model.Failure{Message: fmt.Sprintf("Images in the dataset must have the same dimensions. %s has %d x %d pixels, %s has %d x %d.",
					first.image, first.size[0], first.size[1], list[i].image, list[i].size[0], list[i].size[1])}
			}
		}
	}
	return nil
}

// count returns how many of the images have the class.
func count(list []example, class manifest.Class) (n int) {
	for _, e := range list {
		if e.class == class {
			n++
		}
	}
	return n
}
