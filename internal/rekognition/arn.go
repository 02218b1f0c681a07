package rekognition

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/model"
)

// An arn is the name of a project, a dataset or a model version (CL-3.1 to
// CL-3.3), whose form the generated constraints have checked.
type arn struct {
	text    string
	scope   string // "arn:<partition>:rekognition:<region>:<account>"
	project string
	split   fovea.Split // of a dataset
	version string      // of a model
	created string      // milliseconds since the Unix epoch, as they are written
}

// parseARN takes an ARN apart.
func parseARN(text string) arn {
	scope, resource, _ := strings.Cut(text, ":project/")
	parts := strings.Split(resource, "/")
	a := arn{text: text, scope: scope, project: parts[0], created: parts[len(parts)-1]}
	switch {
	case len(parts) == 4 && parts[1] == "version":
		a.version = parts[2]
	case len(parts) == 4:
		a.split = fovea.Split(parts[2])
	}
	return a
}

// region returns the part of the ARN up to the region of what it names.
func (a arn) region() string { return a.scope[:max(0, strings.LastIndexByte(a.scope, ':'))] }

// find returns what names the project of the ARN, or NotFound if it is of
// another account, region or partition (CL-3.8).
func (s *Server) find(ctx context.Context, a arn) (fovea.ProjectKey, error) {
	if a.scope != s.scope(ctx) {
		return fovea.ProjectKey{}, fovea.Errorf(fovea.NotFound, "The resource %s does not exist. This server has resources of %s.", a.text, s.scope(ctx))
	}
	return key(ctx, a.project), nil
}

// scope returns how ARNs of the caller begin.
func (s *Server) scope(ctx context.Context) string {
	c := fovea.CallerOf(ctx)
	return fmt.Sprintf("arn:%s:rekognition:%s:%s", s.Partition, c.Region, c.Account)
}

// is reports whether a resource that was created then is the one that the ARN
// names, and not a later one of its name.
func (a arn) is(created time.Time) bool {
	return a.created == strconv.FormatInt(created.UnixMilli(), 10)
}

func (a arn) isProject(p *fovea.Project) bool { return a.is(p.Created) }
func (a arn) isDataset(v *dataset.View) bool  { return a.is(v.Dataset.Created) }
func (a arn) notFound() error {
	return fovea.Errorf(fovea.NotFound, "The resource %s does not exist.", a.text)
}

// projectARN returns the ARN of a project.
func (s *Server) projectARN(p *fovea.Project) string {
	return fmt.Sprintf("arn:%s:rekognition:%s:%s:project/%s/%d", s.Partition, p.Region, p.Account, p.Name, p.Created.UnixMilli())
}

// datasetARN returns the ARN of a dataset.
func (s *Server) datasetARN(p *fovea.Project, ds *fovea.Dataset) string {
	return fmt.Sprintf("arn:%s:rekognition:%s:%s:project/%s/dataset/%s/%d", s.Partition, p.Region, p.Account, p.Name, ds.Split, ds.Created.UnixMilli())
}

// versionARN returns the ARN of a model version.
func (s *Server) versionARN(v *model.View) string { return versionARN(s.Partition, v.Project, v.Model) }

func versionARN(partition string, p *fovea.Project, m *fovea.Model) string {
	return fmt.Sprintf("arn:%s:rekognition:%s:%s:project/%s/version/%s/%d", partition, p.Region, p.Account, p.Name, m.Name, m.Created.UnixMilli())
}
