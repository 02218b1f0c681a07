package model

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"fovea"
)

// A Verification counts what Verify has looked at, and what is damaged.
type Verification struct {
	Models  int64 // that have weights
	Bytes   int64 // of weights and reports; those that copies share count once
	Damaged []DamagedFile
}

// A DamagedFile is a blob that is not what it should be.
type DamagedFile struct {
	Name    string
	Problem string
	Models  []string // that need it, as SERVICE/PROJECT/MODEL, in order
}

// page is how many models eachWithWeights takes out of the store at a time.
const page = 100

// Verify reads the weights of all models, compares them with their checksums,
// and the reports beside them. It may run beside a server: what is deleted
// meanwhile is no damage. In memory it holds the names of all weights and those
// of one model.
func (o *Ops) Verify(ctx context.Context) (*Verification, error) {
	v := &Verification{}
	problems := map[string][]DamagedFile{} // by name of the weights; empty for sound ones
	err := o.eachWithWeights(ctx, func(m *View) error { return o.verifyModel(ctx, m, v, problems) })
	if err != nil {
		return nil, fmt.Errorf("verify models: %w", err)
	}
	for _, list := range problems {
		for _, d := range list {
			slices.Sort(d.Models)
			v.Damaged = append(v.Damaged, d)
		}
	}
	slices.SortFunc(v.Damaged, func(a, b DamagedFile) int { return cmp.Compare(a.Name, b.Name) })
	return v, nil
}

// Files are the blobs of a model.
type Files struct {
	Weights string
	Report  string // which those of the oldest models do not have
}

// EachFiles calls fn with the blobs of every model that has weights, once for each
// copy of a model, too.
func (o *Ops) EachFiles(ctx context.Context, fn func(Files) error) error {
	return o.eachWithWeights(ctx, func(v *View) error { return fn(Files{v.Model.Weights, reportName(v.Model.Weights)}) })
}

// eachWithWeights calls fn with every model that has weights, once, whatever
// becomes of them meanwhile: of all that models have, their identifiers do not
// change.
func (o *Ops) eachWithWeights(ctx context.Context, fn func(*View) error) error {
	for after := fovea.ModelID(0); ; {
		list, err := o.viewsAfter(ctx, after)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, v := range list {
			after = v.Model.ID
			if v.Model.Weights == "" {
				continue
			}
			if err := fn(v); err != nil {
				return err
			}
		}
	}
}

// viewsAfter returns the next models in order of their identifiers.
func (o *Ops) viewsAfter(ctx context.Context, after fovea.ModelID) (list []*View, err error) {
	err = o.Store.View(ctx, func(tx fovea.Tx) error {
		models, err := tx.ModelsAfter(after, page)
		list = nil
		for _, m := range models {
			p, err := tx.Project(m.Project)
			if err != nil {
				return err
			}
			list = append(list, &View{p, m})
		}
		return err
	})
	return list, err
}

// verifyModel notes what is wrong with the files of a model.
func (o *Ops) verifyModel(ctx context.Context, v *View, done *Verification, problems map[string][]DamagedFile) error {
	m := v.Model
	done.Models++
	list, seen := problems[m.Weights]
	if !seen {
		var err error
		if list, err = o.verifyFiles(ctx, m, done); err != nil {
			return err
		}
	}
	for i := range list {
		list[i].Models = append(list[i].Models, fmt.Sprintf("%s/%s/%s", v.Project.Service, v.Project.Name, m.Name))
	}
	problems[m.Weights] = list
	return nil
}

// verifyFiles returns what is wrong with the weights of a model and the report
// beside them, none if no model has them any more.
func (o *Ops) verifyFiles(ctx context.Context, m *fovea.Model, done *Verification) (list []DamagedFile, err error) {
	weights, err := o.ReadWeights(ctx, m)
	var damage *Damage
	switch {
	case errors.As(err, &damage):
		list = append(list, DamagedFile{Name: m.Weights, Problem: damage.Problem})
	case err != nil:
		return nil, err
	}
	done.Bytes += int64(len(weights))
	switch problem, n, err := o.verifyReport(ctx, m); {
	case err != nil:
		return nil, err
	case problem != "":
		list = append(list, DamagedFile{Name: reportName(m.Weights), Problem: problem})
	default:
		done.Bytes += n
	}
	if len(list) == 0 {
		return nil, nil
	}
	needed := false
	err = o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		needed, err = tx.HasWeights(m.Weights)
		return err
	})
	if err != nil || !needed {
		return nil, err
	}
	return list, nil
}

// verifyReport returns what is wrong with the report about a model, which it may
// have none of, and how many bytes it has.
func (o *Ops) verifyReport(ctx context.Context, m *fovea.Model) (problem string, n int64, err error) {
	blob, err := o.Report(ctx, m)
	if err != nil {
		return "", 0, ignoreNotFound(err)
	}
	defer blob.Close()
	text, err := io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
	if err != nil {
		return "", 0, fmt.Errorf("read the report about the model %s: %w", m.Name, err)
	}
	if !json.Valid(text) {
		return "it is no JSON", 0, nil
	}
	return "", int64(len(text)), nil
}
