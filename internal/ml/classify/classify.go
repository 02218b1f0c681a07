// Package classify trains and runs classifiers of whole images: normal or
// anomalous, as Lookout for Vision has it, and one or several labels, as Custom
// Labels has it. It knows neither of them, no file, no network: a Set of
// images goes in, a Model and a Report come out.
//
// The recipes are those of vision.md §2.4 and §2.6. An image is described by
// several features, classical ones and those of a network; each has a linear
// head, and the probabilities of the heads are averaged. What a model
// promises, its thresholds among them, comes from predictions for training
// images by heads that had not seen them.
//
// A training is the same for the same images, options and backbone, on any
// number of cores. Images are read one by one, and again rather than kept where
// memory would grow beyond a constant.
package classify

import (
	"context"
	"fmt"

	"fovea/internal/imaging"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// A Task is what a model decides.
type Task uint8

// The tasks.
const (
	Anomaly     Task = iota + 1 // normal (class 0) or anomalous (class 1)
	SingleLabel                 // one class of each image
	MultiLabel                  // any number of classes of each image
)

// taskNames are what the tasks are called in files.
var taskNames = map[Task]string{Anomaly: "anomaly", SingleLabel: "single label", MultiLabel: "multi-label"}

// String returns the name of the task.
func (t Task) String() string { return taskNames[t] }

// The classes of the task Anomaly.
const (
	Normal    = 0
	Anomalous = 1
)

// A Set is the images to train on.
type Set struct {
	Labels [][]int // of each image, the classes it has

	// Image returns image i, upright or as stored but always the same. It may
	// be called several times, by several goroutines at once. An error ends
	// the training.
	Image func(ctx context.Context, i int) (*imaging.Image, error)

	// Mask returns where the anomalies of an anomalous image are, of the image's
	// size: any label but 0; nil where that is not known. It helps to find small
	// ones in large images. It may be nil, and is called as Image is.
	Mask func(ctx context.Context, i int) (*imaging.LabelMap, error)

	// Given are more features of each image, equally many, that others made,
	// such as the peaks of a segmentation; they must come from what has not
	// seen the image. Predict wants them, too. Nil is none.
	Given [][]float32
}

// maxGiven is how many features can be given.
const maxGiven = 1024

// Options are how to train.
type Options struct {
	Task    Task
	Classes []string // their names; for Anomaly two, or none for the usual ones
	Seed    uint64
	Workers int // images and folds that are worked on at the same time; 0 is one

	// Backbone adds the features of a network; nil is none.
	Backbone backbone.Backbone

	// Synthetic has networks learn from synthetic anomalies where there are no
	// real ones to learn from, beside the distances to normal images: it takes
	// a minute or two instead of seconds. It is for hard textures, on which
	// distances tell little; where they tell much, as on the cookies
	// (bench/vision), it finds more and raises more false alarms than the bar
	// of vision.md §4 allows.
	Synthetic bool
	Steps     int // of each of these networks; 0 chooses

	// Quantile is which quantile of the scores of normal images is the
	// threshold where there are no anomalies to learn from; 0 is their maximum.
	Quantile float64

	// Progress is told how much is done, from 0 to 1, and what is being done. It
	// is called often and by one goroutine at a time; nil is allowed.
	Progress func(done float64, stage string)
}

// MaxImages is how many images a training uses. Of more it draws as many, each
// class in proportion.
const MaxImages = 10_000

// MinAnomalies is how many anomalous images it takes to learn from them. With
// fewer, a model only tells what is unlike the normal images.
const MinAnomalies = 5

// check reports what makes a training impossible.
func (o *Options) check(set *Set) error {
	if taskNames[o.Task] == "" {
		return fmt.Errorf("classify: there is no task %d", o.Task)
	}
	if o.Task == Anomaly && len(o.Classes) == 0 {
		o.Classes = []string{"normal", "anomaly"}
	}
	for i, f := range set.Given {
		if len(f) == 0 || len(f) > maxGiven || len(f) != len(set.Given[0]) {
			return fmt.Errorf("classify: %d features are given of image %d, and of the first %d; there can be %d", len(f), i, len(set.Given[0]), maxGiven)
		}
	}
	k := len(o.Classes)
	if o.Task == Anomaly && k != 2 || k == 0 {
		return fmt.Errorf("classify: %d classes for the task %s", k, o.Task)
	}
	count := make([]int, k)
	for i, labels := range set.Labels {
		if o.Task != MultiLabel && len(labels) != 1 {
			return fmt.Errorf("classify: image %d has %d classes, and the task %s wants one", i, len(labels), o.Task)
		}
		for _, l := range labels {
			if l < 0 || l >= k {
				return fmt.Errorf("classify: image %d has class %d of %d", i, l, k)
			}
			count[l]++
		}
	}
	switch {
	case set.Given != nil && len(set.Given) != len(set.Labels):
		return fmt.Errorf("classify: features are given of %d images, there are %d", len(set.Given), len(set.Labels))
	case len(set.Labels) < 2:
		return fmt.Errorf("classify: %d images are too few to learn from", len(set.Labels))
	case o.Task == Anomaly && count[Normal] < 2:
		return fmt.Errorf("classify: %d normal images are too few to learn from", count[Normal])
	}
	return nil
}

// targets returns what heads learn: for Anomaly one column, whether an image is
// anomalous; otherwise one for each class.
func (o *Options) targets(set *Set) *head.Targets {
	if o.Task == Anomaly {
		t := matrix.New(len(set.Labels), 1)
		for i, l := range set.Labels {
			t.Row(i)[0] = float32(l[0])
		}
		return t
	}
	t := matrix.New(len(set.Labels), len(o.Classes))
	for i, labels := range set.Labels {
		for _, l := range labels {
			t.Row(i)[l] = 1
		}
	}
	return t
}

// kind returns how the outputs of heads belong together.
func (t Task) kind() head.Kind {
	if t == SingleLabel {
		return head.OneOf
	}
	return head.EachOwn
}

// draw returns set, or if it is too large a part of it with each class in
// proportion, and the indices of the images in set.
func (o *Options) draw(set *Set) (*Set, []int) {
	n := len(set.Labels)
	index := make([]int, 0, min(n, MaxImages))
	var left []bool
	if n > MaxImages {
		left = head.Split(o.targets(set), 1-float64(MaxImages)/float64(n), o.Seed)
	}
	for i := range n {
		if left == nil || !left[i] {
			index = append(index, i)
		}
	}
	if left == nil {
		return set, index
	}
	part := &Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return set.Image(ctx, index[i]) }}
	if set.Mask != nil {
		part.Mask = func(ctx context.Context, i int) (*imaging.LabelMap, error) { return set.Mask(ctx, index[i]) }
	}
	for _, i := range index {
		part.Labels = append(part.Labels, set.Labels[i])
		if set.Given != nil {
			part.Given = append(part.Given, set.Given[i])
		}
	}
	return part, index
}
