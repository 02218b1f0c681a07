package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/client"
)

// A Live source is an account of one of the services, seen through its API.
type Live struct {
	Service  fovea.Service
	API      *API
	S3       *Bucketer
	Projects []string // those that are migrated; none is all
	Name     string   // of the only project in the destination; "" keeps the name
}

// String implements Source.
func (l *Live) String() string {
	return fmt.Sprintf("%s at %s", l.Service, l.API.Base(map[fovea.Service]string{fovea.CustomLabels: "rekognition", fovea.Lookout: "lookoutvision"}[l.Service]))
}

// Close implements Source.
func (l *Live) Close() error { return nil }

// name implements Source.
func (l *Live) name(place string) string {
	ref, _ := parseRef(place)
	return ref.Bucket + "/" + ref.Key
}

// open implements Source.
func (l *Live) open(ctx context.Context, place string) (io.ReadCloser, fovea.ObjectInfo, error) {
	ref, _ := parseRef(place)
	return l.S3.open(ctx, ref)
}

// locate implements Source: an object is where its URI says.
func (l *Live) locate(_ context.Context, _ *dataset, r ref) (string, string, error) {
	ref, ok := parseRef(r.value)
	switch {
	case ok:
		return ref.String(), "", nil
	case r.sure:
		return "", fmt.Sprintf("%s is %q, which is not an S3 URI", r.key, r.value), nil
	}
	return "", "", nil
}

// discover implements Source.
func (l *Live) discover(ctx context.Context, _ *state) ([]found, error) {
	list := l.lookout
	if l.Service == fovea.CustomLabels {
		list = l.customLabels
	}
	projects, err := list(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the projects of %s: %w", l, err)
	}
	for _, name := range l.Projects {
		if !slices.ContainsFunc(projects, func(p found) bool { return p.name == name }) {
			return nil, fmt.Errorf("%s has no project %s", l, name)
		}
	}
	if l.Name != "" {
		if len(projects) != 1 {
			return nil, fmt.Errorf("%d projects cannot all be called %s; name one after the source", len(projects), l.Name)
		}
		projects[0].name = l.Name
	}
	return projects, nil
}

// wants reports whether a project is migrated.
func (l *Live) wants(name string) bool {
	return len(l.Projects) == 0 || slices.Contains(l.Projects, name)
}

// usable reports whether a dataset of a status has entries to list (CL-4.2,
// LV-3.1), and an error if it will soon.
func usable(project, split, status string) (bool, error) {
	switch status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_FAILED_ROLLBACK_COMPLETE":
		return true, nil
	case "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_FAILED_ROLLBACK_IN_PROGRESS":
		return false, fmt.Errorf("the %s dataset of the project %s is %s; migrate when it is complete", split, project, status)
	}
	return false, nil
}

// customLabels lists the projects of Custom Labels (CL 2.4).
func (l *Live) customLabels(ctx context.Context) (projects []found, err error) {
	in := map[string]any{"MaxResults": 100}
	for {
		var out struct {
			ProjectDescriptions []struct {
				ProjectArn, Status string
				Datasets           []struct{ DatasetArn, DatasetType, Status string }
			}
			NextToken string
		}
		if err := l.API.rekognition(ctx, "DescribeProjects", in, &out); err != nil {
			return nil, err
		}
		for _, d := range out.ProjectDescriptions {
			p := found{service: l.Service, name: projectName(d.ProjectArn), source: d.ProjectArn}
			if d.Status == "DELETING" || !l.wants(p.name) {
				continue
			}
			if p.tags, err = l.tags(ctx, d.ProjectArn); err != nil {
				return nil, err
			}
			for _, ds := range d.Datasets {
				split := strings.ToLower(ds.DatasetType)
				ok, err := usable(p.name, split, ds.Status)
				if err != nil {
					return nil, err
				}
				if !ok {
					p.notes = append(p.notes, fmt.Sprintf("the %s dataset of %s is %s and has no entries", split, p.name, ds.Status))
					continue
				}
				tags, err := l.tags(ctx, ds.DatasetArn)
				if err != nil {
					return nil, err
				}
				p.datasets = append(p.datasets, foundDataset{fovea.Split(split), ds.DatasetArn, tags})
			}
			projects = append(projects, p)
		}
		if out.NextToken == "" {
			return projects, nil
		}
		in["NextToken"] = out.NextToken
	}
}

// projectName returns the name in the ARN of a project: project/NAME/TIME.
func projectName(arn string) string {
	parts := strings.Split(arn, "/")
	return parts[min(1, len(parts)-1)]
}

