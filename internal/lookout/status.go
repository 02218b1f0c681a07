package lookout

import (
	"fovea"
	"fovea/internal/lookout/api"
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
