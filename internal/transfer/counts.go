package transfer

import (
	"maps"
	"slices"

	"fovea/internal/exchange"
)

// Counts say what a collection has.
type Counts struct {
	Images    int64 `json:"images"`
	Bytes     int64 `json:"bytes"` // of images and masks
	Unlabeled int64 `json:"unlabeled_images"`
	Boxes     int64 `json:"boxes"`
	Masks     int64 `json:"masks"`
	Train     int64 `json:"train_images"`
	Test      int64 `json:"test_images"`

	// Labels counts the images that have each label. Of more than maxLabels
	// only some are in it, and MoreLabels is set.
	Labels     map[string]int64 `json:"labels"`
	MoreLabels bool             `json:"more_labels,omitempty"`

	LeftOut  int64 `json:"left_out"` // images and annotations with something wrong
	Warnings int64 `json:"warnings"` // what was imported all the same
}

// maxLabels bounds the labels that are counted: a hundred times what a service
// takes (CL-12.6).
const maxLabels = 25_000

// add counts an image.
func (c *Counts) add(img *exchange.Image, split exchange.Split, labels []string) {
	c.Images++
	c.Bytes += img.Size
	if split == exchange.Test {
		c.Test++
	} else {
		c.Train++
	}
	switch {
	case img.Kind == exchange.Detection && len(labels) > 0:
		c.Boxes += int64(len(img.Boxes))
	case img.Kind == exchange.Detection && len(img.Boxes) == 0: // it says that there are none
	case len(labels) == 0: // nothing is known, or nothing that the service takes
		c.Unlabeled++
	}
	if img.Kind == exchange.Anomalous && img.Mask != nil {
		c.Masks++
		c.Bytes += img.Mask.Size
	}
	for _, label := range labels {
		if _, known := c.Labels[label]; !known && len(c.Labels) >= maxLabels {
			c.MoreLabels = true
			continue
		}
		if c.Labels == nil {
			c.Labels = map[string]int64{}
		}
		c.Labels[label]++
	}
}

// Of returns how many images go to a split.
func (c *Counts) Of(split exchange.Split) int64 {
	if split == exchange.Test {
		return c.Test
	}
	return c.Train
}

// labelsOf returns the labels of an image, each once: of the image, of its
// boxes, or of the colours of its mask.
func labelsOf(img *exchange.Image) []string {
	seen := map[string]bool{}
	switch img.Kind {
	case exchange.Classification:
		return img.Labels
	case exchange.Detection:
		for _, b := range img.Boxes {
			seen[b.Label] = true
		}
	case exchange.Normal:
		return []string{normal}
	case exchange.Anomalous:
		seen[anomaly] = true
		if img.Mask != nil {
			for _, label := range img.Mask.Labels {
				seen[label] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}
