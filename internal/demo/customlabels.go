package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/rekognition/types"
)

// The projects of Custom Labels.
const (
	plateProject = "plates"
	copyProject  = "plates-copy"
)

// A source is what a dataset is made from, and how that is told.
type source struct {
	told string
	from *types.DatasetSource // nil for an empty dataset
}

// customLabels creates datasets from manifests, from another dataset and from
// nothing, and shows what became of the broken lines.
func (s *story) customLabels(ctx context.Context) error {
	s.title("2  Rekognition Custom Labels: which parts does an image show, and where?")
	s.say("   %-11s %-5s %-32s %-15s %7s %7s %6s %7s", "project", "type", "made from", "status", "entries", "labeled", "labels", "errors")
	plates, err := s.createProject(ctx, plateProject)
	if err != nil {
		return err
	}
	s.trainARN, err = s.createDataset(ctx, plateProject, plates, types.DatasetTypeTrain, inManifest(trainKey))
	if err != nil {
		return err
	}
	if _, err := s.createDataset(ctx, plateProject, plates, types.DatasetTypeTest, inManifest(testKey)); err != nil {
		return err
	}
	copies, err := s.createProject(ctx, copyProject)
	if err != nil {
		return err
	}
	likewise := source{"a copy of plates TRAIN", &types.DatasetSource{DatasetArn: &s.trainARN}}
	if _, err := s.createDataset(ctx, copyProject, copies, types.DatasetTypeTrain, likewise); err != nil {
		return err
	}
	nothing := source{told: "nothing, to be filled later"}
	if _, err := s.createDataset(ctx, copyProject, copies, types.DatasetTypeTest, nothing); err != nil {
		return err
	}
	if err := s.showLabels(ctx, s.trainARN); err != nil {
		return err
	}
	return s.showPlateErrors(ctx, s.trainARN)
}

// inManifest is a manifest of plates as a source.
func inManifest(key string) source {
	bucket := plateBucket
	return source{"s3://" + bucket + "/" + key, &types.DatasetSource{
		GroundTruthManifest: &types.GroundTruthManifest{S3Object: &types.S3Object{Bucket: &bucket, Name: &key}},
	}}
}

// createProject creates a project of Custom Labels and returns its ARN.
func (s *story) createProject(ctx context.Context, name string) (arn string, err error) {
	out, err := s.custom.CreateProject(ctx, &rekognition.CreateProjectInput{ProjectName: &name})
	if err != nil {
		return "", fmt.Errorf("create the project %s: %w", name, err)
	}
	return value(out.ProjectArn), nil
}

// createDataset creates a dataset, waits until it is complete and shows its
// statistics. It returns its ARN.
func (s *story) createDataset(ctx context.Context, project, projectARN string, kind types.DatasetType, from source) (arn string, err error) {
	out, err := s.custom.CreateDataset(ctx, &rekognition.CreateDatasetInput{
		ProjectArn: &projectARN, DatasetType: kind, DatasetSource: from.from,
	})
	if err != nil {
		return "", fmt.Errorf("create the %s dataset of %s: %w", kind, project, err)
	}
	arn = value(out.DatasetArn)
	var d types.DatasetDescription
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		got, err := s.custom.DescribeDataset(ctx, &rekognition.DescribeDatasetInput{DatasetArn: &arn})
		if err != nil {
			return false, err
		}
		d = value(got.DatasetDescription)
		s.progress("   %-11s %-5s %-32s %s", project, kind, from.told, d.Status)
		return d.Status != types.DatasetStatusCreateInProgress, nil
	})
	if err != nil {
		return "", fmt.Errorf("describe the %s dataset of %s: %w", kind, project, err)
	}
	if d.Status != types.DatasetStatusCreateComplete {
		return "", fmt.Errorf("the %s dataset of %s is %s: %s", kind, project, d.Status, value(d.StatusMessage))
	}
	st := value(d.DatasetStats)
	s.say("   %-11s %-5s %-32s %-15s %7d %7d %6d %7d", project, kind, from.told, d.Status,
		value(st.TotalEntries), value(st.LabeledEntries), value(st.TotalLabels), value(st.ErrorEntries))
	return arn, nil
}

// showLabels shows the labels of a dataset.
func (s *story) showLabels(ctx context.Context, arn string) error {
	out, err := s.custom.ListDatasetLabels(ctx, &rekognition.ListDatasetLabelsInput{DatasetArn: &arn})
	if err != nil {
		return fmt.Errorf("list the labels of %s: %w", arn, err)
	}
	var labels []string
	for _, l := range out.DatasetLabelDescriptions {
		labels = append(labels, fmt.Sprintf("%s in %s", value(l.LabelName), count(int(value(value(l.LabelStats).EntryCount)), "image")))
	}
	s.text(3, "Labels of plates TRAIN: "+strings.Join(labels, ", ")+".")
	return nil
}

// showPlateErrors shows what the import report says of the training manifest,
// and which of it AWS's own API tells too.
func (s *story) showPlateErrors(ctx context.Context, train string) error {
	listed, err := s.listedErrors(ctx, train)
	if err != nil {
		return err
	}
	rep, err := s.importReport(ctx, "custom-labels", plateProject, "train")
	if err != nil {
		return err
	}
	s.say("")
	s.text(3, fmt.Sprintf("%d of the %d lines of %s are broken on purpose. What fovea says of them:", brokenPlates, rep.Lines, trainKey))
	s.showFindings(rep, func(f finding) string {
		switch {
		case f.Severity == "fatal":
			return "dropped"
		case listed[f.SourceRef][f.Code]:
			return "in cl-errors"
		}
		return f.Severity
	})
	s.text(3, "Clients are told no dropped lines. "+rep.share())
	return nil
}
