package sqlstore

import (
	"encoding/json"
	"fmt"
	"time"

	"fovea"
)

const modelColumns = `id, project, name, created, updated, status, message, ours, progress, stage, min_units, max_units,
	train_dataset, train_revision, test_dataset, test_revision, weights, detail`

// detail is what the column of that name has.
type detail struct {
	Asked      fovea.Asked
	Began      time.Time
	Waiting    fovea.Wait `json:",omitzero"`
	Result     *fovea.TrainingResult
	Thresholds map[string]float64 `json:",omitempty"`
}

func scanModel(s scanner) (*fovea.Model, error) {
	var m fovea.Model
	var created, updated int64
	var text string
	err := s.Scan(&m.ID, &m.Project, &m.Name, &created, &updated, &m.Status, &m.Message, &m.Ours, &m.Progress, &m.Stage, &m.MinUnits, &m.MaxUnits,
		&m.Train.Dataset, &m.Train.Number, &m.Test.Dataset, &m.Test.Number, &m.Weights, &text)
	if err != nil {
		return nil, err
	}
	var d detail
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("the detail of model %d: %w", m.ID, err)
	}
	m.Created, m.Updated, m.Began, m.Asked, m.Result = fromMillis(created), fromMillis(updated), d.Began, d.Asked, d.Result
	m.Waiting, m.Thresholds = d.Waiting, d.Thresholds
	return &m, nil
}

// Model implements fovea.Tx.
func (t *tx) Model(id fovea.ModelID) (*fovea.Model, error) {
	m, err := scanModel(t.row(`SELECT `+modelColumns+` FROM models WHERE id = $1`, id))
	if err != nil {
		return nil, missing(err, "model %d", id)
	}
	return m, nil
}

// ModelNamed implements fovea.Tx.
func (t *tx) ModelNamed(p fovea.ProjectID, name string) (*fovea.Model, error) {
	m, err := scanModel(t.row(`SELECT `+modelColumns+` FROM models WHERE project = $1 AND name = $2`, p, name))
	if err != nil {
		return nil, missing(err, "model %s of project %d", name, p)
	}
	return m, nil
}

// ModelsOf implements fovea.Tx.
func (t *tx) ModelsOf(p fovea.ProjectID, before time.Time, n int) ([]*fovea.Model, error) {
	query, args := `SELECT `+modelColumns+` FROM models WHERE project = $1 ORDER BY created DESC LIMIT $2`, []any{p, n}
	if !before.IsZero() {
		query, args = `SELECT `+modelColumns+` FROM models WHERE project = $1 AND created < $3 ORDER BY created DESC LIMIT $2`, append(args, millis(before))
	}
	list, err := all(t, scanModel, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list the models of project %d: %w", p, err)
	}
	return list, nil
}

// ModelsAfter implements fovea.Tx.
func (t *tx) ModelsAfter(after fovea.ModelID, n int) ([]*fovea.Model, error) {
	list, err := all(t, scanModel, `SELECT `+modelColumns+` FROM models WHERE id > $1 ORDER BY id LIMIT $2`, after, n)
	if err != nil {
		return nil, fmt.Errorf("list the models after %d: %w", after, err)
	}
	return list, nil
}

// CountModels implements fovea.Tx.
func (t *tx) CountModels(k fovea.ProjectKey, status ...fovea.ModelStatus) (n int, err error) {
	query := `SELECT COUNT(*) FROM models m JOIN projects p ON p.id = m.project WHERE p.service = $1 AND p.account = $2 AND p.region = $3 AND m.status IN (`
	args := []any{k.Service, k.Account, k.Region}
	for i, s := range status {
		if i > 0 {
			query += ", "
		}
		args = append(args, s)
		query += fmt.Sprintf("$%d", len(args))
	}
	if err := t.row(query+`)`, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count models: %w", err)
	}
	return n, nil
}

// CountModelsOf implements fovea.Tx.
func (t *tx) CountModelsOf(p fovea.ProjectID) (n int, err error) {
	if err := t.row(`SELECT COUNT(*) FROM models WHERE project = $1`, p).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the models of project %d: %w", p, err)
	}
	return n, nil
}

// ModelsOn implements fovea.Tx.
func (t *tx) ModelsOn(r fovea.RevisionKey) ([]*fovea.Model, error) {
	query, args := `SELECT `+modelColumns+` FROM models WHERE train_dataset = $1 OR test_dataset = $1 ORDER BY id`, []any{r.Dataset}
	if r.Number != 0 {
		query = `SELECT ` + modelColumns + ` FROM models WHERE train_dataset = $1 AND train_revision = $2 OR test_dataset = $1 AND test_revision = $2 ORDER BY id`
		args = append(args, r.Number)
	}
	list, err := all(t, scanModel, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list the models on dataset %d: %w", r.Dataset, err)
	}
	return list, nil
}

// HasWeights implements fovea.Tx.
func (t *tx) HasWeights(name string) (has bool, err error) {
	var n int
	if err := t.row(`SELECT COUNT(*) FROM models WHERE weights = $1`, name).Scan(&n); err != nil {
		return false, fmt.Errorf("look for models with weights %s: %w", name, err)
	}
	return n > 0, nil
}

// PutModel implements fovea.Tx.
func (t *tx) PutModel(m *fovea.Model) error {
	text, err := json.Marshal(detail{m.Asked, m.Began, m.Waiting, m.Result, m.Thresholds})
	if err != nil {
		return fmt.Errorf("put model %d: %w", m.ID, err)
	}
	return t.exec(fmt.Sprintf("put model %d", m.ID), `
		INSERT INTO models (`+modelColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
		ON CONFLICT (id) DO UPDATE SET
			project = $2, name = $3, created = $4, updated = $5, status = $6, message = $7, ours = $8, progress = $9, stage = $10, min_units = $11,
			max_units = $12, train_dataset = $13, train_revision = $14, test_dataset = $15, test_revision = $16, weights = $17, detail = $18`,
		m.ID, m.Project, m.Name, millis(m.Created), millis(m.Updated), m.Status, storable(m.Message), m.Ours, m.Progress, storable(m.Stage), m.MinUnits,
		m.MaxUnits, m.Train.Dataset, m.Train.Number, m.Test.Dataset, m.Test.Number, m.Weights, storable(string(text)))
}

// DeleteModel implements fovea.Tx.
func (t *tx) DeleteModel(id fovea.ModelID) error {
	return t.exec("delete a model", `DELETE FROM models WHERE id = $1`, id)
}
