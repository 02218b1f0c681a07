package fovea

import (
	"slices"
	"time"
)

// A Split says what a dataset is for.
type Split string

// The splits.
const (
	Train Split = "train"
	Test  Split = "test"
)

// A DatasetStatus is what the last operation on a dataset came to. The
// protocols translate it to their own words.
type DatasetStatus string

// The statuses of a dataset.
const (
	Creating     DatasetStatus = "creating"
	Created      DatasetStatus = "created"
	CreateFailed DatasetStatus = "create_failed"
	Updating     DatasetStatus = "updating"
	Updated      DatasetStatus = "updated"
	UpdateFailed DatasetStatus = "update_failed"
)

// datasetMoves lists what each status may become (CL-4.2, LV-3.1).
var datasetMoves = map[DatasetStatus][]DatasetStatus{
	"":           {Creating, Created},
	Creating:     {Created, CreateFailed},
	Created:      {Updating},
	Updating:     {Updated, UpdateFailed},
	Updated:      {Updating},
	UpdateFailed: {Updating},
}

// A Source says what a dataset was made from.
type Source string

// The sources.
const (
	FromManifest Source = "manifest"
	FromDataset  Source = "dataset"
	FromNothing  Source = "nothing"
)

// A Dataset is the labelled images of one split of a project. What it holds is
// in its current revision.
type Dataset struct {
	ID       DatasetID
	Project  ProjectID
	Split    Split
	Created  time.Time // whole milliseconds
	Updated  time.Time // when Status last changed
	Status   DatasetStatus
	Source   Source
	Message  string // why, when Status is a failure
	Ours     bool   // the failure is the server's fault and not the data's
	Revision int64  // number of the current revision; 0 while there is none
}

// Move takes the dataset to another status, or reports InUse if it cannot get
// there from where it is. It clears the message of the last failure.
func (d *Dataset) Move(to DatasetStatus, now time.Time) error {
	if !slices.Contains(datasetMoves[d.Status], to) {
		return Errorf(InUse, "the %s dataset is %s and cannot become %s", d.Split, d.Status, to)
	}
	d.Status, d.Message, d.Ours, d.Updated = to, "", false, now
	return nil
}

// Fail takes the dataset from Creating or Updating to the failure of it, with
// the reason. Ours says that the server and not the data is to blame.
func (d *Dataset) Fail(message string, ours bool, now time.Time) error {
	to := CreateFailed
	if d.Status == Updating {
		to = UpdateFailed
	}
	if err := d.Move(to, now); err != nil {
		return err
	}
	d.Message, d.Ours = message, ours
	return nil
}

// InProgress reports whether a job is changing the dataset.
func (d *Dataset) InProgress() bool { return d.Status == Creating || d.Status == Updating }

// Usable reports whether the dataset has content that can be listed, copied,
// changed and trained on.
func (d *Dataset) Usable() bool {
	return d.Status == Created || d.Status == Updated || d.Status == UpdateFailed
}
