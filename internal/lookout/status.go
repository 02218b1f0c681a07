package lookout

import (
	"strings"
	"time"

	"fovea"
	"fovea/internal/lookout/api"
	"fovea/internal/model"
)

// statuses are what the statuses of a dataset are called (LV 3.1). An update
// that failed has been rolled back by the time it is known to have failed.
var statuses = map[fovea.DatasetStatus]api.DatasetStatus{
	fovea.Creating:     api.DatasetStatusCreateInProgress,
	fovea.Created:      api.DatasetStatusCreateComplete,
	fovea.CreateFailed: api.DatasetStatusCreateFailed,
	fovea.Updating:     api.DatasetStatusUpdateInProgress,
	fovea.Updated:      api.DatasetStatusUpdateComplete,
	fovea.UpdateFailed: api.DatasetStatusUpdateFailedRollbackComplete,
}

// statusMessage returns the StatusMessage of a dataset, which is never empty
// (LV-2.34).
func statusMessage(ds *fovea.Dataset) string {
	switch ds.Status {
	case fovea.Creating:
		return "The dataset is creating." // LV-2.21
	case fovea.Created:
		return "The dataset was created successfully." // LV-2.22
	case fovea.Updating:
		return "The dataset is updating." // LV-3.3
	case fovea.Updated:
		return "The dataset was updated successfully."
	case fovea.UpdateFailed:
		return "The dataset update failed and was rolled back. " + ds.Message
	}
	return ds.Message
}

// modelStatuses are what the statuses of a model are called (LV 3.2). A model
// that was stopped is one that was trained.
var modelStatuses = map[fovea.ModelStatus]api.ModelStatus{
	fovea.Training:    api.ModelStatusTraining,
	fovea.Trained:     api.ModelStatusTrained,
	fovea.TrainFailed: api.ModelStatusTrainingFailed,
	fovea.Starting:    api.ModelStatusStartingHosting,
	fovea.Running:     api.ModelStatusHosted,
	fovea.StartFailed: api.ModelStatusHostingFailed,
	fovea.Stopping:    api.ModelStatusStoppingHosting,
	fovea.Stopped:     api.ModelStatusTrained,
}

// modelMessage returns the StatusMessage of a model (LV-2.72), and behind it how
// far a training is.
func modelMessage(m *fovea.Model) string {
	switch m.Status {
	case fovea.Training:
		return strings.TrimSpace("The model is being trained. " + model.Training(m, time.Now()))
	case fovea.Trained, fovea.Stopped:
		return "Training completed successfully."
	case fovea.Starting:
		return "The model is starting."
	case fovea.Running:
		return "The model is running."
	case fovea.Stopping:
		return "The model is stopping."
	case fovea.StartFailed:
		return "The model couldn't be started. " + m.Message
	}
	return m.Message
}
