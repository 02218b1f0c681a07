package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fovea"
	"fovea/internal/client"
)

// make makes a project and its datasets in the destination, as far as they are
// not made yet.
func (m *Migration) make(ctx context.Context, p *project) error {
	to := m.place(p)
	if err := to.makeProject(ctx, p.tags); err != nil {
		return fmt.Errorf("make the project: %w", err)
	}
	for _, d := range p.datasets {
		if err := m.makeDataset(ctx, to, d); err != nil {
			return err
		}
	}
	return nil
}

// makeDataset makes a dataset from its new manifest and waits until it is
// complete. One that is there is taken for this migration's only if an earlier
// run has asked for it; if that one failed, it is made again.
func (m *Migration) makeDataset(ctx context.Context, to destination, d *dataset) error {
	was, err := to.status(ctx, d)
	if err != nil {
		return err
	}
	switch {
	case was.status != "" && !d.asked:
		return fmt.Errorf("the destination has a %s dataset already: delete it, or migrate to a project of another name with --project, and to another folder with --out", d.split)
	case was.status == "CREATE_FAILED":
		if err := to.remove(ctx, d); err != nil {
			return err
		}
		was.status = ""
	}
	if was.status == "" {
		if err := m.create(ctx, to, d); err != nil {
			return err
		}
	}
	return m.await(ctx, to, d)
}

