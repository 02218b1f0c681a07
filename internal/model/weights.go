package model

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"fovea"
)

// weightsPrefix is where the weights of models are in Blobs.
const weightsPrefix = "weights/"

// weightsFile is what they are called in the folder of their training.
const weightsFile = "model"

// weightsName returns the name in Blobs of the weights that a model was trained
// to.
func weightsName(id fovea.ModelID) string {
	return weightsPrefix + fovea.FormatID(int64(id)) + "/" + weightsFile
}

// Weights opens the weights of a model. One without weights is NotReady.
func (o *Ops) Weights(ctx context.Context, m *fovea.Model) (fovea.Blob, error) {
	if m.Weights == "" {
		return nil, fovea.Errorf(fovea.NotReady, "The model %s is %s and has no weights.", m.Name, m.Status)
	}
	return o.Blobs.Open(ctx, m.Weights)
}

// ReadWeights returns the weights of a model whole.
func (o *Ops) ReadWeights(ctx context.Context, m *fovea.Model) ([]byte, error) {
	blob, err := o.Weights(ctx, m)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	data := make([]byte, blob.Size())
	if n, err := blob.ReadAt(data, 0); n < len(data) {
		return nil, fmt.Errorf("read %s: %w", m.Weights, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return data, nil
}

// defaultSweepAge is how old weights are before the sweep looks at them: they
// are stored before the row that names them.
const defaultSweepAge = time.Hour

// RunSweep removes the weights that no model has, and the reports beside them:
// those of deleted models, of which there is no copy, and of trainings that came
// to nothing.
func (o *Ops) RunSweep(ctx context.Context) error {
	old := o.now().Add(-cmp.Or(o.SweepAge, defaultSweepAge))
	var lost []string
	for info, err := range o.Blobs.List(ctx, weightsPrefix) {
		if err != nil {
			return fmt.Errorf("sweep weights: %w", err)
		}
		if info.Modified.After(old) {
			continue
		}
		needed := false
		err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
			if needed, err = tx.HasWeights(path.Dir(info.Name) + "/" + weightsFile); err != nil || needed {
				return err
			}
			needed, err = trains(tx, info.Name)
			return err
		})
		if err != nil {
			return fmt.Errorf("sweep weights: %w", err)
		}
		if !needed {
			lost = append(lost, info.Name)
		}
	}
	return o.Blobs.Delete(ctx, lost...)
}

// trains reports whether the model whose training stores weights of that name
// is still in training.
func trains(tx fovea.Tx, name string) (bool, error) {
	hex, _, _ := strings.Cut(strings.TrimPrefix(name, weightsPrefix), "/")
	var id int64
	if _, err := fmt.Sscanf(hex, "%x", &id); err != nil {
		return true, nil // not ours to remove
	}
	m, err := tx.Model(fovea.ModelID(id))
	if err != nil {
		return false, ignoreNotFound(err)
	}
	return m.Status == fovea.Training, nil
}
