package model

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/bundle"
)

// A Passport is what the statement of a bundle says of its model: what it is,
// what it was made from, and by what.
type Passport struct {
	Service     fovea.Service `json:"service"`
	Project     string        `json:"project"`
	Model       string        `json:"model"`
	Description string        `json:"description,omitempty"`
	Kind        string        `json:"kind"` // of model, such as "image classification"
	Created     time.Time     `json:"created"`
	Trained     time.Time     `json:"trained"`
	Seconds     int64         `json:"seconds"`            // of training
	Code        string        `json:"code"`               // version of fovea that trained it
	Exporter    string        `json:"exporter"`           // and that wrote the bundle
	Backbone    string        `json:"backbone,omitempty"` // name and SHA-256 of the network that it looks through
	Account     string        `json:"account"`
	Region      string        `json:"region"`
	Datasets    []Origin      `json:"datasets"`
	AutoSplit   bool          `json:"auto_split"` // a part of the training data tested it
	Limits      *imageLimits  `json:"image_limits"`

	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`

	Thresholds    map[string]float64 `json:"thresholds"`               // that the training chose
	SetThresholds map[string]float64 `json:"set_thresholds,omitempty"` // in their place

	LeftOut []string `json:"left_out,omitempty"` // files of the training that were too large, or gone
}

// An Origin is what a model was trained or tested with.
type Origin struct {
	Split     fovea.Split `json:"split"`
	Dataset   string      `json:"dataset,omitempty"` // its identifier
	Revision  int64       `json:"revision,omitempty"`
	Entries   int64       `json:"entries,omitempty"` // of the revision, if it is still there
	Manifests []string    `json:"manifests,omitempty"`
}

// imageLimits are those that images were under when the model was exported.
type imageLimits struct {
	Bytes   int64 `json:"bytes"`
	MinSide int   `json:"min_side"`
	MaxSide int   `json:"max_side"`
	Aspect  int   `json:"aspect"`
}

// The files of a bundle besides those of TrainingResult.Files.
const (
	bundleWeights = "weights"
	bundleReport  = "report"
)

// maxExported is how large a file about a training may be to be in a bundle, in
// bytes: snapshots of large datasets are left out.
const maxExported = 8 << 20

// Export returns a model as a bundle that is signed with a key: its weights,
// its report, the files about its training, and where it comes from. One
// without weights is NotReady, one that is too large for a bundle Limit.
func (o *Ops) Export(ctx context.Context, ref Ref, key ed25519.PrivateKey) ([]byte, error) {
	v, err := o.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !v.Model.Usable() || v.Model.Weights == "" || v.Model.Result == nil {
		return nil, fovea.Errorf(fovea.NotReady, "The model %s is %s and cannot be exported.", v.Model.Name, v.Model.Status)
	}
	weights, err := o.ReadWeights(ctx, v.Model)
	if err != nil {
		return nil, err
	}
	if len(weights) > bundle.MaxBytes {
		return nil, fovea.Errorf(fovea.Limit, "The weights of the model %s have %d bytes; a bundle has at most %d.", v.Model.Name, len(weights), bundle.MaxBytes)
	}
	p, err := o.passport(ctx, v)
	if err != nil {
		return nil, err
	}
	files := []bundle.Content{{Name: bundleWeights, Data: weights}}
	if files, err = o.addReport(ctx, v.Model, files); err != nil {
		return nil, err
	}
	if files, err = o.addEvaluation(ctx, v.Model, files, p); err != nil {
		return nil, err
	}
	statement, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("export model %d: %w", v.Model.ID, err)
	}
	data, err := bundle.Write(key, statement, files, o.now())
	if err != nil {
		return nil, fmt.Errorf("export model %d: %w", v.Model.ID, err)
	}
	return data, nil
}

// passport returns what is known about where a model comes from.
func (o *Ops) passport(ctx context.Context, v *View) (*Passport, error) {
	m, r := v.Model, v.Model.Result
	l := o.Profiles[v.Project.Service].Limits.Image
	p := &Passport{
		Service: v.Project.Service, Project: v.Project.Name, Model: m.Name, Description: m.Asked.Description, Kind: r.Recipe,
		Created: m.Created, Trained: r.Ended, Seconds: r.Seconds, Code: r.Code, Exporter: o.Version, Backbone: r.Backbone,
		Account: v.Project.Account, Region: v.Project.Region, Datasets: []Origin{}, AutoSplit: m.Asked.AutoSplit,
		Limits:    &imageLimits{Bytes: l.Bytes, MinSide: l.MinSide, MaxSide: l.MaxSide, Aspect: l.Aspect},
		Precision: r.Precision, Recall: r.Recall, F1: r.F1, Thresholds: r.Thresholds, SetThresholds: m.Thresholds,
	}
	for _, x := range []struct {
		split     fovea.Split
		key       fovea.RevisionKey
		manifests []fovea.ObjectRef
	}{{fovea.Train, m.Train, m.Asked.TrainManifests}, {fovea.Test, m.Test, m.Asked.TestManifests}} {
		if x.key.Number == 0 && len(x.manifests) == 0 {
			continue
		}
		from := Origin{Split: x.split}
		for _, ref := range x.manifests {
			from.Manifests = append(from.Manifests, ref.String())
		}
		if x.key.Number != 0 {
			from.Dataset, from.Revision = fovea.FormatID(int64(x.key.Dataset)), x.key.Number
			err := o.Store.View(ctx, func(tx fovea.Tx) error {
				rev, err := tx.RevisionStats(x.key.Dataset, x.key.Number)
				if err == nil {
					from.Entries = rev.Stats.Entries
				}
				return ignoreNotFound(err)
			})
			if err != nil {
				return nil, err
			}
		}
		p.Datasets = append(p.Datasets, from)
	}
	return p, nil
}

// addReport adds the report to the files of a bundle, if there is one.
func (o *Ops) addReport(ctx context.Context, m *fovea.Model, files []bundle.Content) ([]bundle.Content, error) {
	blob, err := o.Report(ctx, m)
	if err != nil {
		return files, ignoreNotFound(err)
	}
	defer blob.Close()
	text, err := io.ReadAll(io.NewSectionReader(blob, 0, min(blob.Size(), appraisal.MaxBytes)))
	return append(files, bundle.Content{Name: bundleReport, Data: text}), err
}

// addEvaluation adds the files about a training, those that are there and not
// too large.
func (o *Ops) addEvaluation(ctx context.Context, m *fovea.Model, files []bundle.Content, p *Passport) ([]bundle.Content, error) {
	total := 0
	for _, f := range files {
		total += len(f.Data)
	}
	list := m.Result.Files()
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if list[name].Key == "" {
			continue
		}
		data, err := ReadObject(ctx, o.Objects, *list[name], maxExported)
		switch {
		case err != nil && fovea.KindOf(err) == fovea.Internal:
			return nil, err
		case err != nil || total+len(data) > bundle.MaxBytes-maxStatement:
			p.LeftOut = append(p.LeftOut, name)
			continue
		}
		total += len(data)
		files = append(files, bundle.Content{Name: name, Data: data})
	}
	return files, nil
}
