package fovea

import (
	"slices"
	"time"
)

// A ModelID identifies a model for ever.
type ModelID int64

// A ModelStatus is what the last operation on a model came to. The protocols
// translate it to their own words.
type ModelStatus string

// The statuses of a model.
const (
	Training    ModelStatus = "training"
	Trained     ModelStatus = "trained"
	TrainFailed ModelStatus = "train_failed"
	Copying     ModelStatus = "copying"
	Copied      ModelStatus = "copied"
	CopyFailed  ModelStatus = "copy_failed"
	Starting    ModelStatus = "starting"
	Running     ModelStatus = "running"
	StartFailed ModelStatus = "start_failed"
	Stopping    ModelStatus = "stopping"
	Stopped     ModelStatus = "stopped"
)

// modelMoves lists what each status may become (CL-4.3, LV-3.2). From which of
// them a model may be stopped differs: Profile.StopFrom says it.
var modelMoves = map[ModelStatus][]ModelStatus{
	"":          {Training, Copying},
	Training:    {Trained, TrainFailed},
	Copying:     {Copied, CopyFailed},
	Trained:     {Starting},
	Copied:      {Starting},
	Stopped:     {Starting},
	StartFailed: {Starting, Stopping},
	Starting:    {Running, StartFailed, Stopping},
	Running:     {Stopping, StartFailed},
	Stopping:    {Stopped},
}

// A Model is a version of what a project's datasets teach: what was asked for,
// how far it is, and once it is trained where its weights are and what they are
// worth.
type Model struct {
	ID      ModelID
	Project ProjectID
	Name    string    // of the version: a decimal number for Lookout (LV-2.63)
	Created time.Time // whole milliseconds; unique for a project (CL-3.9)
	Updated time.Time // when Status last changed
	Status  ModelStatus
	Message string // why, when Status is a failure
	Ours    bool   // the failure is the server's fault and not the data's

	Began    time.Time // when the last attempt at the training began; zero before the first
	Progress float64   // share of the training that is done, 0 to 1
	Stage    string    // what the training is at, for people
	Waiting  Wait      // of the training for a node that has its backbone; zero while it does not wait

	MinUnits int // inference units of the last start; 0 if it was never started
	MaxUnits int // 0 for none given

	// Train and Test are the revisions that it is trained and tested on. They
	// are kept while the model is there, unless their dataset is deleted. A
	// Number of 0 stands for none.
	Train RevisionKey
	Test  RevisionKey

	Weights string // name in Blobs; "" while there are none
	Asked   Asked
	Result  *TrainingResult // nil until the training has ended

	// Thresholds are those that were set by label, from 0 to 1, in place of
	// what training chose (Result.Thresholds).
	Thresholds map[string]float64
}

// A Wait says since when something is waited for, and when it was missed last.
type Wait struct{ Since, Seen time.Time }

// Miss notes that what is waited for is missing now. It is looked for about every
// so often: time in which nobody looked, because all nodes were off or busy, does
// not count, and Since moves on by it.
func (w *Wait) Miss(now time.Time, every time.Duration) {
	gap := now.Sub(w.Seen)
	switch {
	case w.Since.IsZero():
		w.Since = now
	case gap > 2*every:
		w.Since = w.Since.Add(gap)
	}
	w.Seen = now
}

// Asked is what was asked for when a model was made.
type Asked struct {
	Output      ObjectRef // the bucket, and as Key the prefix, of what training writes
	KMSKey      string
	Description string
	Caller      string

	// Manifests to train and test with instead of the project's datasets, and
	// whether a part of the former becomes the latter.
	TrainManifests []ObjectRef
	TestManifests  []ObjectRef
	AutoSplit      bool

	// Pinned are the states of the former and then the latter that every attempt
	// at the training reads (CL-9.12); nil before the first reads them.
	Pinned []ObjectInfo `json:",omitempty"`

	Source string // ARN of the model that it is a copy of

	// Backbone is the network that it is to be trained with, name and SHA-256
	// with a blank between; "" for the one that comes with the program.
	Backbone string
}

