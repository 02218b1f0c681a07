package dataset_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fovea"
	"fovea/bench/groundtruth"
	"fovea/internal/dataset"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
)

// A broken passes calls on until a given one, which fails, as do all after it
// if stays is set.
type broken struct {
	fovea.Blobs
	err   error
	stays bool
	at    int64 // number of the call that fails, from 1; 0 for none
	calls atomic.Int64
	hit   atomic.Bool
}

func (b *broken) fault() error {
	n := b.calls.Add(1)
	if b.at == 0 || n != b.at && !(b.stays && n > b.at) {
		return nil
	}
	b.hit.Store(true)
	return b.err
}

func (b *broken) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	if err := b.fault(); err != nil {
		io.CopyN(io.Discard, r, 10)
		return 0, fmt.Errorf("put %s: %w", name, err)
	}
	return b.Blobs.Put(ctx, name, r)
}

func (b *broken) Open(ctx context.Context, name string) (fovea.Blob, error) {
	if err := b.fault(); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	blob, err := b.Blobs.Open(ctx, name)
	return &brokenBlob{blob, b}, err
}

func (b *broken) Delete(ctx context.Context, names ...string) error {
	if err := b.fault(); err != nil {
		return err
	}
	return b.Blobs.Delete(ctx, names...)
}

func (b *broken) List(ctx context.Context, prefix string) iter.Seq2[fovea.BlobInfo, error] {
	return b.Blobs.List(ctx, prefix)
}

type brokenBlob struct {
	fovea.Blob
	broken *broken
}

func (b *brokenBlob) ReadAt(p []byte, off int64) (int, error) {
	if err := b.broken.fault(); err != nil {
		return 0, err
	}
	return b.Blob.ReadAt(p, off)
}

// A faultedChange is a change of which every access to the blobs fails once.
type faultedChange struct {
	name  string
	begin func(t *testing.T, w *world) (run, giveUp func() error)
}

// faultedChanges are the changes that jobs make.
var faultedChanges = []faultedChange{
	{"import", func(t *testing.T, w *world) (run, giveUp func() error) {
		ctx := context.Background()
		job := w.create(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 60, Errors: 0.1, Bucket: "imgs"}))
		return func() error { return w.RunImport(ctx, job) }, func() error { return w.FailImport(ctx, job) }
	}},
	{"update", func(t *testing.T, w *world) (run, giveUp func() error) {
		ctx := context.Background()
		w.load(t, fovea.Train, manifestOf(groundtruth.Manifest{Lines: 60, Bucket: "imgs"}))
		job := w.update(t, fovea.Train, boxLine("a.jpg", "bolt")+"\n"+boxLine("b.jpg", "nut"))
		return func() error { return w.RunUpdate(ctx, job) }, func() error { return w.FailUpdate(ctx, job) }
	}},
	{"distribute", func(t *testing.T, w *world) (run, giveUp func() error) {
		ctx := context.Background()
		var lines []string
		for n := range 50 {
			lines = append(lines, boxLine(fmt.Sprintf("%d.jpg", n), "bolt"))
		}
		w.load(t, fovea.Train, strings.Join(lines, "\n"))
		if _, err := w.Create(ctx, dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
			t.Fatal(err)
		}
		if err := w.Distribute(ctx, w.project, func(train, test *dataset.View) error { return nil }); err != nil {
			t.Fatal(err)
		}
		train := w.view(t, fovea.Train).Dataset
		job := fovea.DistributeJob{Train: train.ID, Test: w.view(t, fovea.Test).Dataset.ID, Since: train.Updated}
		return func() error { return w.RunDistribute(ctx, job) }, func() error { return w.FailDistribute(ctx, job) }
	}},
}

// errnos are the faults that blobs meet, in turn.
var errnos = [...]error{syscall.EIO, syscall.ENOSPC, syscall.EMFILE}

// contents is what clients see in the project's datasets.
func (w *world) contents(t *testing.T) string {
	t.Helper()
	list, err := w.OfProject(context.Background(), 1)
	if err != nil {
		t.Fatal(err)
	}
	s := ""
	for _, ds := range list {
		v := w.view(t, ds.Split)
		s += fmt.Sprintf("%s %s\n%s\n", ds.Split, ds.Status, strings.Join(w.entries(t, v, segment.Filter{}, 100), "\n"))
	}
	return s
}

