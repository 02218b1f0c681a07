package sdkmodel_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/awsjson"
	"fovea/internal/lookout/api"
	"fovea/internal/sdkmodel"

	"github.com/google/go-cmp/cmp"
)

func TestInstall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	for range 2 { // a second time replaces the files
		files, err := sdkmodel.Install(dir)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Join(dir, "lookoutvision", "2020-11-20")
		want := []string{
			filepath.Join(base, "endpoint-rule-set-1.json"),
			filepath.Join(base, "paginators-1.json"),
			filepath.Join(base, "service-2.json"),
		}
		if diff := cmp.Diff(want, files); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		found, err := os.ReadDir(base)
		if err != nil || len(found) != len(want) {
			t.Errorf("the folder has %v, %v", found, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil || !json.Valid(text) {
				t.Errorf("%s: %v, JSON: %t", file, err, json.Valid(text))
			}
		}
	}
}

func TestInstallRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sdkmodel.Install(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("err = %v, want one that names the folder", err)
	}
}

// server answers two pages of projects, makes projects and detects anomalies.
func server(t *testing.T) *httptest.Server {
	names := make(map[fovea.Kind]string)
	for k := fovea.Internal; k < fovea.Unsupported; k++ {
		names[k] = "ConflictException"
	}
	a := awsjson.New(awsjson.Config{
		Description: api.Description,
		Errors:      names,
		Log:         slog.New(slog.DiscardHandler),
		Ops: map[string]awsjson.Op{
			"ListProjects": awsjson.Call(func(_ context.Context, in *api.ListProjectsRequest) (*api.ListProjectsResponse, error) {
				out := &api.ListProjectsResponse{Projects: []api.ProjectMetadata{{ProjectName: "p" + in.NextToken}}}
				if in.NextToken == "" {
					out.NextToken = "2"
				}
				return out, nil
			}),
			"CreateProject": awsjson.Call(func(_ context.Context, in *api.CreateProjectRequest) (*api.CreateProjectResponse, error) {
				if in.ProjectName == "taken" {
					return nil, fovea.Errorf(fovea.Exists, "The project taken exists.").About(fovea.ProjectResource, "taken")
				}
				return &api.CreateProjectResponse{ProjectMetadata: &api.ProjectMetadata{
					ProjectName: in.ProjectName, CreationTimestamp: time.UnixMilli(1607277318389),
				}}, nil
			}),
		},
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "/us-east-1/lookoutvision/aws4_request") {
			t.Errorf("signed for something else: %s", r.Header.Get("Authorization"))
		}
		a.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// script makes a client without botocore's own model of the service, from a
// data folder that is made of links to the rest of botocore's data.
const script = `
import json, os, sys
import botocore.loaders, botocore.session
links, models, url = sys.argv[1:]
data = botocore.loaders.Loader.BUILTIN_DATA_PATH
for name in os.listdir(data):
    if name != 'lookoutvision':
        os.symlink(os.path.join(data, name), os.path.join(links, name))
def session(*paths):
    s = botocore.session.Session()
    s.register_component('data_loader', botocore.loaders.Loader(list(paths), include_default_search_paths=False))
    return s
out = {'without': 'lookoutvision' in session(links).get_available_services()}
s = session(links, models)
c = s.create_client('lookoutvision', region_name='us-east-1', endpoint_url=url)
out['pages'] = [p['ProjectName'] for page in c.get_paginator('list_projects').paginate() for p in page['Projects']]
made = c.create_project(ProjectName='a')['ProjectMetadata']
out['made'] = made['ProjectName'], made['CreationTimestamp'].timestamp()
try:
    c.create_project(ProjectName='taken')
except c.exceptions.ConflictException as e:
    out['refused'] = e.response['ResourceType']
out['default'] = s.create_client('lookoutvision', region_name='eu-west-1').meta.endpoint_url
print(json.dumps(out))
`

// TestBotocore calls a server through clients made from the installed files,
// with every Python on this machine that has a botocore.
func TestBotocore(t *testing.T) {
	tested := 0
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import botocore").Run() != nil {
			continue
		}
		tested++
		t.Run(python, func(t *testing.T) {
			models := t.TempDir()
			if _, err := sdkmodel.Install(models); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(python, "-c", script, t.TempDir(), models, server(t).URL)
			cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret",
				"HOME="+t.TempDir(), "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, err.(*exec.ExitError).Stderr)
			}
			var got map[string]any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			want := map[string]any{
				"without": false,
				"pages":   []any{"p", "p2"},
				"made":    []any{"a", 1607277318.389},
				"refused": "PROJECT",
				"default": "https://lookoutvision.eu-west-1.amazonaws.com",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if tested == 0 {
		t.Skip("no Python with botocore on this machine")
	}
}

// TestUserFolder checks the layout that the AWS CLI finds by itself.
func TestUserFolder(t *testing.T) {
	aws, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("no AWS CLI on this machine")
	}
	home := t.TempDir()
	if _, err := sdkmodel.Install(filepath.Join(home, ".aws", "models")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(aws, "lookoutvision", "list-projects", "--region", "us-east-1", "--endpoint-url", server(t).URL)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=secret", "HOME="+home, "AWS_PAGER=", "AWS_DEFAULT_OUTPUT=json")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"ProjectName": "p2"`) {
		t.Errorf("%v: %s", err, out)
	}
}
