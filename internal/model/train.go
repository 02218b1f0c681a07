package model

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"fovea"
)

// A Trainer knows what a service trains on and what it tells about it. The
// protocol packages supply it.
type Trainer interface {
	// Train trains the model of a run. It stores the weights and writes the
	// files about the training by the run's methods, and returns what came of
	// it. What is wrong with the data is a *Failure; anything else is a fault
	// of the server, and the job is tried again.
	Train(ctx context.Context, run *Run) (*fovea.TrainingResult, error)

	// FileName returns the key of a file about the training of a model in the
	// bucket of its output. File is a name of TrainingResult.Files.
	FileName(p *fovea.Project, m *fovea.Model, file string) string

	// ServiceIssue returns what users are told of a fault of the server.
	ServiceIssue() string
}

// A Failure is a training that failed because of its data. Its Result holds the
// files that were written all the same (CL-9.43); it may be nil.
type Failure struct {
	Message string
	Result  *fovea.TrainingResult
}

// Error returns the message.
func (f *Failure) Error() string { return f.Message }

// errGone is the cause for which the context of a training ends whose model is
// gone or has been given another status.
var errGone = errors.New("the training was cancelled")

// longest is how long a training may take (CL-9.15, LV-6.6).
const longest = 24 * time.Hour

func (o *Ops) longest() time.Duration { return cmp.Or(o.Longest, longest) }

// RunTrain trains a model. Run again, after a crash or beside itself, it begins
// from the start and comes to the same weights: all trainings have one seed.
//
// Where this node lacks the backbone that the training was asked for with, and
// needs it, the error is fovea.ErrElsewhere. Others are of the kind Internal, as
// those of all jobs.
func (o *Ops) RunTrain(ctx context.Context, job fovea.TrainJob) error {
	m, err := o.model(ctx, job.Model)
	if err != nil || m == nil || m.Status != fovea.Training {
		return err
	}
	lack := o.lacksBackbone(m)
	if lack != nil {
		try := false
		if m.Waiting.Since.IsZero() {
			try, err = o.mayNeedNone(ctx, m)
		}
		if err == nil && !try {
			return o.awaitBackbone(ctx, m, lack)
		}
	}
	if err == nil {
		err = o.train(ctx, m)
	}
	switch {
	case errors.Is(err, fovea.ErrNoBackbone):
		return o.awaitBackbone(ctx, m, err)
	case err != nil:
		return fmt.Errorf("train model %d: %v", job.Model, err)
	}
	return nil
}

func (o *Ops) train(ctx context.Context, m *fovea.Model) error {
	run, err := o.newRun(ctx, m)
	if err != nil {
		return err
	}
	defer os.RemoveAll(run.Dir)
	if err := run.begin(ctx); err != nil {
		return ignoreGone(err)
	}
	defer o.working.add(run, o.now())()
	allowed := o.longest()
	limited, cancel := context.WithTimeoutCause(ctx, allowed, &Failure{Message: fmt.Sprintf("The training took longer than %v.", allowed)})
	defer cancel()
	tctx, stop := context.WithCancelCause(limited)
	defer stop(nil)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		run.watch(tctx, cmp.Or(o.Tell, defaultTell), stop)
	}()
	defer func() { stop(nil); <-watched }()

	began := time.Now()
	var result *fovea.TrainingResult
	if err = run.checkOutput(tctx); err == nil {
		result, err = run.trainer.Train(tctx, run)
	}
	if err != nil && tctx.Err() != nil && ctx.Err() == nil {
		err = context.Cause(tctx) // ours, and not what it made of the work
	}
	var failure *Failure
	switch {
	case errors.Is(err, errGone):
		o.observe(run.Project.Service, WasCancelled)
		return nil
	case errors.As(err, &failure):
		result = failure.Result
	case err != nil:
		return err
	}
	if result != nil {
		result.Ended, result.Seconds, result.Code = o.now(), int64(time.Since(began).Seconds()+0.5), o.Version
	}
	how := WasCancelled // at the end, if nothing else is written
	err = o.settle(ctx, m.ID, fovea.Training, func(m *fovea.Model) error {
		m.Result = result
		if failure != nil {
			how = HasFailed
			return m.Fail(failure.Message, false, o.now())
		}
		how = HasTrained
		m.Weights, m.Progress, m.Stage = run.weights, 1, ""
		return m.Move(fovea.Trained, o.now())
	}, nil)
	if err == nil {
		o.observe(run.Project.Service, how)
	}
	return err
}

