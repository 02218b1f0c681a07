package transfer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"fovea"
	"fovea/internal/client"
	"fovea/internal/exchange"
)

// customLabels is a project of Rekognition Custom Labels.
type customLabels struct {
	server  *Server
	project string
}

// op calls an operation.
func (c *customLabels) op(ctx context.Context, name string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.server.call(ctx, client.Call{Service: "rekognition", Method: http.MethodPost, Path: "/", Target: "RekognitionService." + name, Body: body}, out)
}

func (c *customLabels) makeProject(ctx context.Context) error {
	err := c.op(ctx, "CreateProject", map[string]any{"ProjectName": c.project}, nil)
	if isRefusal(err, "ResourceInUseException") { // CL-2.11: there is one
		return nil
	}
	return err
}

// A customProject is what DescribeProjects tells of a project.
type customProject struct {
	ProjectArn string
	Datasets   []struct{ DatasetType, DatasetArn string }
}

// find returns the project, nil if there is none.
func (c *customLabels) find(ctx context.Context) (*customProject, error) {
	var out struct{ ProjectDescriptions []customProject }
	if err := c.op(ctx, "DescribeProjects", map[string]any{"ProjectNames": []string{c.project}}, &out); err != nil {
		return nil, err
	}
	if len(out.ProjectDescriptions) == 0 {
		return nil, nil
	}
	return &out.ProjectDescriptions[0], nil
}

// arn returns the ARN of a dataset, "" if there is none.
func (c *customLabels) arn(ctx context.Context, split exchange.Split) (string, error) {
	p, err := c.find(ctx)
	if err != nil || p == nil {
		return "", err
	}
	for _, d := range p.Datasets {
		if strings.EqualFold(d.DatasetType, string(split)) {
			return d.DatasetArn, nil
		}
	}
	return "", nil
}

func (c *customLabels) dataset(ctx context.Context, split exchange.Split) (state, error) {
	arn, err := c.arn(ctx, split)
	if err != nil || arn == "" {
		return state{}, err
	}
	var out struct {
		DatasetDescription struct {
			Status, StatusMessage string
			DatasetStats          struct{ TotalEntries, LabeledEntries int64 }
		}
	}
	err = c.op(ctx, "DescribeDataset", map[string]any{"DatasetArn": arn}, &out)
	if isRefusal(err, "ResourceNotFoundException") {
		return state{}, nil
	}
	d := out.DatasetDescription
	return state{d.Status, d.StatusMessage, d.DatasetStats.TotalEntries, d.DatasetStats.LabeledEntries}, err
}

func (c *customLabels) create(ctx context.Context, split exchange.Split, manifest fovea.ObjectRef) error {
	p, err := c.find(ctx)
	if err != nil {
		return err
	}
	if p == nil {
		return fmt.Errorf("the project %s was removed meanwhile", c.project)
	}
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": manifest.Bucket, "Name": manifest.Key}}}
	err = c.op(ctx, "CreateDataset", map[string]any{
		"ProjectArn": p.ProjectArn, "DatasetType": strings.ToUpper(string(split)), "DatasetSource": source,
	}, nil)
	if isRefusal(err, "ResourceAlreadyExistsException") { // an answer was lost
		return nil
	}
	return err
}

func (c *customLabels) update(ctx context.Context, split exchange.Split, lines []byte) error {
	arn, err := c.arn(ctx, split)
	if err != nil {
		return err
	}
	return c.op(ctx, "UpdateDatasetEntries", map[string]any{"DatasetArn": arn, "Changes": map[string]any{"GroundTruth": lines}}, nil)
}

// maxUpdate is a little below CL-12.17.
func (c *customLabels) maxUpdate() int { return 5<<20 - 64<<10 }

func (c *customLabels) remove(ctx context.Context, split exchange.Split) error {
	arn, err := c.arn(ctx, split)
	if err != nil || arn == "" {
		return err
	}
	err = c.op(ctx, "DeleteDataset", map[string]any{"DatasetArn": arn}, nil)
	if isRefusal(err, "ResourceNotFoundException") {
		return nil
	}
	return err
}
