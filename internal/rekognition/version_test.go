package rekognition

import (
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/rekognition/api"
)

// members returns which of the members that not every version has a description
// has, in the order of CL-2.14.
func members(d api.ProjectVersionDescription) string {
	var has []string
	for _, m := range []struct {
		name string
		has  bool
	}{
		{"min", d.MinInferenceUnits != 0}, {"max", d.MaxInferenceUnits != 0}, {"billable", d.BillableTrainingTimeInSeconds != nil},
		{"ended", !d.TrainingEndTimestamp.IsZero()}, {"train", d.TrainingDataResult != nil}, {"test", d.TestingDataResult != nil},
		{"output", d.TrainingDataResult != nil && d.TrainingDataResult.Output != nil && d.TestingDataResult.Output != nil},
		{"validation", d.TrainingDataResult != nil && d.TrainingDataResult.Validation != nil && d.TestingDataResult.Validation != nil},
		{"evaluation", d.EvaluationResult != nil}, {"summary", d.ManifestSummary != nil}, {"source", d.SourceProjectVersionArn != ""},
	} {
		if m.has {
			has = append(has, m.name)
		}
	}
	return strings.Join(has, " ")
}

// TestDescribeVersion (CL-2.14, CL-9.40 to CL-9.45, CL-10.8, CL-11.6): the members
// of a description, by what became of the version.
func TestDescribeVersion(t *testing.T) {
	s := &Server{Partition: "aws"}
	p := &fovea.Project{Name: "p", Account: "123456789012", Region: "us-east-1"}
	now := time.UnixMilli(1_800_000_000_000)
	at := func(name string) fovea.ObjectRef { return fovea.ObjectRef{Bucket: "b", Key: name} }
	findings := fovea.TrainingResult{Ended: now, ManifestSummary: at("m"), TrainValidation: at("v"), TestValidation: at("w")}
	whole := findings
	whole.Summary, whole.TrainTruth, whole.TestTruth, whole.Seconds = at("s"), at("t"), at("u"), 7
	const all = "ended train test output validation evaluation summary"
	for _, tt := range []struct {
		name string
		m    fovea.Model
		want string
	}{
		{"in training", fovea.Model{Status: fovea.Training}, ""},
		{"CL-9.43 content errors", fovea.Model{Status: fovea.TrainFailed, Result: &findings}, "ended train test validation summary"},
		{"CL-9.43 CL-9.45 file errors", fovea.Model{Status: fovea.TrainFailed, Result: &fovea.TrainingResult{Ended: now}}, "ended"},
		{"trained", fovea.Model{Status: fovea.Trained, Weights: "w", Result: &whole}, "billable " + all},
		{"CL-10.8 stopped", fovea.Model{Status: fovea.Stopped, Weights: "w", Result: &whole, MinUnits: 1, MaxUnits: 2}, "min max billable " + all},
		{"could not be started", fovea.Model{Status: fovea.StartFailed, Weights: "w", Result: &whole, MinUnits: 1}, "min billable " + all},
		{"being copied", fovea.Model{Status: fovea.Copying, Weights: "w", Result: &whole, Asked: fovea.Asked{Source: "arn"}}, "source"},
		{"CL-11.6 copied", fovea.Model{Status: fovea.Copied, Weights: "w", Result: &whole, Asked: fovea.Asked{Source: "arn"}}, all + " source"},
		{"copy failed", fovea.Model{Status: fovea.CopyFailed, Weights: "w", Result: &whole, Asked: fovea.Asked{Source: "arn"}}, "source"},
	} {
		tt.m.Created = now
		d := s.describeVersion(p, &tt.m)
		if got := members(d); got != tt.want {
			t.Errorf("%s: it has %q, want %q", tt.name, got, tt.want)
		}
		if d.OutputConfig == nil || d.Status == "" || d.Feature != api.CustomizationFeatureCustomLabels {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

// TestDescribeImported: a model that was trained elsewhere, before it was here,
// has no time before its creation, and no place of files that it came without.
func TestDescribeImported(t *testing.T) {
	s := &Server{Partition: "aws"}
	p := &fovea.Project{Name: "p", Account: "123456789012", Region: "us-east-1"}
	now := time.UnixMilli(1_800_000_000_000)
	d := s.describeVersion(p, &fovea.Model{Status: fovea.Trained, Weights: "w", Created: now, Result: &fovea.TrainingResult{Ended: now.Add(-time.Hour), F1: 0.5}})
	if !d.TrainingEndTimestamp.Equal(now) || d.EvaluationResult == nil || d.EvaluationResult.F1Score != 0.5 || d.EvaluationResult.Summary != nil {
		t.Errorf("ended %v, evaluation %+v", d.TrainingEndTimestamp, d.EvaluationResult)
	}
}

// TestDescribeInput (CL-9.41, CL-9.44): what a version was trained with is
// told of manifests and not of datasets, and results have no version.
func TestDescribeInput(t *testing.T) {
	s := &Server{Partition: "aws"}
	p := &fovea.Project{Name: "p", Account: "123456789012", Region: "us-east-1"}
	result := &fovea.TrainingResult{ManifestSummary: fovea.ObjectRef{Bucket: "b", Key: "m"}, TestTruth: fovea.ObjectRef{Bucket: "b", Key: "t"}}
	d := s.describeVersion(p, &fovea.Model{Status: fovea.Trained, Weights: "w", Result: result})
	if in := d.TrainingDataResult.Input; in == nil || in.Assets != nil {
		t.Errorf("of datasets the input is %+v", in)
	}
	if in := d.TestingDataResult.Input; in == nil || in.Assets != nil || in.AutoCreate == nil || *in.AutoCreate {
		t.Errorf("of datasets the input is %+v", in)
	}
	asked := fovea.Asked{TrainManifests: []fovea.ObjectRef{{Bucket: "b", Key: "x", Version: "7"}, {Bucket: "b", Key: "y"}}, AutoSplit: true}
	d = s.describeVersion(p, &fovea.Model{Status: fovea.Trained, Weights: "w", Result: result, Asked: asked})
	in := d.TrainingDataResult.Input.Assets
	if len(in) != 2 || *in[0].GroundTruthManifest.S3Object != (api.S3Object{Bucket: "b", Name: "x", Version: "7"}) || in[1].GroundTruthManifest.S3Object.Name != "y" {
		t.Errorf("of manifests the input is %+v", in)
	}
	if out := d.TestingDataResult; !*out.Input.AutoCreate || !*out.Output.AutoCreate || *out.Output.Assets[0].GroundTruthManifest.S3Object != (api.S3Object{Bucket: "b", Name: "t"}) {
		t.Errorf("the test data is %+v", out)
	}
}

// TestCopyRegions (CL-11.9): a version is copied within its region; another
// account is looked for.
func TestCopyRegions(t *testing.T) {
	s := &Server{Partition: "aws"}
	const here, account = "arn:aws:rekognition:us-east-1:000000000000", "arn:aws:rekognition:us-east-1:111111111111"
	const there = "arn:aws:rekognition:eu-west-1:000000000000"
	for _, tt := range []struct {
		version, source, to string
		kind                fovea.Kind
	}{
		{here, here, there, fovea.Invalid},
		{here, there, here, fovea.Invalid},
		{there, here, here, fovea.Invalid},
		{account, account, account, fovea.NotFound}, // CL-3.8
	} {
		ctx := fovea.WithCaller(t.Context(), fovea.Caller{Account: "000000000000", Region: "us-east-1"})
		_, err := s.copyProjectVersion(ctx, &api.CopyProjectVersionRequest{
			SourceProjectVersionArn: tt.version + ":project/p/version/v/1", SourceProjectArn: tt.source + ":project/p/1", DestinationProjectArn: tt.to + ":project/q/2",
			OutputConfig: &api.OutputConfig{S3Bucket: "b"},
		})
		if err == nil || fovea.KindOf(err) != tt.kind {
			t.Errorf("%+v: %v, want %v", tt, err, tt.kind)
		}
	}
}
