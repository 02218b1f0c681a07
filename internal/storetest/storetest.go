// Package storetest holds what every implementation of fovea.Store must pass.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// A Store is what is tested: fovea.Store, and what the job runner and the sweep
// use besides.
type Store interface {
	fovea.Store

	OnEnqueue(fn func())
	ClaimJob(ctx context.Context, worker string, kinds []string, except []fovea.JobID, lease time.Duration) (*fovea.Job, error)
	RunningJobs(ctx context.Context, kinds []string) ([]fovea.Job, error)
	BeatJob(ctx context.Context, id fovea.JobID, worker string, lease time.Duration) (cancelled bool, err error)
	EndJob(ctx context.Context, id fovea.JobID, worker, state, message string) error
	RetryJob(ctx context.Context, id fovea.JobID, worker, message string, wait time.Duration) error
	ReturnJob(ctx context.Context, id fovea.JobID, worker string) error
	DeferJob(ctx context.Context, id fovea.JobID, worker, message string, wait time.Duration) error
	CancelJob(ctx context.Context, id fovea.JobID) error
	JobNamed(ctx context.Context, unique string) (fovea.JobID, error)

	Reachable(ctx context.Context) iter.Seq2[string, error]
	OldRevisions(ctx context.Context, after fovea.RevisionKey, old, sure time.Time, keep int64, n int) ([]fovea.RevisionKey, error)
	AllRevisions(ctx context.Context) iter.Seq2[*fovea.Revision, error]
	LiveJobs(ctx context.Context, kind string) ([][]byte, error)
	DeleteTokens(ctx context.Context, before time.Time) (int64, error)
	DeleteJobs(ctx context.Context, before time.Time) (int64, error)
}

// Run runs the suite. open returns an empty store whose time is now's; it
// registers what cleans up behind it with t.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) Store) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s fovea.Store)
	}{
		{"project", testProject},
		{"project names", testProjectNames},
		{"project lists", testProjectLists},
		{"dataset", testDataset},
		{"datasets in progress", testInProgress},
		{"dataset rules", testDatasetRules},
		{"revision", testRevision},
		{"revision rules", testRevisionRules},
		{"revisions", testRevisions},
		{"tags", testTags},
		{"models", testModel},
		{"model rules", testModelRules},
		{"model lists", testModelLists},
		{"settings", testSettings},
		{"token", testToken},
		{"Once", testOnce},
		{"Once at once", testOnceAtOnce},
		{"rollback", testRollback},
		{"isolation", testIsolation},
		{"read-only", testReadOnly},
		{"context", testContext},
		{"one of a hundred", testOneOfHundred},
		{"counter", testCounter},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t, time.Now)) })
	}
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s Store, c *clock)
	}{
		{"enqueue", testEnqueue},
		{"unique jobs", testUniqueJobs},
		{"claims", testClaims},
		{"claims at once", testClaimsAtOnce},
		{"leases", testLeases},
		{"running jobs", testRunningJobs},
		{"ends of jobs", testEnds},
		{"cancel", testCancel},
		{"clock set back", testClockSetBack},
		{"delete jobs", testDeleteJobs},
		{"delete tokens", testDeleteTokens},
		{"reachable", testReachable},
		{"old revisions", testOldRevisions},
		{"all revisions", testAllRevisions},
		{"live jobs", testLiveJobs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &clock{now: start}
			tt.test(t, open(t, c.Now), c)
		})
	}
}

// A clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// start is when the tests begin.
var start = time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)

