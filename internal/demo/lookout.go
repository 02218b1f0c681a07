//lint:file-ignore SA1019 Go v1 is deprecated, and the only one that has Lookout

package demo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go/service/lookoutforvision"
)

// The projects of Lookout.
const (
	flangeProject = "flanges"
	brokenProject = "flanges-bad"
	lidProject    = "lids"
)

// lookout creates datasets from manifests, and shows how an import fails.
func (s *story) lookout(ctx context.Context) error {
	s.title("3  Lookout for Vision: is a part good, and if not, what is wrong where?")
	s.say("   %-11s %-5s %-32s %-15s %7s %7s %6s %7s", "project", "type", "made from", "status", "images", "labeled", "normal", "anomaly")
	var failed lookoutforvision.DatasetDescription
	for _, d := range []struct{ project, kind, bucket, key string }{
		{flangeProject, "train", flangeBucket, trainKey}, {flangeProject, "test", flangeBucket, testKey},
		{lidProject, "train", lidBucket, trainKey}, {lidProject, "test", lidBucket, testKey},
		{brokenProject, "train", flangeBucket, brokenKey},
	} {
		if d.kind == "train" {
			in := &lookoutforvision.CreateProjectInput{ProjectName: &d.project}
			if _, err := s.vision.CreateProjectWithContext(ctx, in); err != nil {
				return fmt.Errorf("create the project %s: %w", d.project, err)
			}
		}
		got, err := s.createLookoutDataset(ctx, d.project, d.kind, d.bucket, d.key)
		if err != nil {
			return err
		}
		status := value(got.Status)
		switch bad := d.key == brokenKey; {
		case bad && status == lookoutforvision.DatasetStatusCreateFailed:
			failed = got
		case bad || status != lookoutforvision.DatasetStatusCreateComplete:
			return fmt.Errorf("the %s dataset of %s is %s: %s", d.kind, d.project, status, value(got.StatusMessage))
		}
	}
	return s.showFailure(ctx, failed)
}

// createLookoutDataset creates a dataset from a manifest, waits until it is
// complete or has failed, and shows its statistics.
func (s *story) createLookoutDataset(ctx context.Context, project, kind, bucket, key string) (d lookoutforvision.DatasetDescription, err error) {
	told := "s3://" + bucket + "/" + key
	in := &lookoutforvision.CreateDatasetInput{ProjectName: &project, DatasetType: &kind}
	in.DatasetSource = &lookoutforvision.DatasetSource{GroundTruthManifest: &lookoutforvision.DatasetGroundTruthManifest{
		S3Object: &lookoutforvision.InputS3Object{Bucket: &bucket, Key: &key},
	}}
	if _, err := s.vision.CreateDatasetWithContext(ctx, in); err != nil {
		return d, fmt.Errorf("create the %s dataset of %s: %w", kind, project, err)
	}
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		out, err := s.vision.DescribeDatasetWithContext(ctx, &lookoutforvision.DescribeDatasetInput{ProjectName: &project, DatasetType: &kind})
		if err != nil {
			return false, err
		}
		d = value(out.DatasetDescription)
		s.progress("   %-11s %-5s %-32s %s", project, kind, told, value(d.Status))
		return value(d.Status) != lookoutforvision.DatasetStatusCreateInProgress, nil
	})
	if err != nil {
		return d, fmt.Errorf("describe the %s dataset of %s: %w", kind, project, err)
	}
	st := value(d.ImageStats)
	s.say("   %-11s %-5s %-32s %-15s %7d %7d %6d %7d", project, kind, told, value(d.Status),
		value(st.Total), value(st.Labeled), value(st.Normal), value(st.Anomaly))
	return d, nil
}

// showFailure shows why an import failed.
func (s *story) showFailure(ctx context.Context, d lookoutforvision.DatasetDescription) error {
	rep, err := s.importReport(ctx, "lookout", brokenProject, "train")
	if err != nil {
		return err
	}
	s.say("")
	s.text(3, fmt.Sprintf("Lookout takes all or nothing. %s says: %q", value(d.ProjectName), value(d.StatusMessage)))
	s.text(3, "That is its StatusMessage, about the first broken line. The import report has all of them:")
	s.showFindings(rep, func(f finding) string {
		if f.Severity == "fatal" {
			return "refused"
		}
		return f.Severity
	})
	return nil
}
