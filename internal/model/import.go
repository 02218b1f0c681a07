package model

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/bundle"
	"fovea/internal/certificate"
)

// maxStatement is room for the statement of a bundle and its signature.
const maxStatement = certificate.MaxStatement + 4096

// maxThresholds is how many labels the passport of a model may have.
const maxThresholds = 1000

// An ImportSpec says which bundle becomes a model, and where.
type ImportSpec struct {
	Project fovea.ProjectKey
	Name    string // "" for the next number (LV-2.63)
	Output  fovea.ObjectRef
	Bundle  []byte
	Trusted []ed25519.PublicKey
}

// versionName is what names of models may be (CL-2.120).
var versionName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,255}$`)

// Import makes a model of a bundle, which is trained as if it had been trained
// here, and copies the files about its training to the output. A bundle that is
// damaged, of another service, signed with a key that is not trusted or for
// another backbone is Invalid, and leaves nothing behind.
func (o *Ops) Import(ctx context.Context, spec ImportSpec) (*View, error) {
	if err := spec.check(); err != nil {
		return nil, err
	}
	b, err := bundle.Open(spec.Bundle, spec.Trusted...)
	if err != nil {
		return nil, fovea.Errorf(fovea.Invalid, "The bundle is not taken: %w.", err)
	}
	p, err := passportOf(b, spec.Project.Service)
	if err != nil {
		return nil, err
	}
	v, err := o.reserve(ctx, &spec)
	if err != nil {
		return nil, err
	}
	if err := p.fill(ctx, v.Model, &spec); err != nil {
		return nil, err
	}
	v.Model.Weights = weightsName(v.Model.ID, sha256.Sum256(b.Files[bundleWeights]))
	if err := o.unpack(ctx, v, b); err != nil {
		return nil, err
	}
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		again, err := o.vacant(tx, v.Project, v.Model.Name)
		if err != nil {
			return err
		}
		v.Model.Created, v.Model.Updated = again.Model.Created, again.Model.Created // others may have been made meanwhile
		return tx.PutModel(v.Model)
	})
	if err != nil {
		return nil, err // the weights are for the sweep: a commit whose answer is lost may have made the model
	}
	return v, nil
}

func (s *ImportSpec) check() error {
	switch {
	case s.Project.Service == fovea.Lookout && s.Name != "":
		return fovea.Errorf(fovea.Invalid, "Models of Lookout for Vision have numbers. Leave out the name.")
	case s.Project.Service != fovea.Lookout && !versionName.MatchString(s.Name):
		return fovea.Errorf(fovea.Invalid, "The name %.40q is not 1 to 255 letters, digits, dots, hyphens and underscores.", s.Name)
	case s.Output.Bucket == "":
		return fovea.Errorf(fovea.Invalid, "There is no output: name the place in S3 where the files about the training go.")
	}
	return nil
}

// passportOf returns what the statement of a bundle says. What it says is signed
// and may be wrong all the same.
func passportOf(b *bundle.Bundle, service fovea.Service) (*Passport, error) {
	var p Passport
	if err := json.Unmarshal(b.Statement, &p); err != nil {
		return nil, fovea.Errorf(fovea.Invalid, "The statement of the bundle cannot be read: %w.", err)
	}
	if p.Service != service {
		return nil, fovea.Errorf(fovea.Invalid, "The bundle has a model of %s, and the project is one of %s.", p.Service, service)
	}
	if _, ok := b.Files[bundleWeights]; !ok {
		return nil, fovea.Errorf(fovea.Invalid, "The bundle has no weights.")
	}
	if len(p.Thresholds) > maxThresholds || len(b.Files[bundleReport]) > appraisal.MaxBytes {
		return nil, fovea.Errorf(fovea.Invalid, "The bundle has %d thresholds, of at most %d, and a report of %d bytes, of at most %d.",
			len(p.Thresholds), maxThresholds, len(b.Files[bundleReport]), appraisal.MaxBytes)
	}
	for _, set := range []map[string]float64{p.Thresholds, p.SetThresholds, {"precision": p.Precision, "recall": p.Recall, "F1": p.F1}} {
		for name, v := range set {
			if !(v >= 0 && v <= 1) {
				return nil, fovea.Errorf(fovea.Invalid, "The statement of the bundle says %v of %.100s, which is not from 0 to 1.", v, name)
			}
		}
	}
	if p.Seconds < 0 {
		return nil, fovea.Errorf(fovea.Invalid, "The statement of the bundle says that the training took %d seconds.", p.Seconds)
	}
	for label := range p.SetThresholds {
		if _, ok := p.Thresholds[label]; !ok {
			return nil, fovea.Errorf(fovea.Invalid, "The statement of the bundle sets a threshold of %.100q, which the model does not have.", label)
		}
	}
	return &p, nil
}

// reserve returns a new model of the project that is not stored yet.
func (o *Ops) reserve(ctx context.Context, spec *ImportSpec) (v *View, err error) {
	err = o.Store.Update(ctx, func(tx fovea.Tx) error {
		p, err := project(tx, spec.Project, nil)
		if err == nil {
			v, err = o.vacant(tx, p, spec.Name)
		}
		return err
	})
	return v, err
}

// fill makes a new model what the passport says.
func (p *Passport) fill(ctx context.Context, m *fovea.Model, spec *ImportSpec) error {
	m.Asked = fovea.Asked{
		Output: spec.Output, Description: p.Description, AutoSplit: p.AutoSplit, Caller: fovea.CallerOf(ctx).KeyID,
	}
	m.Result = &fovea.TrainingResult{
		Ended: p.Trained, Seconds: p.Seconds, Code: p.Code, Recipe: p.Kind, Backbone: p.Backbone, Thresholds: p.Thresholds,
		Precision: p.Precision, Recall: p.Recall, F1: p.F1,
	}
	m.Progress, m.Thresholds = 1, p.SetThresholds
	if err := m.Move(fovea.Training, m.Created); err != nil {
		return err
	}
	return m.Move(fovea.Trained, m.Created)
}

// unpack stores the files of a bundle where those of a training are, and checks
// that the model can be loaded; a fault of ours on the way is no fault of the
// bundle. What it has stored when it fails is removed, in S3 as far as nothing
// was written yet.
func (o *Ops) unpack(ctx context.Context, v *View, b *bundle.Bundle) (err error) {
	m := v.Model
	defer func() {
		if err != nil {
			o.Blobs.Delete(context.WithoutCancel(ctx), m.Weights, reportName(m.Weights)) // else the sweep does
		}
	}()
	if _, err := o.Blobs.Put(ctx, m.Weights, bytes.NewReader(b.Files[bundleWeights])); err != nil {
		return fmt.Errorf("import weights: %w", err)
	}
	if o.Ready != nil {
		if err := o.Ready(ctx, m); err != nil {
			var damage *Damage
			switch kind := fovea.KindOf(err); {
			case errors.As(err, &damage):
				err = errors.New(damage.Problem) // nothing is to be restored here
			case kind == fovea.Internal || kind == fovea.Throttled:
				return err
			}
			return fovea.Errorf(fovea.Invalid, "The model of the bundle cannot be used here: %w.", err)
		}
	}
	if text, ok := b.Files[bundleReport]; ok && json.Valid(text) {
		if _, err := o.Blobs.Put(ctx, reportName(m.Weights), bytes.NewReader(text)); err != nil {
			return fmt.Errorf("import the report: %w", err)
		}
	}
	namer := o.Trainers[v.Project.Service]
	for name, file := range m.Result.Files() {
		data, ok := b.Files[name]
		if !ok {
			continue
		}
		ref := fovea.ObjectRef{Bucket: m.Asked.Output.Bucket, Key: namer.FileName(v.Project, m, name)}
		if _, err := o.Objects.Write(ctx, ref, contentType(".json"), bytes.NewReader(data), int64(len(data))); err != nil {
			if fovea.KindOf(err) != fovea.Internal {
				return fovea.Errorf(fovea.Invalid, "The output %s cannot be written: %w", ref, err)
			}
			return err
		}
		*file = ref
	}
	return nil
}
