package lookout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/ml/segmentation"
	"fovea/internal/model"
)

// masked returns n anomalous images whose colour map has the labels, and whose
// mask shows those of shows.
func masked(n int, labels, shows string) (list []example) {
	for range n {
		e := example{class: manifest.Anomaly, mask: &areas{}, shows: strings.Fields(shows)}
		for _, l := range strings.Fields(labels) {
			e.mask.colors = append(e.mask.colors, maskLabel{name: l, hex: "#010203"})
		}
		list = append(list, e)
	}
	return list
}

// TestSegmentLabels (LV-6.2, LV-5.48, LV-7.33): the labels are those that masks
// show, in the order of the maps, and no more than can be learnt.
func TestSegmentLabels(t *testing.T) {
	names := func(train ...[]example) string {
		labels, err := segmentLabels(slices.Concat(train...))
		if err != nil {
			return err.Error()
		}
		var list []string
		for _, l := range labels {
			list = append(list, l.Name)
		}
		return strings.Join(list, " ")
	}
	var many, tooMany string
	for i := range segmentation.MaxTypes + 1 {
		many, tooMany = tooMany, tooMany+fmt.Sprintf(" l%d", i)
	}
	for _, tt := range []struct{ name, got, want string }{
		{"no masks", names(examples(manifest.Anomaly, 3)), ""},
		{"the order of the map", names(masked(1, "b a", "a b"), masked(1, "c a", "c")), "b a c"},
		{"LV-5.48: on no mask", names(masked(1, "a b", "a"), masked(1, "a c", "")), "a"},
		{"LV-6.2: nothing on any mask", names(masked(2, "a b", "")), ""},
		{"as many as can be learnt", names(masked(1, many, many)), strings.TrimSpace(many)},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
	var failure *model.Failure
	_, err := segmentLabels(masked(1, tooMany, tooMany))
	if want := fmt.Sprintf("show %d anomaly labels", segmentation.MaxTypes+1); !errors.As(err, &failure) || !strings.Contains(err.Error(), want) {
		t.Errorf("more than can be learnt: %v", err)
	}
}

// TestEnoughMasks (LV-6.9, LV-6.12, LV-9.12, LV-9.15): how many images a label
// needs, and how many a model that finds areas may have.
func TestEnoughMasks(t *testing.T) {
	const lifted = true
	labels := []areaLabel{{Name: "a"}, {Name: "b"}}
	of := func(a, b, both int, more ...[]example) []example {
		return slices.Concat(masked(a, "a b", "a"), masked(b, "a b", "b"), masked(both, "a b", "a b"), slices.Concat(more...))
	}
	normal := func(n int) []example { return examples(manifest.Normal, n) }
	single := func(list []example) []part { return []part{{"training", list}} }
	double := func(train, test []example) []part { return []part{{"training", train}, {"test", test}} }
	for _, tt := range []struct {
		name   string
		parts  []part
		lifted bool
		says   string // "" for enough
	}{
		{"LV-6.9 one dataset", single(of(20, 20, 0)), false, ""},
		{"LV-6.9 one dataset, too few", single(of(20, 19, 9)), false, "label b is on 19 training images"},
		{"LV-6.9 two datasets", double(of(10, 10, 0), of(10, 10, 0)), false, ""},
		{"LV-6.9 two datasets, too few to train", double(of(9, 10, 5), of(10, 10, 0)), false, "label a is on 9 training images"},
		{"LV-6.9 two datasets, too few to test", double(of(10, 10, 0), of(10, 9, 5)), false, "label b is on 9 test images"},
		{"LV-6.9 lifted", double(of(1, 1, 0), of(0, 0, 1)), lifted, ""},
		{"LV-6.12 one dataset", single(of(20, 20, 0, normal(7960))), false, ""},
		{"LV-6.12 one dataset, too many", single(of(20, 20, 0, normal(7961))), false, "8001 training images"},
		{"LV-6.12 two datasets", double(of(10, 10, 0, normal(7980)), of(10, 10, 0, normal(780))), false, ""},
		{"LV-6.12 too many to train", double(of(10, 10, 0, normal(7981)), of(10, 10, 0)), false, "8001 training images"},
		{"LV-6.12 too many to test", double(of(10, 10, 0), of(10, 10, 0, normal(781))), false, "801 test images"},
		{"LV-6.12 lifted", double(of(1, 1, 0, normal(8000)), of(0, 0, 1, normal(800))), lifted, ""},
	} {
		limits := Limits()
		if tt.lifted {
			limits = limits.Lifted()
		}
		err := enoughMasks(limits, tt.parts, labels)
		var failure *model.Failure
		if tt.says == "" && err != nil || tt.says != "" && (!errors.As(err, &failure) || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
	}
}

// TestSee (LV-6.24): a mask without an anomaly teaches nothing of an anomalous
// image, and of a normal one that there is none.
func TestSee(t *testing.T) {
	for _, tt := range []struct {
		class manifest.Class
		shows []string
		mask  bool
	}{
		{manifest.Anomaly, []string{"crack"}, true},
		{manifest.Anomaly, nil, false},
		{manifest.Normal, nil, true},
	} {
		e := example{class: tt.class, mask: &areas{}}
		e.see(tt.shows)
		if (e.mask != nil) != tt.mask || !slices.Equal(e.shows, tt.shows) {
			t.Errorf("%v that shows %v: mask %v, shows %v", tt.class, tt.shows, e.mask, e.shows)
		}
	}
}

// TestPartsOf: where a share of the one dataset tests, both count together.
func TestPartsOf(t *testing.T) {
	run := &model.Run{Model: &fovea.Model{Train: fovea.RevisionKey{Dataset: 1, Number: 1}}}
	train, test := examples(manifest.Normal, 3), examples(manifest.Anomaly, 2)
	if parts := partsOf(run, train, test); len(parts) != 1 || len(parts[0].list) != 5 {
		t.Errorf("one dataset: %+v", parts)
	}
	run.Model.Test = fovea.RevisionKey{Dataset: 2, Number: 1}
	if parts := partsOf(run, train, test); len(parts) != 2 || len(parts[0].list) != 3 || len(parts[1].list) != 2 {
		t.Errorf("two datasets: %+v", parts)
	}
}
