package segmentation

import (
	"context"
	"sync"

	"fovea/internal/imaging"
)

// usualThreshold is that of a type that no held image shows.
const usualThreshold = 0.5

// levels is how many thresholds are told apart.
const levels = 100

// areaShares are what is tried as the least area, as shares of an image.
var areaShares = []float64{0, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005}

// keptPixels bounds the maps that are kept to choose the least area.
const keptPixels = 64 << 20

// A tally counts, for one type, pixels by their probability.
type tally struct{ there, elsewhere [levels + 1]int64 }

// A held image is what was found in an image that was not seen, and the truth.
type heldImage struct {
	found *imaging.Planes
	truth *imaging.LabelMap
}

// choose sets thresholds and least areas so that on images that were not seen
// finding and truth overlap best, and reports how well.
func (t *training) choose(ctx context.Context, m *Model, done func(int)) error {
	tallies := make([]tally, len(t.Types))
	kept := make([]*heldImage, t.set.N)
	t.report.Peaks = make([][]float32, t.set.N)
	keep, mu := t.toKeep(), sync.Mutex{}
	err := t.each(ctx, done, func(i int, p *imaging.Planes, mask *imaging.LabelMap) error {
		found := t.forests[t.fold[i]].Predict(p)
		t.report.Peaks[i] = peaksOf(found)
		if t.unseen != nil && t.fold[i] != held {
			return nil
		}
		if t.unseen != nil {
			img, _, err := t.open(ctx, i)
			if err != nil {
				return err
			}
			q, err := t.unseen.Predict(img)
			if err != nil {
				return err
			}
			found = mean(found, q)
		}
		if mask == nil {
			mask = &imaging.LabelMap{W: found.W, H: found.H, Pix: make([]uint8, found.W*found.H)}
		}
		mu.Lock()
		defer mu.Unlock()
		t.report.Held++
		for k := range tallies {
			tallies[k].add(found.Plane(k), mask.Pix, uint8(k+1))
		}
		if keep[i] {
			kept[i] = &heldImage{found, mask}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, name := range t.Types {
		threshold, iou := tallies[k].best()
		m.Types = append(m.Types, Type{Name: name, Threshold: threshold})
		t.report.Types[k].IoU = iou
	}
	return t.chooseAreas(ctx, m, kept)
}

// toKeep tells of which images the maps are kept: the first of those that are
// held, as many as find room.
func (t *training) toKeep() []bool {
	keep := make([]bool, t.set.N)
	room := keptPixels / (len(t.Types) * t.side * t.side)
	for i, fold := range t.fold {
		if (t.unseen == nil || fold == held) && room > 0 {
			keep[i] = true
			room--
		}
	}
	return keep
}

// add counts the pixels of an image.
func (t *tally) add(found []float32, truth []uint8, label uint8) {
	for i, p := range found {
		level := min(levels, max(0, int(p*levels)))
		if truth[i] == label {
			t.there[level]++
		} else {
			t.elsewhere[level]++
		}
	}
}

// best returns the threshold with the best overlap: the middle of those that
// have it.
func (t *tally) best() (threshold float32, iou float64) {
	all := int64(0)
	for _, n := range t.there {
		all += n
	}
	if all == 0 {
		return usualThreshold, 0
	}
	first, last := 0, 0
	found, wrong := int64(0), int64(0)
	for level := levels; level > 0; level-- {
		found += t.there[level]
		wrong += t.elsewhere[level]
		switch v := float64(found) / float64(all+wrong); {
		case v > iou:
			first, last, iou = level, level, v
		case v == iou && level == first-1:
			first = level
		}
	}
	if iou == 0 {
		return usualThreshold, 0
	}
	return float32(first+last) / (2 * levels), iou
}

// chooseAreas sets the least area of each type.
func (t *training) chooseAreas(ctx context.Context, m *Model, kept []*heldImage) error {
	if t.unseen == nil && !t.Fast {
		return nil // the network was not tried on unseen images
	}
	shared, either := make([][]int64, len(m.Types)), make([][]int64, len(m.Types))
	for k := range m.Types {
		shared[k], either[k] = make([]int64, len(areaShares)), make([]int64, len(areaShares))
	}
	for _, h := range kept {
		if h == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		labels := m.label(h.found, h.found.W, h.found.H)
		for k := range m.Types {
			overlap(labels, h.truth, uint8(k+1), shared[k], either[k])
		}
	}
	for k := range m.Types {
		best := 0.0
		for a, share := range areaShares {
			if either[k][a] == 0 {
				continue
			}
			if iou := float64(shared[k][a]) / float64(either[k][a]); iou > best {
				best, m.Types[k].Area = iou, share
			}
		}
		if best > 0 {
			t.report.Types[k].IoU = best
		}
	}
	return nil
}

// overlap adds, for each least area, the pixels that finding and truth share
// and those that either has.
func overlap(labels, truth *imaging.LabelMap, label uint8, shared, either []int64) {
	there := int64(0)
	for _, l := range truth.Pix {
		if l == label {
			there++
		}
	}
	for a := range areaShares {
		either[a] += there
	}
	areas(labels, label, func(area []int32) {
		hits := int64(0)
		for _, i := range area {
			if truth.Pix[i] == label {
				hits++
			}
		}
		for a, share := range areaShares {
			if float64(len(area)) >= share*float64(len(labels.Pix)) {
				shared[a] += hits
				either[a] += int64(len(area)) - hits
			}
		}
	})
}
