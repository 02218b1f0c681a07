package model

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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
// to. Their SHA-256 is in it, so that they can be told from any others, and an
// attempt at a training that does not know yet that it lost its lease cannot
// replace them.
func weightsName(id fovea.ModelID, sum [sha256.Size]byte) string {
	return weightsPrefix + fovea.FormatID(int64(id)) + "/" + hex.EncodeToString(sum[:]) + "/" + weightsFile
}

// checkWeights reports weights that are not those of the name. The oldest names
// have no checksum: what they name only has those of its parts.
func checkWeights(name string, weights []byte) error {
	want, err := hex.DecodeString(path.Base(path.Dir(name)))
	if err != nil || len(want) != sha256.Size {
		_, err := SplitParts(weights)
		return err
	}
	if sum := sha256.Sum256(weights); string(sum[:]) != string(want) {
		return errors.New("they are not those that were trained: their checksum is wrong")
	}
	return nil
}

// A Damage is why the weights of a model are not used: they are missing, or
// not as they were written. It is a fault of ours.
type Damage struct {
	Weights string // name in Blobs
	Problem string
}

// Error tells people what is wrong and what to do.
func (d *Damage) Error() string {
	return fmt.Sprintf("Its weights are damaged: %s. Restore %s from a backup, or train the model again.", d.Problem, d.Weights)
}

// ReadWeights returns the weights of a model whole. A model without weights is
// NotReady; weights that are missing, or not those that were stored, are a
// *Damage.
func (o *Ops) ReadWeights(ctx context.Context, m *fovea.Model) ([]byte, error) {
	if m.Weights == "" {
		return nil, fovea.Errorf(fovea.NotReady, "The model %s is %s and has no weights.", m.Name, m.Status)
	}
	blob, err := o.Blobs.Open(ctx, m.Weights)
	if err != nil {
		if fovea.KindOf(err) == fovea.NotFound {
			return nil, &Damage{m.Weights, "they are missing"}
		}
		return nil, err
	}
	defer blob.Close()
	data := make([]byte, blob.Size())
	if n, err := fovea.ReadBlobAt(ctx, blob, data, 0); n < len(data) {
		return nil, fmt.Errorf("read %s: %w", m.Weights, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	if err := checkWeights(m.Weights, data); err != nil {
		return nil, &Damage{m.Weights, err.Error()}
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
