package lookout

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
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

// openExamples looks at the header of every image, and returns those that can be
// used. Images of different sizes fail the training (LV-6.21).
func openExamples(ctx context.Context, run *model.Run, images *model.Images, list []example, progress func(done float64)) ([]example, error) {
	usable := list[:0]
	for i, e := range list {
		info, _, err := images.Probe(ctx, e.image)
		var unusable *imaging.Error
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.As(err, &unusable), err != nil && fovea.KindOf(err) != fovea.Internal:
			continue // LV-6.51: only those that can be used are counted
		case err != nil:
			return nil, err
		}
		e.size = [2]int{info.Width, info.Height}
		if l := run.Limits.Image; l.MinSide > 0 && min(info.Width, info.Height) < l.MinSide || l.MaxSide > 0 && max(info.Width, info.Height) > l.MaxSide {
			continue
		}
		usable = append(usable, e)
		progress(float64(i+1) / float64(len(list)))
	}
	return usable, nil
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