// TestBlobFaults (T19): an import, an update and a distribution of which any
// one access to the blobs fails, with an I/O error, a full disk or no file
// descriptors, is tried again and comes to the same end, and meanwhile the
// content is what it was. With faults that stay, the change fails as the
// server's, SERVICE_ERROR, and the content is what it was.
func TestBlobFaults(t *testing.T) {
	for _, c := range faultedChanges {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			prepared := func() (w *world, b *broken, run, giveUp func() error) {
				w = newWorld(t, rekognition.Profile(rekognition.Limits().Lifted()))
				w.Now = func() time.Time { return time.UnixMilli(1_700_000_000_000) }
				w.ImportRange = 5000
				run, giveUp = c.begin(t, w)
				b = &broken{Blobs: w.Blobs}
				w.Blobs, w.Reader = b, &segment.Reader{Blobs: b}
				return w, b, run, giveUp
			}
			w, _, run, _ := prepared()
			if err := run(); err != nil {
				t.Fatal(err)
			}
			want := w.contents(t)
			for n := int64(1); ; n++ {
				w, b, run, giveUp := prepared()
				before := w.contents(t)
				b.calls.Store(0)
				b.at, b.stays, b.err = n, n%2 == 0, errnos[n%3]
				w.Reader = &segment.Reader{Blobs: b} // with nothing in memory
				err := run()
				b.at = 0
				if !b.hit.Load() {
					t.Logf("%d accesses failed, one after the other", n-1)
					return
				}
				if err != nil && fovea.KindOf(err) != fovea.Internal {
					t.Fatalf("access %d: %v is of the kind %v: the job would not be tried again", n, err, fovea.KindOf(err))
				}
				if got := w.contents(t); err != nil && got != before {
					t.Fatalf("access %d failed, and the content is\n%s, want\n%s", n, got, before)
				}
				if b.stays && err != nil {
					b.at = 1
					if err := giveUp(); err != nil {
						t.Fatalf("access %d: it cannot be given up: %v", n, err)
					}
					b.at = 0
					if ds := w.view(t, fovea.Train).Dataset; !ds.Ours || ds.Message == "" {
						t.Fatalf("access %d: after it was given up the dataset is %+v", n, ds)
					}
					continue
				}
				if err := run(); err != nil {
					t.Fatalf("access %d: once the fault is gone: %v", n, err)
				}
				if got := w.contents(t); got != want {
					t.Fatalf("access %d: in the end the content is\n%s, want\n%s", n, got, want)
				}
			}
		})
	}
}

// TestClockJumps (T19): a clock that is set an hour forward or back between any
// two steps, with a restart that forgets the stamps given before, changes
// nothing but the times.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour} {
		for at := range 6 {
			t.Run(fmt.Sprint(jump, " before step ", at), func(t *testing.T) {
				ctx := context.Background()
				w := newWorld(t, rekognition.Profile(rekognition.Limits().Lifted()))
				step, clock := 0, time.UnixMilli(1_700_000_000_000)
				tick := func() {
					if step == at {
						clock = clock.Add(jump)
					}
					step++
					clock = clock.Add(time.Second)
					ops := &dataset.Ops{Store: w.Store, Blobs: w.Blobs, Objects: w.objects, Reader: w.Reader, Profiles: w.Profiles, Pager: w.Pager}
					ops.Now = func() time.Time { return clock }
					ops.SweepAge = -1
					w.Ops = ops
					if err := w.RunSweep(ctx); err != nil {
						t.Fatal(err)
					}
				}
				var lines []string
				for n := range 10 {
					lines = append(lines, boxLine(fmt.Sprintf("%d.jpg", n), "bolt"))
				}
				tick()
				imp := w.create(t, fovea.Train, strings.Join(lines, "\n"))
				tick()
				if err := w.RunImport(ctx, imp); err != nil {
					t.Fatal(err)
				}
				tick()
				upd := w.update(t, fovea.Train, boxLine("new.jpg", "bolt"))
				tick()
				if err := w.RunUpdate(ctx, upd); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Create(ctx, dataset.Spec{Project: w.project, Split: fovea.Test}); err != nil {
					t.Fatal(err)
				}
				tick()
				train, test := w.distribute(t)
				tick()
				for _, v := range []*dataset.View{train, test} {
					if v.Dataset.Status != fovea.Updated {
						t.Errorf("%s is %s", v.Dataset.Split, v.Dataset.Status)
					}
				}
				if n, m := len(w.entries(t, train, segment.Filter{}, 3)), len(w.entries(t, test, segment.Filter{}, 1)); n != 9 || m != 2 {
					t.Errorf("%d and %d entries, want 9 and 2", n, m)
				}
			})
		}
	}
}
