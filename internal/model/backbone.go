package model

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"fovea"
)

// Backbones are the networks that a node has for models to look through. A
// backbone is named by its name and its SHA-256, with a blank between; "" is the
// one that comes with the program.
type Backbones interface {
	// Asked returns which one new models of a service are to be trained with.
	Asked(fovea.Service) string

	// Has reports NotReady where the node lacks one.
	Has(asked string) error
}

func (o *Ops) backboneFor(service fovea.Service) string {
	if o.Backbones == nil {
		return ""
	}
	return o.Backbones.Asked(service)
}

// lacksBackbone reports NotReady where this node does not have the backbone that
// a model is to be trained with. The one that it was asked for with is taken and
// no other: it is the call that decides, and not which node happens to do the
// work.
func (o *Ops) lacksBackbone(m *fovea.Model) error {
	switch {
	case m.Asked.Backbone == "":
		return nil
	case o.Backbones == nil:
		return fovea.Errorf(fovea.NotReady, "This server has no backbones.")
	}
	return o.Backbones.Has(m.Asked.Backbone)
}

// awaitBackbone leaves a training to other nodes and says what it waits for, for
// as long as a training may take; then it fails for that reason.
func (o *Ops) awaitBackbone(ctx context.Context, m *fovea.Model, lack error) error {
	name, hash, _ := strings.Cut(m.Asked.Backbone, " ")
	allowed := cmp.Or(o.Longest, longest)
	if o.now().Sub(m.Created) > allowed {
		err := o.settle(ctx, m.ID, fovea.Training, func(m *fovea.Model) error {
			m.Result = &fovea.TrainingResult{Ended: o.now()}
			return m.Fail(fmt.Sprintf("No server with the backbone %s (SHA-256 %s) was there to train it for %v.", name, hash, allowed), true, o.now())
		}, nil)
		if err != nil {
			return fmt.Errorf("train model %d: %v", m.ID, err)
		}
		return nil
	}
	stage := fmt.Sprintf("waiting for a server with the backbone %s (SHA-256 %s): start one with --backbone and that file", name, hash)
	if m.Stage != stage {
		err := o.settle(ctx, m.ID, fovea.Training, func(m *fovea.Model) error {
			m.Began, m.Progress, m.Stage = time.Time{}, 0, stage
			return nil
		}, nil)
		if err != nil {
			return fmt.Errorf("train model %d: %v", m.ID, err)
		}
	}
	return fmt.Errorf("train model %d: %w: %v", m.ID, fovea.ErrElsewhere, lack)
}
