package sqlstore

import (
	"fmt"

	"fovea"
)

const datasetColumns = `id, project, split, created, updated, status, source, message, ours, revision`

func scanDataset(s scanner) (*fovea.Dataset, error) {
	var d fovea.Dataset
	var created, updated int64
	err := s.Scan(&d.ID, &d.Project, &d.Split, &created, &updated, &d.Status, &d.Source, &d.Message, &d.Ours, &d.Revision)
	d.Created, d.Updated = fromMillis(created), fromMillis(updated)
	return &d, err
}

// Dataset implements fovea.Tx.
func (t *tx) Dataset(id fovea.DatasetID) (*fovea.Dataset, error) {
	d, err := scanDataset(t.row(`SELECT `+datasetColumns+` FROM datasets WHERE id = $1`, id))
	if err != nil {
		return nil, missing(err, "dataset %d", id)
	}
	return d, nil
}

// DatasetOf implements fovea.Tx.
func (t *tx) DatasetOf(p fovea.ProjectID, split fovea.Split) (*fovea.Dataset, error) {
	d, err := scanDataset(t.row(`SELECT `+datasetColumns+` FROM datasets WHERE project = $1 AND split = $2`, p, split))
	if err != nil {
		return nil, missing(err, "%s dataset of project %d", split, p)
	}
	return d, nil
}

// DatasetsOf implements fovea.Tx.
func (t *tx) DatasetsOf(p fovea.ProjectID) ([]*fovea.Dataset, error) {
	list, err := all(t, scanDataset, `SELECT `+datasetColumns+` FROM datasets WHERE project = $1 ORDER BY created, id`, p)
	if err != nil {
		return nil, fmt.Errorf("list the datasets of project %d: %w", p, err)
	}
	return list, nil
}

// CountInProgress implements fovea.Tx.
func (t *tx) CountInProgress(k fovea.ProjectKey) (n int, err error) {
	err = t.row(`
		SELECT COUNT(*) FROM datasets d JOIN projects p ON p.id = d.project
		WHERE d.status IN ($1, $2) AND p.service = $3 AND p.account = $4 AND p.region = $5`,
		fovea.Creating, fovea.Updating, k.Service, k.Account, k.Region).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the datasets in progress: %w", err)
	}
	return n, nil
}

// PutDataset implements fovea.Tx.
func (t *tx) PutDataset(d *fovea.Dataset) error {
	return t.exec(fmt.Sprintf("put dataset %d", d.ID), `
		INSERT INTO datasets (`+datasetColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO UPDATE SET
			project = $2, split = $3, created = $4, updated = $5, status = $6, source = $7, message = $8, ours = $9, revision = $10`,
		d.ID, d.Project, d.Split, millis(d.Created), millis(d.Updated), d.Status, d.Source, storable(d.Message), d.Ours, d.Revision)
}

// DeleteDataset implements fovea.Tx.
func (t *tx) DeleteDataset(id fovea.DatasetID) error {
	return t.exec("delete a dataset", `DELETE FROM datasets WHERE id = $1`, id)
}
