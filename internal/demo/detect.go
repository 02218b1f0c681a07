//lint:file-ignore SA1019 Go v1 is deprecated, and the only one that has Lookout

package demo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/lookoutforvision"
)

// shownVerdicts is how many verdicts are shown, those that are wrong first.
const shownVerdicts = 5

// A verdict is what the model says of a part.
type verdict struct {
	part       *part
	anomalous  bool
	confidence float64
	took       time.Duration
}

// right tells whether the model says what the picture was drawn as.
func (v verdict) right() bool { return v.anomalous == (v.part.defect != "") }

// detectAll has the model judge the lids that are in no dataset, and shows
// how often it is right.
func (s *story) detectAll(ctx context.Context) error {
	unseen := s.lids[lidsTrain+lidsTest:]
	var verdicts []verdict
	for i, p := range unseen {
		s.progress("   DetectAnomalies  %d of %d", i, len(unseen))
		v, err := s.detect(ctx, p)
		if err != nil {
			return err
		}
		verdicts = append(verdicts, v)
	}
	sum := sumUp(verdicts)
	s.say("   DetectAnomalies  on %d that it has not seen, %d of them spoiled: %d judged right,", len(unseen), spoiled(unseen), sum.right)
	s.say("                    %d overlooked, %s, F1 %.2f, %d ms a picture",
		sum.overlooked, count(sum.alarms, "false alarm"), sum.f1(), sum.took.Milliseconds()/int64(max(len(verdicts), 1)))
	s.say("")
	s.say("   %-16s %-14s %-12s %10s", "image", "drawn with", "model says", "confidence")
	for _, v := range examples(verdicts, shownVerdicts) {
		said, wrong := "normal", ""
		if v.anomalous {
			said = "anomalous"
		}
		if !v.right() {
			wrong = "   wrong"
		}
		s.say("   %-16s %-14s %-12s %10.2f%s", v.part.name, cmp.Or(v.part.defect, "no defect"), said, v.confidence, wrong)
	}
	s.say("   Drawings are easier than photographs: what a model is worth on yours, DescribeModel says.")
	return nil
}

// detect downloads the picture of a lid and asks the model about it.
func (s *story) detect(ctx context.Context, p *part) (v verdict, err error) {
	bucket, key := lidBucket, imageKey(p.name)
	object, err := s.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return v, fmt.Errorf("download s3://%s/%s: %w", bucket, key, err)
	}
	defer object.Body.Close()
	photo, err := io.ReadAll(object.Body)
	if err != nil {
		return v, fmt.Errorf("download s3://%s/%s: %w", bucket, key, err)
	}
	began := time.Now()
	out, err := s.vision.DetectAnomaliesWithContext(ctx, &lookoutforvision.DetectAnomaliesInput{
		ProjectName: aws.String(lidProject), ModelVersion: aws.String(modelVersion),
		ContentType: aws.String("image/jpeg"), Body: bytes.NewReader(photo),
	})
	if err != nil {
		return v, fmt.Errorf("detect anomalies in %s: %w", p.name, err)
	}
	r := value(out.DetectAnomalyResult)
	return verdict{part: p, anomalous: value(r.IsAnomalous), confidence: value(r.Confidence), took: time.Since(began)}, nil
}

// A summary counts verdicts.
type summary struct {
	right, found, overlooked, alarms int
	took                             time.Duration
}

// sumUp counts verdicts.
func sumUp(verdicts []verdict) (s summary) {
	for _, v := range verdicts {
		s.took += v.took
		switch {
		case !v.right() && v.anomalous:
			s.alarms++
		case !v.right():
			s.overlooked++
		default:
			s.right++
			if v.anomalous {
				s.found++
			}
		}
	}
	return s
}

// f1 returns the F1 score of finding defects; 0 if none was found.
func (s summary) f1() float64 {
	if s.found == 0 {
		return 0
	}
	return 2 * float64(s.found) / float64(2*s.found+s.overlooked+s.alarms)
}

// examples returns up to n verdicts to show: the wrong ones, then the first of
// each defect and of none.
func examples(verdicts []verdict, n int) (show []verdict) {
	for _, v := range verdicts {
		if !v.right() && len(show) < n {
			show = append(show, v)
		}
	}
	seen := make(map[string]bool)
	for _, v := range verdicts {
		if v.right() && !seen[v.part.defect] && len(show) < n {
			seen[v.part.defect] = true
			show = append(show, v)
		}
	}
	return show
}