// checkOutput reports an output bucket that is not there before anything is
// trained (CL-6.73).
func (r *Run) checkOutput(ctx context.Context) error {
	err := r.ops.checkBucket(ctx, r.Model.Asked.Output.Bucket)
	if err != nil && fovea.KindOf(err) != fovea.Internal {
		return &Failure{Message: CannotWrite}
	}
	return err
}

// FailTrain gives up a training whose job failed too often.
func (o *Ops) FailTrain(ctx context.Context, job fovea.TrainJob) error {
	service, err := o.giveUp(ctx, job.Model, fovea.Training)
	if err == nil && service != "" {
		o.observe(service, WasGivenUp)
	}
	return err
}

// seed is that of every training: where two versions differ in what they are
// worth, the data differ, and not the luck.
const seed = 1

// A Run is one attempt to train a model: what a Trainer works with.
type Run struct {
	Project *fovea.Project
	Model   *fovea.Model
	Limits  fovea.Limits
	Cores   int    // that may be used
	Seed    uint64 // of everything random
	Dir     string // for files that last as long as the run

	ops     *Ops
	trainer Trainer
	weights string

	mu    sync.Mutex
	share float64 // of the work that is done
	stage string
}

func (o *Ops) newRun(ctx context.Context, m *fovea.Model) (*Run, error) {
	run := &Run{Model: m, ops: o, Cores: o.Cores, Seed: seed}
	if run.Cores <= 0 {
		run.Cores = max(1, runtime.GOMAXPROCS(0)-1)
	}
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		run.Project, err = tx.Project(m.Project)
		return err
	})
	if err != nil {
		return nil, err
	}
	run.Limits, run.trainer = o.Profiles[run.Project.Service].Limits, o.Trainers[run.Project.Service]
	run.Dir, err = os.MkdirTemp(o.Scratch, "fovea-train-")
	return run, err
}

// PutWeights stores the weights, which replaces any that the run has stored
// before.
func (r *Run) PutWeights(ctx context.Context, weights io.Reader) error {
	data, err := io.ReadAll(weights)
	if err != nil {
		return fmt.Errorf("read weights: %w", err)
	}
	name := weightsName(r.Model.ID, sha256.Sum256(data))
	if _, err := r.ops.Blobs.Put(ctx, name, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("store weights: %w", err)
	}
	r.weights = name
	return nil
}

// WriteFile writes a file about the training, by its name in
// TrainingResult.Files, to where the model's output is to be, and returns where
// it is. An output that cannot be written is a *Failure (CL-6.73).
func (r *Run) WriteFile(ctx context.Context, file string, body io.Reader, size int64) (fovea.ObjectRef, error) {
	return r.WriteObject(ctx, r.trainer.FileName(r.Project, r.Model, file), "application/json", body, size)
}

// WriteObject writes an object of any key into the bucket of the model's
// output, as WriteFile does.
func (r *Run) WriteObject(ctx context.Context, key, contentType string, body io.Reader, size int64) (fovea.ObjectRef, error) {
	ref := fovea.ObjectRef{Bucket: r.Model.Asked.Output.Bucket, Key: key}
	_, err := r.ops.Objects.Write(ctx, ref, contentType, body, size)
	if err != nil && fovea.KindOf(err) != fovea.Internal {
		return fovea.ObjectRef{}, &Failure{Message: CannotWrite}
	}
	return ref, err
}

// ReadObject returns an object of the users' whole. One that has more than most
// bytes, is not there or cannot be read is BadObject.
func (r *Run) ReadObject(ctx context.Context, ref fovea.ObjectRef, most int64) ([]byte, error) {
	return ReadObject(ctx, r.ops.Objects, ref, most)
}

// ReadObject returns an object of the users' whole. One that has more than most
// bytes, 0 for any number, is not there or cannot be read is BadObject.
func ReadObject(ctx context.Context, objects fovea.Objects, ref fovea.ObjectRef, most int64) ([]byte, error) {
	info, err := objects.Stat(ctx, ref)
	if err != nil {
		return nil, err
	}
	if most > 0 && info.Size > most {
		return nil, fovea.Errorf(fovea.BadObject, "%s has %d bytes, more than %d", ref, info.Size, most)
	}
	body, err := objects.Read(ctx, info, 0, info.Size)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data := make([]byte, info.Size)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, fmt.Errorf("read %s: %w", ref, err)
	}
	return data, nil
}
