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
	"fovea/internal/ml/unet"
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
			if !seen[c.name] && len(labels) < unet.MaxTypes {
				seen[c.name] = true
				labels = append(labels, areaLabel{Name: c.name, Color: c.hex, RGB: c.rgb})
			}
		}
	}
	return labels
}

// trainSegmenter trains what finds the areas of anomalies: on the masks, and on
// normal images as images without any. Anomalous images without a mask are left
// out (LV-6.24).
func (p *predictor) trainSegmenter(ctx context.Context, run *model.Run, images *model.Images, train []example, labels []areaLabel) error {
	var usable []example
	for _, e := range train {
		if e.class == manifest.Normal || e.mask != nil {
			usable = append(usable, e)
		}
	}
	p.Labels = labels
	progress := func(from, to float64) func(float64) {
		return func(done float64) {
			run.Progress(ctx, shareRead+shareClassify+shareSegment*(from+(to-from)*done), "areas of anomalies")
		}
	}
	var err error
	var report *unet.Report
	p.segmenter, report, err = p.fit(ctx, run, images, usable, 0, progress(0, 0.66))
	if err != nil {
		return err
	}
	return p.chooseThresholds(ctx, run, images, usable, report.Steps/2, progress(0.66, 1))
}

// fit trains a network on the images.
func (p *predictor) fit(ctx context.Context, run *model.Run, images *model.Images, list []example, steps int, progress func(float64)) (*unet.Model, *unet.Report, error) {
	set := &unet.Set{
		N: len(list),
		Image: func(ctx context.Context, i int) (*imaging.Image, error) {
			return images.Decode(ctx, list[i].image, imaging.Decoding{Stored: true})
		},
		Mask: func(ctx context.Context, i int) (*imaging.LabelMap, error) {
			if list[i].mask == nil {
				return nil, nil
			}
			return readMask(ctx, images, list[i], p.names())
		},
	}
	return unet.Train(ctx, set, unet.Options{Types: p.names(), Seed: run.Seed, Workers: run.Cores, Steps: steps, Progress: progress})
}

// heldOut is the part of the images, its inverse, on which thresholds are
// chosen.
const heldOut = 5

// thresholds are those that are tried.
var thresholds = []float32{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}

// usualThreshold is that of a label of which nothing is known.
const usualThreshold = 0.5

// chooseThresholds chooses for each label the threshold with the best overlap
// on images that a second network, which is trained for it on the others, has
// not seen.
func (p *predictor) chooseThresholds(ctx context.Context, run *model.Run, images *model.Images, list []example, steps int, progress func(float64)) error {
	for k := range p.Labels {
		p.Labels[k].Threshold = usualThreshold
	}
	var rest, held []example
	masked := 0
	for i, e := range list {
		if e.mask != nil {
			masked++
		}
		if i%heldOut == 0 {
			held = append(held, e)
		} else {
			rest = append(rest, e)
		}
	}
	if masked < 2*heldOut {
		return nil
	}
	other, _, err := p.fit(ctx, run, images, rest, steps, progress)
	if err != nil {
		return err
	}
	shared, union := make([][]int64, len(p.Labels)), make([][]int64, len(p.Labels))
	for k := range p.Labels {
		shared[k], union[k] = make([]int64, len(thresholds)), make([]int64, len(thresholds))
	}
	for _, e := range held {
		if err := p.overlap(ctx, images, other, e, shared, union); err != nil {
			return err
		}
	}
	for k := range p.Labels {
		best := 0.0
		for t, at := range thresholds {
			if iou := share(shared[k][t], union[k][t]); iou > best {
				best, p.Labels[k].Threshold = iou, at
			}
		}
	}
	return nil
}

// overlap adds to the pixels that each label's truth and the prediction share at
// each threshold, and to those that either has.
func (p *predictor) overlap(ctx context.Context, images *model.Images, net *unet.Model, e example, shared, union [][]int64) error {
	img, err := images.Decode(ctx, e.image, imaging.Decoding{Stored: true})
	if err != nil {
		return err
	}
	planes, err := net.Predict(img)
	if err != nil {
		return err
	}
	truth := &imaging.LabelMap{W: img.W, H: img.H, Pix: make([]uint8, img.W*img.H)}
	if e.mask != nil {
		if truth, err = readMask(ctx, images, e, p.names()); err != nil {
			return err
		}
	}
	truth = truth.Resize(planes.W, planes.H)
	for k := range p.Labels {
		for i, v := range planes.Plane(k) {
			is := truth.Pix[i] == uint8(k+1)
			for t, at := range thresholds {
				found := v >= at
				if is && found {
					shared[k][t]++
				}
				if is || found {
					union[k][t]++
				}
			}
		}
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
