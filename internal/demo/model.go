//lint:file-ignore SA1019 Go v1 is deprecated, and the only one that has Lookout

package demo

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/lookoutforvision"
)

// modelVersion is the version of the one model of the story: Lookout counts
// them from 1.
const modelVersion = "1"

// model trains a model of the lids, starts it, and has it judge lids that it
// has not seen.
func (s *story) model(ctx context.Context) error {
	s.title("4  Train a model on the processors of this machine, start it, and show it lids it has never seen")
	project, bucket, prefix, version := lidProject, lidBucket, "models/", modelVersion
	began := time.Now()
	_, err := s.vision.CreateModelWithContext(ctx, &lookoutforvision.CreateModelInput{
		ProjectName:  &project,
		OutputConfig: &lookoutforvision.OutputConfig{S3Location: &lookoutforvision.S3Location{Bucket: &bucket, Prefix: &prefix}},
	})
	if err != nil {
		return fmt.Errorf("create a model of %s: %w", project, err)
	}
	m, err := s.awaitModel(ctx, "CreateModel", lookoutforvision.ModelStatusTraining, lookoutforvision.ModelStatusTrained)
	if err != nil {
		return err
	}
	p := value(m.Performance)
	s.say("   CreateModel      %s in %.1f seconds, from the %d images of lids train", value(m.Status), time.Since(began).Seconds(), lidsTrain)
	s.say("   DescribeModel    on the %d of lids test: precision %.2f, recall %.2f, F1 %.2f", lidsTest, value(p.Precision), value(p.Recall), value(p.F1Score))
	_, err = s.vision.StartModelWithContext(ctx, &lookoutforvision.StartModelInput{ProjectName: &project, ModelVersion: &version, MinInferenceUnits: aws.Int64(1)})
	if err != nil {
		return fmt.Errorf("start the model of %s: %w", project, err)
	}
	if m, err = s.awaitModel(ctx, "StartModel", lookoutforvision.ModelStatusStartingHosting, lookoutforvision.ModelStatusHosted); err != nil {
		return err
	}
	s.say("   StartModel       %s", value(m.Status))
	return s.detectAll(ctx)
}

// awaitModel waits until the model is no longer as it is while it works, and
// returns it. Another status than the one that is wanted is an error.
func (s *story) awaitModel(ctx context.Context, call, working, want string) (m lookoutforvision.ModelDescription, err error) {
	project, version := lidProject, modelVersion
	err = poll(ctx, func(ctx context.Context) (bool, error) {
		out, err := s.vision.DescribeModelWithContext(ctx, &lookoutforvision.DescribeModelInput{ProjectName: &project, ModelVersion: &version})
		if err != nil {
			return false, err
		}
		m = value(out.ModelDescription)
		s.progress("   %s", cmp.Or(value(m.StatusMessage), call+": "+value(m.Status)))
		return value(m.Status) != working, nil
	})
	if err != nil {
		return m, fmt.Errorf("describe the model of %s: %w", project, err)
	}
	if value(m.Status) != want {
		return m, fmt.Errorf("the model of %s is %s: %s", project, value(m.Status), value(m.StatusMessage))
	}
	return m, nil
}
