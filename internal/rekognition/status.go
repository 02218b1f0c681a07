package rekognition

import (
	"fmt"
	"strings"
	"time"

	"fovea"
	"fovea/internal/model"
	"fovea/internal/rekognition/api"
)

// statuses are what the statuses of a dataset are called (CL 4.2).
var statuses = map[fovea.DatasetStatus]api.DatasetStatus{
	fovea.Creating:     api.DatasetStatusCreateInProgress,
	fovea.Created:      api.DatasetStatusCreateComplete,
	fovea.CreateFailed: api.DatasetStatusCreateFailed,
	fovea.Updating:     api.DatasetStatusUpdateInProgress,
	fovea.Updated:      api.DatasetStatusUpdateComplete,
	fovea.UpdateFailed: api.DatasetStatusUpdateFailed,
}

// created are the messages of a dataset that is complete, by what it was made
// from (CL-2.73, CL 4.2).
var created = map[fovea.Source]string{
	fovea.FromManifest: "The dataset was successfully created from the manifest file.",
	fovea.FromDataset:  "The dataset was successfully created from the existing dataset.",
	fovea.FromNothing:  "The dataset was successfully created.",
}

// statusMessage returns the StatusMessage of a dataset, which is never empty.
func statusMessage(ds *fovea.Dataset) string {
	switch ds.Status {
	case fovea.Creating:
		return "The dataset is being created."
	case fovea.Created:
		return created[ds.Source]
	case fovea.Updating:
		return "The dataset is being updated."
	case fovea.Updated:
		return "The dataset was successfully updated."
	}
	return ds.Message
}

// messageCode returns the StatusMessageCode of a dataset.
func messageCode(ds *fovea.Dataset) api.DatasetStatusMessageCode {
	switch {
	case ds.Status != fovea.CreateFailed && ds.Status != fovea.UpdateFailed:
		return api.DatasetStatusMessageCodeSuccess
	case ds.Ours:
		return api.DatasetStatusMessageCodeServiceError
	}
	return api.DatasetStatusMessageCodeClientError
}

// errStored reports a stored entry that cannot be read any more.
func errStored(dataset string, seq int64) error {
	return fmt.Errorf("entry %d of dataset %s is not JSON", seq, dataset)
}

// versionStatuses are what the statuses of a model are called (CL 4.3).
var versionStatuses = map[fovea.ModelStatus]api.ProjectVersionStatus{
	fovea.Training:    api.ProjectVersionStatusTrainingInProgress,
	fovea.Trained:     api.ProjectVersionStatusTrainingCompleted,
	fovea.TrainFailed: api.ProjectVersionStatusTrainingFailed,
	fovea.Copying:     api.ProjectVersionStatusCopyingInProgress,
	fovea.Copied:      api.ProjectVersionStatusCopyingCompleted,
	fovea.CopyFailed:  api.ProjectVersionStatusCopyingFailed,
	fovea.Starting:    api.ProjectVersionStatusStarting,
	fovea.Running:     api.ProjectVersionStatusRunning,
	fovea.StartFailed: api.ProjectVersionStatusFailed,
	fovea.Stopping:    api.ProjectVersionStatusStopping,
	fovea.Stopped:     api.ProjectVersionStatusStopped,
}

// versionMessages are the messages of a model that did not fail (CL-4.31).
var versionMessages = map[fovea.ModelStatus]string{
	fovea.Training: "The model is being trained.",
	fovea.Trained:  "The model is ready to run.",
	fovea.Copying:  "The model is being copied.",
	fovea.Copied:   "The model is ready to run.",
	fovea.Starting: "The model is starting.",
	fovea.Running:  "The model is running.",
	fovea.Stopping: "The model is stopping.",
	fovea.Stopped:  "The model is stopped.",
}

// versionMessage returns the StatusMessage of a model, which is never empty, and
// behind it how far a training is.
func versionMessage(m *fovea.Model) string {
	if m.Status == fovea.Training {
		return strings.TrimSpace(versionMessages[m.Status] + " " + model.Training(m, time.Now()))
	}
	if text, ok := versionMessages[m.Status]; ok {
		return text
	}
	return m.Message
}
