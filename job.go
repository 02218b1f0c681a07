package fovea

import (
	"errors"
	"time"
)

// ErrElsewhere is the error of a job that this node cannot do and others perhaps
// can: they are left to claim it, and it is tried here again.
var ErrElsewhere = errors.New("this is for another node to do")

// JobArgs are the arguments of a kind of job: a struct that JSON can carry.
// All kinds are in this file.
type JobArgs interface {
	// Kind names the kind of job, in the past and future of a database.
	Kind() string
	// Unique names the job among all that are queued or running: a second
	// one of the name is not added. "" means every one is its own.
	Unique() string
}

// since returns what is Unique about a job of that kind for something that became
// what it is at a time.
func since(kind string, id int64, at time.Time) string {
	return kind + "/" + FormatID(id) + "/" + FormatID(at.UnixMilli())
}

// ImportJob fills a dataset from a manifest.
type ImportJob struct {
	Dataset  DatasetID
	Manifest ObjectInfo // pinned when the call was made
	Caller   string
}

// Kind implements JobArgs.
func (ImportJob) Kind() string { return "import" }

// Unique implements JobArgs: a dataset is imported once.
func (j ImportJob) Unique() string { return "import/" + FormatID(int64(j.Dataset)) }

// UpdateJob applies changes to a dataset.
type UpdateJob struct {
	Dataset DatasetID
	Changes string    // name of the changes in Blobs: lines of a manifest
	Since   time.Time // when the dataset became Updating for it
	Caller  string
}

// Kind implements JobArgs.
func (UpdateJob) Kind() string { return "update" }

// Unique implements JobArgs.
func (j UpdateJob) Unique() string { return "update/" + j.Changes }

// DistributeJob moves entries of a project's train dataset to its test dataset.
type DistributeJob struct {
	Train, Test DatasetID
	Since       time.Time // when both became Updating for it
	Caller      string
}

// Kind implements JobArgs.
func (DistributeJob) Kind() string { return "distribute" }

// Unique implements JobArgs.
func (j DistributeJob) Unique() string { return since(j.Kind(), int64(j.Train), j.Since) }

// TrainJob trains a model.
type TrainJob struct{ Model ModelID }

// Kind implements JobArgs.
func (TrainJob) Kind() string { return "train" }

// Unique implements JobArgs: a model is trained once.
func (j TrainJob) Unique() string { return "train/" + FormatID(int64(j.Model)) }

// CopyModelJob gives a model the weights and the files of another.
type CopyModelJob struct{ Model, From ModelID }

// Kind implements JobArgs.
func (CopyModelJob) Kind() string { return "copy-model" }

// Unique implements JobArgs.
func (j CopyModelJob) Unique() string { return "copy-model/" + FormatID(int64(j.Model)) }

// StartJob takes a model that is starting to where it is going.
type StartJob struct {
	Model ModelID
	Since time.Time // when it began
}

// Kind implements JobArgs.
func (StartJob) Kind() string { return "start" }

// Unique implements JobArgs.
func (j StartJob) Unique() string { return since(j.Kind(), int64(j.Model), j.Since) }

// HostJob takes a model that is stopping to where it is going, and one that is
// starting whose start is from before there was StartJob. Unlike a start it
// waits for nothing.
type HostJob struct {
	Model ModelID
	Since time.Time // when it began
}

// Kind implements JobArgs.
func (HostJob) Kind() string { return "host" }

// Unique implements JobArgs.
func (j HostJob) Unique() string { return since(j.Kind(), int64(j.Model), j.Since) }

// SweepJob removes what nothing reaches any more: segments, reports, weights,
// finished jobs, expired client tokens.
type SweepJob struct{}

// Kind implements JobArgs.
func (SweepJob) Kind() string { return "sweep" }

// Unique implements JobArgs.
func (SweepJob) Unique() string { return "sweep" }

// A Job is a queued job as the runner and its handlers see it.
type Job struct {
	ID       JobID
	Kind     string
	Args     []byte // JSON of the JobArgs
	Attempt  int    // 1 for the first
	Failures int    // how many attempts ended in an error; the others ended with their process
	Queued   time.Time
	Worker   string // who runs it; set by RunningJobs only
}
