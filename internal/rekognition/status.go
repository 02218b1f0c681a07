package rekognition

import (
	"fmt"

	"fovea"
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