// A TrainingResult is what became of a training.
type TrainingResult struct {
	Ended   time.Time
	Seconds int64  // of work
	Code    string // that made it: version of fovea, and of the recipe
	Recipe  string // kind of model, such as "classification"

	// Backbone is the network that the model looks through, name and SHA-256
	// with a blank between; "" for one that needs none.
	Backbone string

	// Thresholds are from which score on labels are assumed, from 0 to 1. It has
	// all labels of the model, those of areas with AreaPrefix.
	Thresholds map[string]float64

	Precision float64
	Recall    float64
	F1        float64

	// Files that were written to the users' S3; a zero reference for one that
	// was not.
	Summary         ObjectRef // evaluation
	TrainTruth      ObjectRef // snapshots of what was used; Lookout: none
	TestTruth       ObjectRef
	ManifestSummary ObjectRef
	TrainValidation ObjectRef
	TestValidation  ObjectRef
}

// AreaPrefix is what the names of the labels of areas begin with where they are
// among labels of whole images, so that the two cannot be the same.
const AreaPrefix = "mask:"

// Threshold returns from which score on a label is assumed, given what training
// chose.
func (m *Model) Threshold(label string, chosen float64) float64 {
	if t, ok := m.Thresholds[label]; ok {
		return t
	}
	return chosen
}

// Evaluated returns when the training of a model that has a result ended; of one
// that was trained before it was here, a copy or an import, when it was made:
// clients subtract the one from the other (LV-6.43).
func (m *Model) Evaluated() time.Time {
	if m.Result.Ended.Before(m.Created) {
		return m.Created
	}
	return m.Result.Ended
}

// Move takes the model to another status, or reports InUse if it cannot get
// there from where it is. It clears the message of the last failure.
func (m *Model) Move(to ModelStatus, now time.Time) error {
	if !slices.Contains(modelMoves[m.Status], to) {
		return Errorf(InUse, "the model %s is %s and cannot become %s", m.Name, m.Status, to)
	}
	m.Status, m.Message, m.Ours, m.Updated = to, "", false, now
	return nil
}

// Fail takes the model from a status of work to the failure of it, with the
// reason. Ours says that the server and not the data is to blame. A training has
// ended then, whatever it came to (CL-9.45).
func (m *Model) Fail(message string, ours bool, now time.Time) error {
	to := map[ModelStatus]ModelStatus{Training: TrainFailed, Copying: CopyFailed}[m.Status]
	if to == "" {
		to = StartFailed
	}
	if err := m.Move(to, now); err != nil {
		return err
	}
	m.Message, m.Ours = message, ours
	if to == TrainFailed && m.Result == nil {
		m.Result = &TrainingResult{Ended: now}
	}
	return nil
}

// Resting reports whether nothing is done with the model, so that it may be
// deleted.
func (m *Model) Resting() bool {
	switch m.Status {
	case Trained, TrainFailed, Copied, CopyFailed, StartFailed, Stopped:
		return true
	}
	return false
}

// Usable reports whether the model has weights, so that it may be copied.
func (m *Model) Usable() bool {
	switch m.Status {
	case Training, TrainFailed, Copying, CopyFailed:
		return false
	}
	return true
}

// Files returns the files of the training by the names that the services give
// them, without project and version.
func (r *TrainingResult) Files() map[string]*ObjectRef {
	return map[string]*ObjectRef{
		"EvaluationResultSummary":        &r.Summary,
		"TrainingGroundTruth":            &r.TrainTruth,
		"TestingGroundTruth":             &r.TestTruth,
		"ManifestSummary":                &r.ManifestSummary,
		"TrainingManifestWithValidation": &r.TrainValidation,
		"TestingManifestWithValidation":  &r.TestValidation,
	}
}