// update runs fn in a transaction that must succeed.
func update(t *testing.T, s fovea.Store, fn func(fovea.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// refused runs fn in a transaction that must fail with an Internal error: the
// schema stops what the callers' rules should have.
func refused(t *testing.T, s fovea.Store, what string, fn func(fovea.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("%s = %v, want an Internal error", what, err)
	}
}

// view returns what fn reads.
func view[T any](t *testing.T, s fovea.Store, fn func(fovea.Tx) (T, error)) T {
	t.Helper()
	var v T
	err := s.View(t.Context(), func(tx fovea.Tx) (err error) {
		v, err = fn(tx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// absent expects that fn reports NotFound.
func absent[T any](t *testing.T, s fovea.Store, what string, fn func(fovea.Tx) (T, error)) {
	t.Helper()
	err := s.View(t.Context(), func(tx fovea.Tx) error {
		_, err := fn(tx)
		return err
	})
	if err == nil || fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("%s = %v, want NotFound", what, err)
	}
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// project returns a project that is not stored.
func project(id int64, name string) *fovea.Project {
	return &fovea.Project{ID: fovea.ProjectID(id), Service: fovea.CustomLabels, Account: "111122223333", Region: "us-east-1", Name: name,
		Created: start.Add(time.Duration(id) * time.Millisecond)}
}

// dataset returns a dataset that is not stored.
func dataset(id int64, p *fovea.Project, split fovea.Split) *fovea.Dataset {
	created := start.Add(time.Duration(id) * time.Millisecond)
	return &fovea.Dataset{ID: fovea.DatasetID(id), Project: p.ID, Split: split, Created: created, Updated: created,
		Status: fovea.Created, Source: fovea.FromNothing}
}

func put(ps ...*fovea.Project) func(fovea.Tx) error {
	return func(tx fovea.Tx) error {
		for _, p := range ps {
			if err := tx.PutProject(p); err != nil {
				return err
			}
		}
		return nil
	}
}

func testProject(t *testing.T, s fovea.Store) {
	p := project(1, "parts")
	byID := func(tx fovea.Tx) (*fovea.Project, error) { return tx.Project(1) }
	byName := func(tx fovea.Tx) (*fovea.Project, error) { return tx.ProjectNamed(p.Key()) }
	absent(t, s, "project", byID)
	absent(t, s, "project by name", byName)
	update(t, s, put(p))
	same(t, "project", p, view(t, s, byID))
	same(t, "project by name", p, view(t, s, byName))

	changed := *p
	changed.Name = "Pièces détachées 部品"
	update(t, s, put(&changed))
	same(t, "changed project", &changed, view(t, s, byID))
	absent(t, s, "project by its old name", byName)

	for range 2 { // the second time there is none
		update(t, s, func(tx fovea.Tx) error { return tx.DeleteProject(1) })
		absent(t, s, "deleted project", byID)
	}
}

// testProjectNames: a name is unique among the live projects of a service,
// account and region, without folding case (CL-2.13, LV-2.4).
func testProjectNames(t *testing.T, s fovea.Store) {
	service, account, region := project(2, "a"), project(3, "a"), project(4, "a")
	service.Service, account.Account, region.Region = fovea.Lookout, "444455556666", "eu-west-1"
	update(t, s, put(project(1, "a"), service, account, region, project(5, "A")))
	refused(t, s, "second project of one name", put(project(6, "a")))
	update(t, s, func(tx fovea.Tx) error { return tx.DeleteProject(1) })
	update(t, s, put(project(6, "a")))

	for what, change := range map[string]func(*fovea.Project){
		"service":  func(p *fovea.Project) { p.Service = "comprehend" },
		"no name":  func(p *fovea.Project) { p.Name = "" },
		"no id":    func(p *fovea.Project) { p.ID = 0 },
		"below id": func(p *fovea.Project) { p.ID = -1 },
	} {
		p := project(9, "b")
		change(p)
		refused(t, s, what, put(p))
	}
}

// testProjectLists: the latest comes first, and of one time the name decides.
func testProjectLists(t *testing.T, s fovea.Store) {
	other := project(100, "other")
	other.Region = "eu-west-1"
	var want []string
	update(t, s, func(tx fovea.Tx) error {
		want = nil
		for i := range 12 {
			p := project(int64(i+1), fmt.Sprintf("p%02d", i))
			p.Created = start.Add(time.Duration(-i/3) * time.Millisecond) // three at a time
			if err := tx.PutProject(p); err != nil {
				return err
			}
			want = append(want, p.Name)
		}
		return tx.PutProject(other)
	})
	key := project(0, "").Key()
	for _, n := range []int{1, 2, 3, 5, 12, 100} {
		var got []string
		var after time.Time
		name := ""
		for len(got) <= len(want) {
			page := view(t, s, func(tx fovea.Tx) ([]*fovea.Project, error) { return tx.Projects(key, after, name, n) })
			if len(page) == 0 {
				break
			}
			if len(page) > n {
				t.Fatalf("page of %d projects, want at most %d", len(page), n)
			}
			for _, p := range page {
				got = append(got, p.Name)
			}
			last := page[len(page)-1]
			after, name = last.Created, last.Name
		}
		same(t, fmt.Sprintf("pages of %d", n), want, got)
	}
	count := func(k fovea.ProjectKey) int {
		return view(t, s, func(tx fovea.Tx) (int, error) { return tx.CountProjects(k) })
	}
	if n := count(key); n != 12 {
		t.Errorf("count = %d, want 12", n)
	}
	if n := count(fovea.ProjectKey{Service: fovea.Lookout, Account: key.Account, Region: key.Region}); n != 0 {
		t.Errorf("count of the other service = %d, want 0", n)
	}
}

func testDataset(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	train, test := dataset(11, p, fovea.Train), dataset(10, p, fovea.Test)
	test.Created = train.Created.Add(time.Millisecond) // later, with a lower identifier
	byID := func(tx fovea.Tx) (*fovea.Dataset, error) { return tx.Dataset(11) }
	bySplit := func(tx fovea.Tx) (*fovea.Dataset, error) { return tx.DatasetOf(p.ID, fovea.Train) }
	list := func(tx fovea.Tx) ([]*fovea.Dataset, error) { return tx.DatasetsOf(p.ID) }
	absent(t, s, "dataset", byID)
	absent(t, s, "dataset by split", bySplit)
	same(t, "datasets", 0, len(view(t, s, list)))
	update(t, s, func(tx fovea.Tx) error {
		return errors.Join(tx.PutProject(p), tx.PutDataset(test), tx.PutDataset(train))
	})
	same(t, "dataset", train, view(t, s, byID))
	same(t, "dataset by split", train, view(t, s, bySplit))
	same(t, "datasets", []*fovea.Dataset{train, test}, view(t, s, list))

	train.Status, train.Source, train.Message, train.Ours = fovea.CreateFailed, fovea.FromManifest, "no such \x01 manifest", true
	train.Updated, train.Revision = start.Add(time.Hour), 3
	update(t, s, func(tx fovea.Tx) error { return tx.PutDataset(train) })
	same(t, "changed dataset", train, view(t, s, byID))

	update(t, s, func(tx fovea.Tx) error { return errors.Join(tx.DeleteDataset(11), tx.DeleteDataset(12)) })
	absent(t, s, "deleted dataset", byID)
	same(t, "datasets", []*fovea.Dataset{test}, view(t, s, list))
}

func testInProgress(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	other := *project(2, "a")
	other.Service = fovea.Lookout
	train, test, theirs := dataset(10, p, fovea.Train), dataset(11, p, fovea.Test), dataset(12, &other, fovea.Train)
	theirs.Status = fovea.Updating
	for status, want := range map[fovea.DatasetStatus]int{
		fovea.Creating: 2, fovea.Updating: 2, fovea.Created: 1, fovea.Updated: 1, fovea.CreateFailed: 1, fovea.UpdateFailed: 1,
	} {
		train.Status, test.Status = fovea.Creating, status
		update(t, s, func(tx fovea.Tx) error {
			return errors.Join(tx.PutProject(p), tx.PutProject(&other), tx.PutDataset(train), tx.PutDataset(test), tx.PutDataset(theirs))
		})
		same(t, "in progress with one "+string(status), want, view(t, s, func(tx fovea.Tx) (int, error) { return tx.CountInProgress(p.Key()) }))
	}
}

func testDatasetRules(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	update(t, s, func(tx fovea.Tx) error {
		return errors.Join(tx.PutProject(p), tx.PutDataset(dataset(10, p, fovea.Train)))
	})
	refused(t, s, "second train dataset", func(tx fovea.Tx) error { return tx.PutDataset(dataset(11, p, fovea.Train)) })
	refused(t, s, "dataset of no project", func(tx fovea.Tx) error { return tx.PutDataset(dataset(11, project(2, "b"), fovea.Test)) })
	refused(t, s, "deleting a project with a dataset", func(tx fovea.Tx) error { return tx.DeleteProject(p.ID) })
	for what, change := range map[string]func(*fovea.Dataset){
		"split":              func(d *fovea.Dataset) { d.Split = "validation" },
		"status":             func(d *fovea.Dataset) { d.Status = "CREATE_COMPLETE" },
		"source":             func(d *fovea.Dataset) { d.Source = "" },
		"message of success": func(d *fovea.Dataset) { d.Message = "fine" },
		"fault of success":   func(d *fovea.Dataset) { d.Ours = true },
		"revision":           func(d *fovea.Dataset) { d.Revision = -1 },
	} {
		d := dataset(11, p, fovea.Test)
		change(d)
		refused(t, s, what, func(tx fovea.Tx) error { return tx.PutDataset(d) })
	}
	// In one transaction the order does not matter.
	update(t, s, func(tx fovea.Tx) error { return errors.Join(tx.DeleteProject(p.ID), tx.DeleteDataset(10)) })
}

// revision returns a revision with n segments that is not stored.
func revision(d *fovea.Dataset, number int64, n int) *fovea.Revision {
	r := &fovea.Revision{Dataset: d.ID, Number: number, Created: start.Add(time.Minute), Cause: "import s3://b/k", Caller: "AKIA",
		Stats:  fovea.Stats{Entries: 1000, Labeled: 900, Errors: 12, Normal: 600, Anomaly: 300},
		Labels: []fovea.LabelCount{{Name: "ok", Lines: 5, Entries: 3, Boxed: 1}, {Name: "\"broken\" <é>", Entries: 0}},
		Bucket: "b", NextSeq: 1001, Report: "reports/1"}
	for i := range n {
		ref := fovea.SegmentRef{Name: fmt.Sprintf("segments/%016x/%08d.parquet", d.ID, i), Size: int64(i) << 20, Sum: ^uint64(i),
			Rows: 100, MinSeq: int64(i) * 100, MaxSeq: int64(i)*100 + 99}
		if i%3 == 1 {
			ref.Deleted, ref.Masked = []byte{0, 1, 2, byte(i)}, int64(i)
		}
		r.Segments = append(r.Segments, ref)
	}
	return r
}

func testRevision(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	d := dataset(10, p, fovea.Train)
	whole := func(tx fovea.Tx) (*fovea.Revision, error) { return tx.Revision(10, 2) }
	stats := func(tx fovea.Tx) (*fovea.Revision, error) { return tx.RevisionStats(10, 2) }
	absent(t, s, "revision", whole)
	absent(t, s, "revision's statistics", stats)
	empty, full := &fovea.Revision{Dataset: 10, Number: 1, Created: start}, revision(d, 2, 1000)
	update(t, s, func(tx fovea.Tx) error {
		return errors.Join(tx.PutProject(p), tx.PutDataset(d), tx.PutRevision(empty), tx.PutRevision(full))
	})
	same(t, "empty revision", empty, view(t, s, func(tx fovea.Tx) (*fovea.Revision, error) { return tx.Revision(10, 1) }))
	same(t, "revision", full, view(t, s, whole))
	numbers := *full
	numbers.Segments = nil
	same(t, "revision's statistics", &numbers, view(t, s, stats))

	update(t, s, func(tx fovea.Tx) error { return tx.DeleteDataset(10) })
	absent(t, s, "revision of a deleted dataset", whole)
	absent(t, s, "statistics of a deleted dataset", stats)
}

func testRevisionRules(t *testing.T, s fovea.Store) {
	p := project(1, "a")
	d := dataset(10, p, fovea.Train)
	update(t, s, func(tx fovea.Tx) error {
		return errors.Join(tx.PutProject(p), tx.PutDataset(d), tx.PutRevision(revision(d, 1, 2)))
	})
	for what, change := range map[string]func(*fovea.Revision){
		"number in use":    func(r *fovea.Revision) { r.Number = 1 },
		"number":           func(r *fovea.Revision) { r.Number = 0 },
		"dataset":          func(r *fovea.Revision) { r.Dataset = 11 },
		"labeled":          func(r *fovea.Revision) { r.Stats.Labeled = 1001 },
		"errors":           func(r *fovea.Revision) { r.Stats.Errors = -1 },
		"too many classes": func(r *fovea.Revision) { r.Stats.Normal = 701 },
		"sequence":         func(r *fovea.Revision) { r.NextSeq = -1 },
	} {
		r := revision(d, 2, 2)
		change(r)
		refused(t, s, what, func(tx fovea.Tx) error { return tx.PutRevision(r) })
	}
}

func testTags(t *testing.T, s fovea.Store) {
	tags := func(tx fovea.Tx) (map[string]string, error) { return tx.Tags("arn:1") }
	same(t, "no tags", map[string]string{}, view(t, s, tags))
	for _, want := range []map[string]string{
		{"a": "1", "b": "", "Größe": "x=y"},
		{"a": "2"},
		{},
	} {
		update(t, s, func(tx fovea.Tx) error {
			return errors.Join(tx.PutTags("arn:1", want), tx.PutTags("arn:2", map[string]string{"z": "z"}))
		})
		same(t, "tags", want, view(t, s, tags))
	}
	update(t, s, func(tx fovea.Tx) error { return tx.PutTags("arn:1", nil) })
	same(t, "tags", map[string]string{}, view(t, s, tags))
}

func testSettings(t *testing.T, s fovea.Store) {
	get := func(tx fovea.Tx) (string, error) { return tx.Setting("key") }
	absent(t, s, "setting", get)
	for _, want := range []string{"one", "", "two"} {
		update(t, s, func(tx fovea.Tx) error { return tx.PutSetting("key", want) })
		same(t, "setting", want, view(t, s, get))
	}
}