// tags returns the tags of a resource without those of AWS, which nobody else
// may set. A resource that cannot have tags has none.
func (l *Live) tags(ctx context.Context, arn string) (map[string]string, error) {
	var out struct{ Tags map[string]string }
	err := l.API.rekognition(ctx, "ListTagsForResource", map[string]any{"ResourceArn": arn}, &out)
	switch client.CodeOf(err) {
	case "ResourceNotFoundException", "InvalidParameterException", "ValidationException":
		return nil, nil
	}
	for key := range out.Tags {
		if strings.HasPrefix(key, "aws:") {
			delete(out.Tags, key)
		}
	}
	return out.Tags, err
}

const lookoutPath = "/2020-11-20/projects"

// lookout lists the projects of Lookout for Vision (LV 2.2, LV 2.3). They have
// no tags (LV-2.95).
func (l *Live) lookout(ctx context.Context) (projects []found, err error) {
	for token := ""; ; {
		var out struct {
			Projects  []struct{ ProjectName, ProjectArn string }
			NextToken string
		}
		query := url.Values{"maxResults": {"100"}}
		if token != "" {
			query.Set("nextToken", token)
		}
		if err := l.API.rest(ctx, "lookoutvision", http.MethodGet, lookoutPath+"?"+query.Encode(), nil, &out); err != nil {
			return nil, err
		}
		for _, d := range out.Projects {
			if !l.wants(d.ProjectName) {
				continue
			}
			p := found{service: l.Service, name: d.ProjectName, source: d.ProjectArn}
			if err := l.lookoutDatasets(ctx, &p); err != nil {
				return nil, err
			}
			projects = append(projects, p)
		}
		if token = out.NextToken; token == "" {
			return projects, nil
		}
	}
}

func (l *Live) lookoutDatasets(ctx context.Context, p *found) error {
	var out struct {
		ProjectDescription struct {
			Datasets []struct{ DatasetType, Status string }
		}
	}
	if err := l.API.rest(ctx, "lookoutvision", http.MethodGet, lookoutPath+"/"+url.PathEscape(p.name), nil, &out); err != nil {
		return err
	}
	for _, d := range out.ProjectDescription.Datasets {
		ok, err := usable(p.name, d.DatasetType, d.Status)
		switch {
		case err != nil:
			return err
		case ok:
			p.datasets = append(p.datasets, foundDataset{split: fovea.Split(d.DatasetType), source: p.name + "/" + d.DatasetType})
		default:
			p.notes = append(p.notes, fmt.Sprintf("the %s dataset of %s is %s and has no entries", d.DatasetType, p.name, d.Status))
		}
	}
	return nil
}

// pageEntries is the largest page of both services.
const pageEntries = 100

// errStale says that a page token is not good any more.
var errStale = errors.New("the listing must begin again")

// page implements Source. The token is that of the service. One that has
// expired gives errStale.
func (l *Live) page(ctx context.Context, d *dataset, token string) (*page, error) {
	var out struct {
		DatasetEntries []string
		NextToken      string
	}
	var err error
	if l.Service == fovea.CustomLabels {
		in := map[string]any{"DatasetArn": d.source, "MaxResults": pageEntries}
		if token != "" {
			in["NextToken"] = token
		}
		err = l.API.rekognition(ctx, "ListDatasetEntries", in, &out)
	} else {
		query := url.Values{"maxResults": {fmt.Sprint(pageEntries)}}
		if token != "" {
			query.Set("nextToken", token)
		}
		err = l.API.rest(ctx, "lookoutvision", http.MethodGet, l.datasetPath(d)+"/entries?"+query.Encode(), nil, &out)
	}
	if err != nil {
		if code := client.CodeOf(err); token != "" && (code == "InvalidPaginationTokenException" || code == "ValidationException") {
			return nil, fmt.Errorf("%w: %w", errStale, err)
		}
		return nil, fmt.Errorf("list the entries of %s: %w", d.source, err)
	}
	p := &page{count: int64(len(out.DatasetEntries)), next: out.NextToken, total: -1}
	for i, text := range out.DatasetEntries {
		p.lines = append(p.lines, numbered{n: int64(i) + 1, text: []byte(text)})
	}
	if p.next == "" {
		p.total, err = l.count(ctx, d)
	}
	return p, err
}

func (l *Live) datasetPath(d *dataset) string {
	name, split, _ := strings.Cut(d.source, "/")
	return lookoutPath + "/" + url.PathEscape(name) + "/datasets/" + split
}

// count returns how many entries the service says that a dataset has.
func (l *Live) count(ctx context.Context, d *dataset) (int64, error) {
	var out struct {
		DatasetDescription struct {
			DatasetStats struct{ TotalEntries int64 }
			ImageStats   struct{ Total int64 }
		}
	}
	if l.Service == fovea.CustomLabels {
		err := l.API.rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": d.source}, &out)
		return out.DatasetDescription.DatasetStats.TotalEntries, err
	}
	err := l.API.rest(ctx, "lookoutvision", http.MethodGet, l.datasetPath(d), nil, &out)
	return out.DatasetDescription.ImageStats.Total, err
}
