package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// sdk returns the folder of the module with the descriptions.
func sdk(t *testing.T) string {
	t.Helper()
	dir, err := sdkDir(root)
	if errors.Is(err, errNoModule) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFilesAreCurrent(t *testing.T) {
	files, err := generate(sdk(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 6 {
		t.Errorf("%d files", len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run make gen", name)
		}
	}
}

// TestOperations checks the two counts of the specification: 23 operations
// (CL-2.1) and 22 (LV-1.6).
func TestOperations(t *testing.T) {
	dir := sdk(t)
	for i, want := range []int{23, 22} {
		m, err := readModel(modelFile(dir, targets[i].model), targets[i].operations)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(m.Operations); got != want {
			t.Errorf("%s: %d operations, want %d", targets[i].model, got, want)
		}
	}
}

// TestLaterMembers says that the pinned module has the members that came late
// to Custom Labels, so that the overlay need not add them.
func TestLaterMembers(t *testing.T) {
	m, err := readModel(modelFile(sdk(t), targets[0].model), targets[0].operations)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"CreateDatasetRequest.Tags", "CreateProjectRequest.Tags", "CreateProjectRequest.Feature",
		"CreateProjectRequest.AutoUpdate", "DescribeProjectsRequest.Features", "CreateProjectVersionRequest.VersionDescription",
		"CreateProjectVersionRequest.FeatureConfig", "ProjectVersionDescription.BaseModelVersion"} {
		s, member, _ := strings.Cut(name, ".")
		if !m.find(s).has(member) {
			t.Errorf("no %s", name)
		}
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name    string
		shape   shape
		overlay overlay
		want    string
	}{
		{"a pattern that Go refuses", shape{Pattern: "(?!aws:).*"}, overlay{}, "needs a pattern"},
		{"a pattern with too long a repetition", shape{Pattern: "a{0,2048}"}, overlay{}, "needs a pattern"},
		{"an override that Go refuses", shape{Pattern: "(?!a)"}, overlay{patterns: map[string]pattern{"S": {expr: "("}}}, "of the overlay"},
		{"an override that nothing needs", shape{Pattern: "a"}, overlay{patterns: map[string]pattern{"S": {expr: "b"}}}, "compiles"},
		{"an override of no shape", shape{}, overlay{patterns: map[string]pattern{"T": {expr: "b"}}}, "does not have"},
		{"a member that does not exist", shape{}, overlay{always: []string{"S.M"}}, "does not have"},
		{"a shape that does not exist", shape{}, overlay{zeroAbsent: []string{"T.*"}}, "does not have"},
		{"folding what is no enumeration", shape{}, overlay{fold: []string{"S"}}, "no enumeration"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.shape.Name = "S"
			m := &model{Shapes: []*shape{&tt.shape}}
			if err := m.apply(tt.overlay); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("err = %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestReadModelRefuses checks that what the generator does not know is an
// error, since it may be a constraint.
func TestReadModelRefuses(t *testing.T) {
	const good = `{"operations":{"Do":{"name":"Do","http":{"method":"POST","requestUri":"/"},
		"input":{"shape":"In"},"output":{"shape":"In"}}},"shapes":{"In":{"type":"structure","members":{"A":{"shape":"T"}}},"T":{"type":"string"}}}`
	for _, tt := range []struct {
		name, old, new string
		ok             bool
	}{
		{"the good one", "", "", true},
		{"an unknown trait of a shape", `"type":"string"`, `"type":"string","multipleOf":2`, false},
		{"an unknown trait of a member", `{"shape":"T"}`, `{"shape":"T","hostLabel":true}`, false},
		{"an unknown trait of an operation", `"name":"Do"`, `"name":"Do","endpoint":{}`, false},
		{"a shape that is not there", `{"shape":"T"}`, `{"shape":"U"}`, false},
		{"no JSON", `{"operations"`, `{operations`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "api-2.json")
			if err := os.WriteFile(file, []byte(strings.Replace(good, tt.old, tt.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := readModel(file, nil); (err == nil) != tt.ok {
				t.Errorf("err = %v, want one: %t", err, !tt.ok)
			}
		})
	}
	if _, err := readModel(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("no error for a file that is not there")
	}
}

// TestFieldType checks how a member that may be absent is held.
func TestFieldType(t *testing.T) {
	m := &model{
		overlay: overlay{always: []string{"S.Stats"}, zeroAbsent: []string{"S.Rare"}},
		Shapes: []*shape{
			{Name: "S", Type: "structure", Required: []string{"Must"}},
			{Name: "Count", Type: "integer", Min: new(int64(0))},
			{Name: "Units", Type: "integer", Min: new(int64(1))},
			{Name: "Flag", Type: "boolean"},
			{Name: "Text", Type: "string"},
			{Name: "Time", Type: "timestamp"},
			{Name: "Share", Type: "float"},
			{Name: "Kinds", Type: "list", Member: &ref{Shape: "Kind"}},
			{Name: "Kind", Type: "string", Enum: []string{"A"}},
			{Name: "Tags", Type: "map", Key: &ref{Shape: "Text"}, Value: &ref{Shape: "Text"}},
			{Name: "Bytes", Type: "blob"},
			{Name: "Flow", Type: "blob", Streaming: true},
		},
	}
	for _, tt := range []struct{ member, shape, want string }{
		{"M", "Count", "*int"}, {"Must", "Count", "int"}, {"Rare", "Count", "int"}, {"M", "Units", "int"},
		{"M", "Flag", "*bool"}, {"M", "Text", "string"}, {"M", "Time", "time.Time"}, {"M", "Share", "*float32"},
		{"M", "S", "*S"}, {"Stats", "S", "S"}, {"Must", "S", "*S"}, {"M", "Kinds", "[]Kind"},
		{"M", "Tags", "map[string]string"}, {"M", "Bytes", "[]byte"}, {"M", "Flow", "io.Reader"},
	} {
		if got := m.fieldType(m.Shapes[0], tt.member, ref{Shape: tt.shape}); got != tt.want {
			t.Errorf("%s of shape %s is a %s, want %s", tt.member, tt.shape, got, tt.want)
		}
	}
}

// TestServiceModel checks that botocore gets every fact of the description.
func TestServiceModel(t *testing.T) {
	dir := sdk(t)
	files, err := generate(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"service-2.json", "paginators-1.json"} {
		original := strings.Replace(name, "service", "api", 1)
		text, err := os.ReadFile(filepath.Join(dir, "models/apis/lookoutvision/2020-11-20", original))
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := errors.Join(json.Unmarshal(text, &want), json.Unmarshal(files[targets[1].botocore+"/"+name], &got)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