// create asks for a dataset, and notes before that it did.
func (m *Migration) create(ctx context.Context, to destination, d *dataset) error {
	sum, _, err := m.summing(ctx, d, 0)
	if err != nil {
		return err
	}
	err = m.st.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE datasets SET asked = 1 WHERE id = ?`, d.id)
		return err
	})
	if err != nil {
		return err
	}
	d.asked = true
	m.log("making %s/%s/%s of %d entries", d.project.service, d.project.name, d.split, sum.Written)
	var manifest *fovea.ObjectRef
	if sum.Written > 0 {
		ref := m.manifestOf(d)
		manifest = &ref
	}
	if err := to.create(ctx, d, manifest); err != nil {
		return fmt.Errorf("make the %s dataset: %w", d.split, err)
	}
	return nil
}

// pollEvery is how often the server is asked whether a dataset is complete.
const pollEvery = 200 * time.Millisecond

// await waits until a dataset is complete.
func (m *Migration) await(ctx context.Context, to destination, d *dataset) error {
	for {
		s, err := to.status(ctx, d)
		switch {
		case err != nil:
			return err
		case s.status == "CREATE_FAILED":
			return fmt.Errorf("the %s dataset could not be made: %s. `fovea report %s/%s/%s` tells more. Raise the server's limits and run the same command again, or mend the source and migrate it anew with another folder for --out",
				d.split, s.message, d.project.service, d.project.name, d.split)
		case s.status == "":
			return fmt.Errorf("the %s dataset was removed meanwhile", d.split)
		case !strings.HasSuffix(s.status, "_IN_PROGRESS"):
			return nil
		}
		timer := time.NewTimer(pollEvery)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// A destination is a project of the server.
type destination interface {
	makeProject(ctx context.Context, tags map[string]string) error
	// status returns no status for a dataset that is not there.
	status(ctx context.Context, d *dataset) (datasetStatus, error)
	// create makes a dataset; one that is there by now was made by the same
	// call, whose answer was lost.
	create(ctx context.Context, d *dataset, manifest *fovea.ObjectRef) error
	remove(ctx context.Context, d *dataset) error
	// tags returns the tags of the project and of its datasets, by split, ""
	// being the project.
	tags(ctx context.Context) (map[fovea.Split]map[string]string, error)
}

type datasetStatus struct{ status, message string }

func (m *Migration) place(p *project) destination {
	if p.service == fovea.CustomLabels {
		return &customLabels{m.Server, p}
	}
	return &lookout{m.Server, p}
}

// A customLabels destination is a project of Custom Labels.
type customLabels struct {
	api *API
	p   *project
}

// A described project is what DescribeProjects says of it.
type described struct {
	ProjectArn string
	Datasets   []struct{ DatasetArn, DatasetType string }
}

func (c *customLabels) find(ctx context.Context) (*described, error) {
	var out struct{ ProjectDescriptions []described }
	err := c.api.rekognition(ctx, "DescribeProjects", map[string]any{"ProjectNames": []string{c.p.name}}, &out)
	if err != nil {
		return nil, err
	}
	if len(out.ProjectDescriptions) == 0 {
		return nil, fmt.Errorf("the project %s is not there", c.p.name)
	}
	return &out.ProjectDescriptions[0], nil
}

func (c *customLabels) makeProject(ctx context.Context, tags map[string]string) error {
	in := map[string]any{"ProjectName": c.p.name}
	if len(tags) > 0 {
		in["Tags"] = tags
	}
	err := c.api.rekognition(ctx, "CreateProject", in, nil)
	if client.CodeOf(err) != "ResourceInUseException" { // CL-2.11
		return err
	}
	found, err := c.find(ctx)
	if err != nil || len(tags) == 0 {
		return err
	}
	return c.api.rekognition(ctx, "TagResource", map[string]any{"ResourceArn": found.ProjectArn, "Tags": tags}, nil)
}

// arn returns the ARN of a dataset, "" if it is not there.
func (c *customLabels) arn(ctx context.Context, split fovea.Split) (string, error) {
	found, err := c.find(ctx)
	if err != nil {
		return "", err
	}
	for _, d := range found.Datasets {
		if strings.EqualFold(d.DatasetType, string(split)) {
			return d.DatasetArn, nil
		}
	}
	return "", nil
}

func (c *customLabels) status(ctx context.Context, d *dataset) (datasetStatus, error) {
	arn, err := c.arn(ctx, d.split)
	if err != nil || arn == "" {
		return datasetStatus{}, err
	}
	var out struct {
		DatasetDescription struct{ Status, StatusMessage string }
	}
	err = c.api.rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": arn}, &out)
	if client.CodeOf(err) == "ResourceNotFoundException" {
		return datasetStatus{}, nil
	}
	return datasetStatus{out.DatasetDescription.Status, out.DatasetDescription.StatusMessage}, err
}

func (c *customLabels) create(ctx context.Context, d *dataset, manifest *fovea.ObjectRef) error {
	found, err := c.find(ctx)
	if err != nil {
		return err
	}
	in := map[string]any{"ProjectArn": found.ProjectArn, "DatasetType": strings.ToUpper(string(d.split))}
	if len(d.tags) > 0 {
		in["Tags"] = d.tags
	}
	if manifest != nil {
		in["DatasetSource"] = map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": manifest.Bucket, "Name": manifest.Key}}}
	}
	err = c.api.rekognition(ctx, "CreateDataset", in, nil)
	if client.CodeOf(err) == "ResourceAlreadyExistsException" {
		return nil
	}
	return err
}

func (c *customLabels) remove(ctx context.Context, d *dataset) error {
	arn, err := c.arn(ctx, d.split)
	if err != nil || arn == "" {
		return err
	}
	err = c.api.rekognition(ctx, "DeleteDataset", map[string]any{"DatasetArn": arn}, nil)
	if client.CodeOf(err) == "ResourceNotFoundException" {
		return nil
	}
	return err
}

func (c *customLabels) tags(ctx context.Context) (map[fovea.Split]map[string]string, error) {
	found, err := c.find(ctx)
	if err != nil {
		return nil, err
	}
	all := map[fovea.Split]map[string]string{}
	arns := map[fovea.Split]string{"": found.ProjectArn}
	for _, d := range found.Datasets {
		arns[fovea.Split(strings.ToLower(d.DatasetType))] = d.DatasetArn
	}
	for split, arn := range arns {
		var out struct{ Tags map[string]string }
		if err := c.api.rekognition(ctx, "ListTagsForResource", map[string]any{"ResourceArn": arn}, &out); err != nil {
			return nil, err
		}
		all[split] = out.Tags
	}
	return all, nil
}

// A lookout destination is a project of Lookout for Vision, which has no tags
// (LV-2.95).
type lookout struct {
	api *API
	p   *project
}

func (l *lookout) call(ctx context.Context, method, path string, in, out any) error {
	return l.api.rest(ctx, "lookoutvision", method, lookoutPath+path, in, out)
}

func (l *lookout) makeProject(ctx context.Context, _ map[string]string) error {
	err := l.call(ctx, http.MethodPost, "", map[string]any{"ProjectName": l.p.name}, nil)
	if client.CodeOf(err) != "ConflictException" {
		return err
	}
	return l.call(ctx, http.MethodGet, "/"+url.PathEscape(l.p.name), nil, nil)
}

func (l *lookout) datasets() string { return "/" + url.PathEscape(l.p.name) + "/datasets" }

func (l *lookout) status(ctx context.Context, d *dataset) (datasetStatus, error) {
	var out struct {
		DatasetDescription struct{ Status, StatusMessage string }
	}
	err := l.call(ctx, http.MethodGet, l.datasets()+"/"+string(d.split), nil, &out)
	if client.CodeOf(err) == "ResourceNotFoundException" {
		return datasetStatus{}, nil
	}
	return datasetStatus{out.DatasetDescription.Status, out.DatasetDescription.StatusMessage}, err
}

func (l *lookout) create(ctx context.Context, d *dataset, manifest *fovea.ObjectRef) error {
	in := map[string]any{"DatasetType": d.split}
	if manifest != nil {
		in["DatasetSource"] = map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": manifest.Bucket, "Key": manifest.Key}}}
	}
	err := l.call(ctx, http.MethodPost, l.datasets(), in, nil)
	if client.CodeOf(err) != "ConflictException" {
		return err
	}
	if s, e := l.status(ctx, d); e != nil || s.status == "" { // the conflict was another one
		return errors.Join(err, e)
	}
	return nil
}

func (l *lookout) remove(ctx context.Context, d *dataset) error {
	err := l.call(ctx, http.MethodDelete, l.datasets()+"/"+string(d.split), nil, nil)
	if client.CodeOf(err) == "ResourceNotFoundException" {
		return nil
	}
	return err
}

func (l *lookout) tags(context.Context) (map[fovea.Split]map[string]string, error) { return nil, nil }
