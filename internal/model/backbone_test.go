package model_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/model"
)

// backbones are those of a node.
type backbones struct {
	asked string // for Custom Labels
	has   []string
}

func (b backbones) Asked(s fovea.Service) string {
	if s == fovea.CustomLabels {
		return b.asked
	}
	return ""
}

func (b backbones) Has(asked string) error {
	for _, one := range b.has {
		if asked == one {
			return nil
		}
	}
	return fovea.Errorf(fovea.NotReady, "it is not here")
}

// TestBackbonePinned: what a model is trained with is decided by the call, and a
// node that lacks it leaves the training to others, whatever it would use itself.
func TestBackbonePinned(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"), line("b", "anomaly"))
	w.Backbones = backbones{"big 11ff", []string{"big 11ff"}}
	m := w.create(t, "v1")
	if m.Asked.Backbone != "big 11ff" {
		t.Fatalf("asked for %q", m.Asked.Backbone)
	}
	for _, lacking := range []model.Backbones{nil, backbones{"other 22aa", []string{"other 22aa"}}} {
		w.Backbones = lacking
		err := w.RunTrain(context.Background(), fovea.TrainJob{Model: m.ID})
		if !errors.Is(err, fovea.ErrElsewhere) {
			t.Fatalf("without the backbone: %v", err)
		}
		waiting := w.get(t, m.ID)
		if waiting.Status != fovea.Training || !strings.Contains(waiting.Stage, "big (SHA-256 11ff)") || w.trainer.runs != 0 {
			t.Errorf("it is %s, %q", waiting.Status, waiting.Stage)
		}
		if text := model.Training(waiting, w.now()); !strings.Contains(text, "It is waiting for a server with the backbone big") {
			t.Errorf("people are told %q", text)
		}
	}
	w.Backbones = backbones{"other 22aa", []string{"other 22aa", "big 11ff"}}
	if m = w.run(t, m); m.Status != fovea.Trained || m.Stage != "" || w.trainer.runs != 1 {
		t.Errorf("with the backbone it is %s, %q", m.Status, m.Stage)
	}
}

// TestBackboneNeverThere: nothing waits for ever.
func TestBackboneNeverThere(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"), line("b", "anomaly"))
	w.Backbones = backbones{asked: "big 11ff"}
	m := w.create(t, "v1")
	w.pass(24*time.Hour + time.Second)
	if m = w.run(t, m); m.Status != fovea.TrainFailed || !strings.Contains(m.Message, "big (SHA-256 11ff)") || m.Result == nil || m.Result.Ended.IsZero() {
		t.Errorf("it is %s, %q, %+v", m.Status, m.Message, m.Result)
	}
	w.Backbones = nil
	if m = w.create(t, "v2"); m.Asked.Backbone != "" {
		t.Errorf("asked for %q", m.Asked.Backbone)
	}
	if m = w.run(t, m); m.Status != fovea.Trained {
		t.Errorf("it is %s, %q", m.Status, m.Message)
	}
}
