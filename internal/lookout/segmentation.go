package lookout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

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
// show, in the order in which the colour maps have them (LV-6.2). A kind that is
// only in maps and on no mask is none (LV-5.48); more kinds than a model can
// learn are a failure.
func segmentLabels(train []example) (labels []areaLabel, err error) {
	seen := map[string]bool{}
	for _, e := range train {
		if e.mask == nil {
			continue
		}
		for _, c := range e.mask.colors {
			if !seen[c.name] && slices.Contains(e.shows, c.name) {
				seen[c.name] = true
				labels = append(labels, areaLabel{Name: c.name, Color: c.hex, RGB: c.rgb})
			}
		}
	}
	if n := len(labels); n > segmentation.MaxTypes {
		return nil, &model.Failure{Message: fmt.Sprintf("The masks of the training images show %d anomaly labels; a model can learn %d at most. "+
			"Merge labels, or share them out to several projects.", n, segmentation.MaxTypes)}
	}
	return labels, nil
}

// trainSegmenter trains what finds the areas of anomalies: on the masks, and on
// normal images as images without any. Others are left out. It returns for
// each image how sure what has not seen it is of each kind of anomaly, which
// helps a classifier.
func (p *predictor) trainSegmenter(ctx context.Context, run *model.Run, images *model.Images, train []example, labels []areaLabel) (peaks [][]float32, err error) {
	var usable []example
	var at []int // of train
	for i, e := range train {
		if e.showsAreas() {
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

// showsAreas tells whether the image says where anomalies are: by a mask, or by
// being normal. Other anomalous images are of no use to find areas (LV-6.24).
func (e *example) showsAreas() bool { return e.class == manifest.Normal || e.mask != nil }

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

// findLabels returns the kinds of anomalies that a model is to find the areas of,
// none for one that only classifies (LV-6.2), once every mask has been looked at
// and found to be good for it.
func findLabels(ctx context.Context, run *model.Run, images *model.Images, train, test []example) ([]areaLabel, error) {
	before, total := 0, float64(len(train)+len(test))
	for _, list := range [][]example{train, test} {
		err := readMasks(ctx, run, images, list, func(n int) {
			run.Progress(ctx, shareImages+shareMasks*float64(before+n)/total, "reading masks")
		})
		if err != nil {
			return nil, err
		}
		before += len(list)
	}
	labels, err := segmentLabels(train)
	if err != nil {
		return nil, err
	}
	if len(labels) > 0 {
		return labels, enoughMasks(run.Limits, partsOf(run, train, test), labels)
	}
	for _, list := range [][]example{train, test} {
		for i := range list {
			list[i].mask = nil // they show nothing
		}
	}
	return nil, nil
}

// readMasks looks at every mask and notes which labels it shows. It reports the
// first that cannot be used (LV-6.22, LV-6.23).
func readMasks(ctx context.Context, run *model.Run, images *model.Images, list []example, progress func(looked int)) error {
	var mu sync.Mutex
	looked := 0
	return run.Each(ctx, len(list), func(k int) error {
		if list[k].mask != nil {
			shows, err := checkMask(ctx, images, list[k])
			if err != nil {
				return err
			}
			list[k].see(shows)
		}
		mu.Lock()
		defer mu.Unlock()
		looked++
		progress(looked)
		return nil
	})
}

// see notes which labels the mask shows. Of an anomalous image without any it
// does not tell where the anomaly is, and counts as none (LV-6.24).
func (e *example) see(shows []string) {
	e.shows = shows
	if len(shows) == 0 && e.class == manifest.Anomaly {
		e.mask = nil
	}
}

// A part is a part of the data of a training, for messages.
type part struct {
	name string
	list []example
}

// partsOf returns the parts that rules on numbers count: both datasets, or the
// one of which a share tests.
func partsOf(run *model.Run, train, test []example) []part {
	if run.Has(fovea.Test) {
		return []part{{"training", train}, {"test", test}}
	}
	return []part{{"training", slices.Concat(train, test)}}
}

// enoughMasks reports a kind of anomaly that too few images show without another
// (LV-6.9), and more images than a model that finds areas is made of (LV-6.12).
func enoughMasks(limits fovea.Limits, parts []part, labels []areaLabel) error {
	least := minLabelSplit
	if len(parts) == 1 {
		least = minLabelSingle
	}
	for i, p := range parts {
		most := []int{limits.MaskTrain, limits.MaskTest}[i]
		if n := len(p.list); most > 0 && n > most {
			return &model.Failure{Message: fmt.Sprintf("There are %d %s images with a label; a model that finds areas may have %d. Remove images, or the masks.", n, p.name, most)}
		}
		alone := map[string]int{} // images that show the label and no other
		for _, e := range p.list {
			if len(e.shows) == 1 {
				alone[e.shows[0]]++
			}
		}
		for _, l := range labels {
			if n := alone[l.Name]; limits.Minima && n < least {
				return &model.Failure{Message: fmt.Sprintf("The anomaly label %s is on %d %s images that have no other; at least %d are needed.", l.Name, n, p.name, least)}
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
	slices.Sort(found)
	return slices.Compact(found), nil // two colours may be one label
}
