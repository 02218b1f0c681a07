package model

import (
	"context"
	"fmt"
	"slices"
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

// mayNeedNone reports whether a training may do without the backbone that it was
// asked for with: a detector learns with a network of its own. That boxes are
// among the data makes it possible, and manifests do of which nobody knows yet
// what is in them; only the training itself, which reads all of it, knows.
func (o *Ops) mayNeedNone(ctx context.Context, m *fovea.Model) (may bool, err error) {
	if len(m.Asked.TrainManifests)+len(m.Asked.TestManifests) > 0 {
		return true, nil
	}
	err = o.Store.View(ctx, func(tx fovea.Tx) error {
		may = false
		for _, key := range []fovea.RevisionKey{m.Train, m.Test} {
			if key.Number == 0 {
				continue
			}
			rev, err := tx.RevisionStats(key.Dataset, key.Number)
			if err != nil {
				return ignoreNotFound(err)
			}
			may = may || slices.ContainsFunc(rev.Labels, func(l fovea.LabelCount) bool { return l.Boxed > 0 })
		}
		return nil
	})
	return may, err
}

// noteEvery is how often it is noted that a training still waits for a backbone.
const noteEvery = time.Minute

// awaitBackbone leaves a training to other nodes and says what it waits for.
// Where for as long as a training may take no node announces the backbone the
// training fails for that reason.
func (o *Ops) awaitBackbone(ctx context.Context, m *fovea.Model, lack error) error {
	name, hash, _ := strings.Cut(m.Asked.Backbone, " ")
	stage := fmt.Sprintf("waiting for a server with the backbone %s (SHA-256 %s): start one with --backbone and that file", name, hash)
	every := min(noteEvery, o.longest()/10)
	if m.Stage != stage || o.now().Sub(m.Waiting.Seen).Abs() >= every {
		failed, err := o.noteWaiting(ctx, m.ID, stage, every)
		if err != nil {
			return fmt.Errorf("train model %d: %v", m.ID, err)
		}
		if failed {
			return nil
		}
	}
	if m.Stage != stage && o.Log != nil {
		o.Log.Warn("a training waits for a node that has its backbone", "model", m.ID, "backbone", name, "sha256", hash)
	}
	return fmt.Errorf("train model %d: %w: %v", m.ID, fovea.ErrElsewhere, lack)
}

// noteWaiting notes that a training waits, or fails it after too long.
func (o *Ops) noteWaiting(ctx context.Context, id fovea.ModelID, stage string, every time.Duration) (failed bool, err error) {
	var service fovea.Service
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		failed = false
		m, err := tx.Model(id)
		if err != nil || m.Status != fovea.Training {
			return ignoreNotFound(err)
		}
		p, err := tx.Project(m.Project)
		if err != nil {
			return err
		}
		service = p.Service
		seen, err := o.backboneSeen(tx, m)
		if err != nil {
			return err
		}
		if seen {
			m.Waiting = fovea.Wait{}
		}
		now := o.now()
		m.Waiting.Miss(now, every)
		m.Began, m.Progress, m.Stage = time.Time{}, 0, stage
		if failed = now.Sub(m.Waiting.Since) > o.longest(); failed {
			name, hash, _ := strings.Cut(m.Asked.Backbone, " ")
			message := fmt.Sprintf("No server with the backbone %s (SHA-256 %s) was there to train it for %v.", name, hash, o.longest())
			if err := m.Fail(message, true, now); err != nil {
				return err
			}
		}
		return tx.PutModel(m)
	})
	if err == nil && failed {
		o.observe(service, WasGivenUp)
	}
	return failed, err
}

// seenFor is how long a node counts as there after it has announced its
// backbones: long enough for one that is restarted, and for clocks that differ.
const seenFor = 10 * time.Minute

// Announce notes that a node is there that has the backbones of these hashes.
// Trainings that wait for one of them go on waiting then, however long it is busy
// with others. It is called about once a minute.
func (o *Ops) Announce(ctx context.Context, hashes []string) error {
	if len(hashes) == 0 {
		return nil
	}
	return o.Store.Update(ctx, func(tx fovea.Tx) error {
		for _, hash := range hashes {
			if err := tx.PutSetting(lastSeen(hash), o.now().Format(time.RFC3339)); err != nil {
				return err
			}
		}
		return nil
	})
}

// backboneSeen reports whether a node has announced the backbone of a training.
func (o *Ops) backboneSeen(tx fovea.Tx, m *fovea.Model) (bool, error) {
	_, hash, _ := strings.Cut(m.Asked.Backbone, " ")
	text, err := tx.Setting(lastSeen(hash))
	if err != nil {
		return false, ignoreNotFound(err)
	}
	seen, err := time.Parse(time.RFC3339, text)
	return err == nil && o.now().Sub(seen).Abs() < seenFor, nil
}

// lastSeen names the setting that has when a node with a backbone was there.
func lastSeen(hash string) string { return "backbones/" + hash + "/seen" }
