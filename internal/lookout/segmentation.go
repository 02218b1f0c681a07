package lookout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
	"fovea/internal/ml/segmentation"
	"fovea/internal/model"
)

// The least images that have one kind of anomaly and no other (LV-6.9).
const (
	minLabelSingle = 20 // in the one dataset of a project
	minLabelSplit  = 10 // in each of two
)

// segmentLabels returns the kinds of anomalies that masks of anomalous images
// show, in the order in which the colour maps have them (LV-6.2).
func segmentLabels(train []example) (labels []areaLabel) {
	seen := map[string]bool{}
	for _, e := range train {
		if e.mask == nil {
			continue
		}
		for _, c := range e.mask.colors {
			if !seen[c.name] && len(labels) < segmentation.MaxTypes {
				seen[c.name] = true
				labels = append(labels, areaLabel{Name: c.name, Color: c.hex, RGB: c.rgb})
			}
		}
	}
	return labels
}

// trainSegmenter trains what finds the areas of anomalies: on the masks, and on
// normal images as images without any. Anomalous images without a mask are left
// out (LV-6.24). It returns for each image how sure what has not seen it is of
// each kind of anomaly, which helps a classifier.
func (p *predictor) trainSegmenter(ctx context.Context, run *model.Run, images *model.Images, train []example, labels []areaLabel) (peaks [][]float32, err error) {
	var usable []example
	var at []int // of train
	for i, e := range train {
		if e.class == manifest.Normal || e.mask != nil {
			usable, at = append(usable, e), append(at, i)
		}
	}
	p.Labels = labels
	set := &segmentation.Set{
		N: len(usable),
		Image: func(ctx context.Context, i int) (*imaging.Image, error) {
			return images.Decode(ctx, usable[i].image, imaging.Decoding{Stored: true})
		},
		Mask: func(ctx context.Context, i int) (*imaging.LabelMap, error) {
			if usable[i].mask == nil {
				return nil, nil
			}
			return readMask(ctx, images, usable[i], p.names())
		},
	}
	var report *segmentation.Report
	p.segmenter, report, err = segmentation.Train(ctx, set, segmentation.Options{
		Types: p.names(), Seed: run.Seed, Workers: run.Cores,
		Progress: func(done float64, stage string) { run.Progress(ctx, shareRead+shareSegment*done, stage) },
	})
	if err != nil {
		return nil, err
	}
	for i := range p.Labels {
		p.Labels[i].Threshold = p.segmenter.Types[i].Threshold
	}
	peaks = make([][]float32, len(train))
	for k, i := range at {
		peaks[i] = report.Peaks[k]
	}
	return peaks, p.seeOthers(ctx, images, train, peaks)
}

// seeOthers adds the peaks of the images that the segmenter was not trained on.
func (p *predictor) seeOthers(ctx context.Context, images *model.Images, train []example, peaks [][]float32) error {
	for i, e := range train {
		if peaks[i] != nil {
			continue
		}
		img, err := images.Decode(ctx, e.image, imaging.Decoding{Stored: true})
		if err != nil {
			return err
		}
		found, err := p.segmenter.Predict(img)
		if err != nil {
			return err
		}
		peaks[i] = found.Peaks
	}
	return nil
}

// readMask returns the mask of an example, whose label k+1 is names[k].
func readMask(ctx context.Context, images *model.Images, e example, names []string) (*imaging.LabelMap, error) {
	data, err := images.Bytes(ctx, e.mask.image)
	if err != nil {
		return nil, err
	}
	colors := make([]imaging.MapColor, len(e.mask.colors))
	to := make([]uint8, len(colors)+1)
	for i, c := range e.mask.colors {
		colors[i].Color = c.rgb
		for k, name := range names {
			if name == c.name {
				to[i+1] = uint8(k + 1)
			}
		}
	}
	m, err := imaging.DecodeMask(ctx, bytes.NewReader(data), colors)
	if err != nil {
		return nil, err
	}
	for i, l := range m.Pix {
		m.Pix[i] = to[l]
	}
	return m, nil
}

// maxUnmatched is the share of the pixels of a mask, its inverse, that may have
// a colour that is in no entry of its map: resampling leaves some.
const maxUnmatched = 100

// checkMasks looks at every mask, and reports the first that cannot be used
// (LV-6.22, LV-6.23), or a kind of anomaly that too few images show (LV-6.9): of
// both datasets together where a part of one tests.
func checkMasks(ctx context.Context, run *model.Run, images *model.Images, train, test []example, labels []areaLabel) error {
	least := minLabelSplit
	parts := []struct {
		name string
		list []example
	}{{"training", train}, {"test", test}}
	if !run.Has(fovea.Test) {
		least = minLabelSingle
		parts = parts[:1]
		parts[0].list = slices.Concat(train, test)
	}
	for _, part := range parts {
		alone := map[string]int{} // images that show the label and no other
		for _, e := range part.list {
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.mask == nil {
				continue
			}
			found, err := checkMask(ctx, images, e)
			if err != nil {
				return err
			}
			if len(found) == 1 {
				alone[found[0]]++
			}
		}
		for _, l := range labels {
			if n := alone[l.Name]; run.Limits.Minima && n < least {
				return &model.Failure{Message: fmt.Sprintf("The anomaly label %s is on %d %s images that have no other; at least %d are needed.", l.Name, n, part.name, least)}
			}
		}
	}
	return nil
}

// checkMask returns the names of the labels that a mask shows.
func checkMask(ctx context.Context, images *model.Images, e example) (found []string, err error) {
	data, err := images.Bytes(ctx, e.mask.image)
	if err != nil {
		if fovea.KindOf(err) != fovea.Internal {
			err = &model.Failure{Message: fmt.Sprintf("The mask image %s can't be read.", e.mask.image)}
		}
		return nil, err
	}
	colors := make([]imaging.MapColor, len(e.mask.colors))
	for i, c := range e.mask.colors {
		colors[i].Color = c.rgb
	}
	m, err := imaging.ReadMask(ctx, bytes.NewReader(data), colors)
	var unusable *imaging.Error
	switch {
	case errors.As(err, &unusable):
		return nil, &model.Failure{Message: fmt.Sprintf("Mask images must be in PNG format: %s. %s", e.mask.image, unusable.Text)}
	case err != nil:
		return nil, err
	case m.Unmatched*maxUnmatched > m.Pixels:
		return nil, &model.Failure{Message: fmt.Sprintf("The colors in a mask image don't match the hex-color values in the manifest: %s.", e.mask.image)}
	case m.Width != e.size[0] || m.Height != e.size[1]:
		return nil, &model.Failure{Message: fmt.Sprintf("A mask image must have the dimensions of its image: %s has %d x %d pixels, %s has %d x %d.",
			e.mask.image, m.Width, m.Height, e.image, e.size[0], e.size[1])}
	}
	for i, n := range m.Labels {
		if n > 0 {
			found = append(found, e.mask.colors[i].name)
		}
	}
	return found, nil
}
