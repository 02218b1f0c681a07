package model

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path"

	"fovea"
	"fovea/internal/appraisal"
)

// reportFile is what the report about a training is called, beside its weights.
const reportFile = "report.json"

// reportName returns the name in Blobs of the report that belongs to weights.
func reportName(weights string) string { return path.Dir(weights) + "/" + reportFile }

// PutReport stores what is known about the model besides its evaluation files,
// which replaces any that the run has stored before. It comes after PutWeights,
// because the report is kept beside the weights.
func (r *Run) PutReport(ctx context.Context, report *appraisal.Report) error {
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("the report about the model: %w", err)
	}
	if len(text) > appraisal.MaxBytes {
		return fmt.Errorf("the report about the model has %d bytes, more than %d", len(text), appraisal.MaxBytes)
	}
	if _, err := r.ops.Blobs.Put(ctx, reportName(r.weights), bytes.NewReader(text)); err != nil {
		return fmt.Errorf("store the report about the model: %w", err)
	}
	return nil
}

// Report opens the report about a model's training, in JSON: an
// appraisal.Report. A copy of a model has that of its source. A model without
// weights is NotReady, one whose training left no report NotFound.
func (o *Ops) Report(ctx context.Context, m *fovea.Model) (fovea.Blob, error) {
	if m.Weights == "" {
		return nil, fovea.Errorf(fovea.NotReady, "The model %s is %s and has no report.", m.Name, m.Status)
	}
	blob, err := o.Blobs.Open(ctx, reportName(m.Weights))
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return nil, fovea.Errorf(fovea.NotFound, "The model %s has no report: it was trained before there were any.", m.Name)
	}
	return blob, err
}
