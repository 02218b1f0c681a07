package transfer

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"fovea"
	"fovea/internal/client"
	"fovea/internal/exchange"
)

// lookout is a project of Lookout for Vision.
type lookout struct {
	server  *Server
	project string
}

// op calls an operation by its method and the path below projects.
func (l *lookout) op(ctx context.Context, method, path string, in, out any) error {
	r := client.Call{Service: "lookoutvision", Method: method, Path: "/2020-11-20/projects" + path}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.Body = body
	}
	return l.server.call(ctx, r, out)
}

// path returns the path of the datasets, or of one.
func (l *lookout) path(more ...string) string {
	path := "/" + url.PathEscape(l.project) + "/datasets"
	for _, m := range more {
		path += "/" + m
	}
	return path
}

func (l *lookout) makeProject(ctx context.Context) error {
	err := l.op(ctx, http.MethodGet, "/"+url.PathEscape(l.project), nil, nil)
	if !isRefusal(err, "ResourceNotFoundException") {
		return err
	}
	err = l.op(ctx, http.MethodPost, "", map[string]any{"ProjectName": l.project}, nil)
	if isRefusal(err, "ConflictException") { // an answer was lost
		return nil
	}
	return err
}

func (l *lookout) dataset(ctx context.Context, split exchange.Split) (state, error) {
	var out struct {
		DatasetDescription struct {
			Status, StatusMessage string
			ImageStats            struct{ Total, Labeled int64 }
		}
	}
	err := l.op(ctx, http.MethodGet, l.path(string(split)), nil, &out)
	if isRefusal(err, "ResourceNotFoundException") {
		return state{}, nil
	}
	d := out.DatasetDescription
	return state{d.Status, d.StatusMessage, d.ImageStats.Total, d.ImageStats.Labeled}, err
}

func (l *lookout) create(ctx context.Context, split exchange.Split, manifest fovea.ObjectRef) error {
	source := map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": manifest.Bucket, "Key": manifest.Key}}}
	err := l.op(ctx, http.MethodPost, l.path(), map[string]any{"DatasetType": split, "DatasetSource": source}, nil)
	if isRefusal(err, "ConflictException") { // an answer was lost
		return nil
	}
	return err
}

func (l *lookout) update(ctx context.Context, split exchange.Split, lines []byte) error {
	return l.op(ctx, http.MethodPatch, l.path(string(split), "entries"), map[string]any{"Changes": lines}, nil)
}

// maxUpdate is a little below what LV-2.9 allows.
func (l *lookout) maxUpdate() int { return 10<<20 - 64<<10 }

func (l *lookout) remove(ctx context.Context, split exchange.Split) error {
	err := l.op(ctx, http.MethodDelete, l.path(string(split)), nil, nil)
	if isRefusal(err, "ResourceNotFoundException") {
		return nil
	}
	return err
}
