package sqlstore

import (
	"fmt"
	"time"

	"fovea"
)

const projectColumns = `id, service, account, region, name, created`

func scanProject(s scanner) (*fovea.Project, error) {
	var p fovea.Project
	var created int64
	err := s.Scan(&p.ID, &p.Service, &p.Account, &p.Region, &p.Name, &created)
	p.Created = fromMillis(created)
	return &p, err
}

// Project implements fovea.Tx.
func (t *tx) Project(id fovea.ProjectID) (*fovea.Project, error) {
	p, err := scanProject(t.row(`SELECT `+projectColumns+` FROM projects WHERE id = $1`, id))
	if err != nil {
		return nil, missing(err, "project %d", id)
	}
	return p, nil
}

// ProjectNamed implements fovea.Tx.
func (t *tx) ProjectNamed(k fovea.ProjectKey) (*fovea.Project, error) {
	p, err := scanProject(t.row(`
		SELECT `+projectColumns+` FROM projects
		WHERE service = $1 AND account = $2 AND region = $3 AND name = $4`,
		k.Service, k.Account, k.Region, k.Name))
	if err != nil {
		return nil, missing(err, "project %s of %s in %s/%s", k.Name, k.Service, k.Account, k.Region)
	}
	return p, nil
}

// Projects implements fovea.Tx.
func (t *tx) Projects(k fovea.ProjectKey, after time.Time, name string, n int) ([]*fovea.Project, error) {
	from := `TRUE`
	args := []any{k.Service, k.Account, k.Region, n}
	if !after.IsZero() {
		from = `(created < $5 OR created = $5 AND name > $6)`
		args = append(args, millis(after), name)
	}
	list, err := all(t, scanProject, `
		SELECT `+projectColumns+` FROM projects
		WHERE service = $1 AND account = $2 AND region = $3 AND `+from+`
		ORDER BY created DESC, name LIMIT $4`, args...)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return list, nil
}

// CountProjects implements fovea.Tx.
func (t *tx) CountProjects(k fovea.ProjectKey) (n int, err error) {
	err = t.row(`
		SELECT COUNT(*) FROM projects WHERE service = $1 AND account = $2 AND region = $3`,
		k.Service, k.Account, k.Region).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count projects: %w", err)
	}
	return n, nil
}

// PutProject implements fovea.Tx.
func (t *tx) PutProject(p *fovea.Project) error {
	return t.exec("put project "+p.Name, `
		INSERT INTO projects (`+projectColumns+`) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET service = $2, account = $3, region = $4, name = $5, created = $6`,
		p.ID, p.Service, p.Account, p.Region, p.Name, millis(p.Created))
}

// DeleteProject implements fovea.Tx. The commit fails if it still has
// datasets.
func (t *tx) DeleteProject(id fovea.ProjectID) error {
	return t.exec("delete a project", `DELETE FROM projects WHERE id = $1`, id)
}
