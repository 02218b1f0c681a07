package model

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fovea"
)

// A Threshold is from which score on a label of a model is assumed.
type Threshold struct {
	Label  string
	Chosen float64  // by the training
	Set    *float64 // in its place; nil if nobody has
}

// Thresholds returns those of a model by the names of its labels. One that is
// not trained, or was trained by a version of fovea that noted none, is
// NotReady.
func Thresholds(m *fovea.Model) ([]Threshold, error) {
	if m.Weights == "" || m.Result == nil || len(m.Result.Thresholds) == 0 {
		return nil, fovea.Errorf(fovea.NotReady, "The model %s is %s and has no thresholds.", m.Name, m.Status)
	}
	list := make([]Threshold, 0, len(m.Result.Thresholds))
	for _, label := range slices.Sorted(maps.Keys(m.Result.Thresholds)) {
		t := Threshold{Label: label, Chosen: m.Result.Thresholds[label]}
		if v, ok := m.Thresholds[label]; ok {
			t.Set = &v
		}
		list = append(list, t)
	}
	return list, nil
}

// SetThresholds changes from which scores on labels are assumed: those that
// change names, to the value that it has, or where that is nil to what the
// training chose; all others stay. Calls that begin afterwards go by it, on all
// nodes. It is allowed whatever is done with the model. A label that the model
// does not have, or a value that is not from 0 to 1, is Invalid.
func (o *Ops) SetThresholds(ctx context.Context, ref Ref, change map[string]*float64) (*View, error) {
	return o.change(ctx, ref, func(tx fovea.Tx, v *View) error {
		set, err := changed(v.Model, change)
		if err != nil {
			return err
		}
		v.Model.Thresholds = set
		return tx.PutModel(v.Model)
	})
}

// ResetThresholds takes all thresholds back to what the training chose.
func (o *Ops) ResetThresholds(ctx context.Context, ref Ref) (*View, error) {
	return o.change(ctx, ref, func(tx fovea.Tx, v *View) error {
		v.Model.Thresholds = nil
		return tx.PutModel(v.Model)
	})
}

// changed returns the thresholds that are set after a change.
func changed(m *fovea.Model, change map[string]*float64) (map[string]float64, error) {
	if _, err := Thresholds(m); err != nil {
		return nil, err
	}
	set := maps.Clone(m.Thresholds)
	if set == nil {
		set = map[string]float64{}
	}
	for label, value := range change {
		if _, ok := m.Result.Thresholds[label]; !ok {
			return nil, fovea.Errorf(fovea.Invalid, "The model %s has no label %.100q. It has %s.", m.Name, label, someLabels(m.Result.Thresholds))
		}
		if value == nil {
			delete(set, label)
			continue
		}
		if !(*value >= 0 && *value <= 1) {
			return nil, fovea.Errorf(fovea.Invalid, "The threshold of %s, %v, is not from 0 to 1.", label, *value)
		}
		set[label] = *value
	}
	if len(set) == 0 {
		return nil, nil
	}
	return set, nil
}

// someLabels lists labels for a message, not all where there are many.
func someLabels(thresholds map[string]float64) string {
	const most = 20
	names := slices.Sorted(maps.Keys(thresholds))
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}
