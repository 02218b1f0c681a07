package fovea

import (
	"context"
	"time"
)

// A Store keeps the metadata: everything but images, entries and weights.
type Store interface {
	// View runs fn in a read-only transaction that sees one state.
	View(ctx context.Context, fn func(Tx) error) error

	// Update runs fn in a serializable transaction and commits, durably, if
	// fn returns nil. It may run fn more than once, so fn changes nothing
	// but the Tx and the variables it sets on every run.
	Update(ctx context.Context, fn func(Tx) error) error
}

// A Tx reads and writes rows, one kind of row per group of methods. A getter
// reports NotFound; a Put inserts or replaces. The rules live with the caller.
// A message of NotFound that comes from here is for logs: callers put their
// own words in its place.
type Tx interface {
	Project(ProjectID) (*Project, error)
	ProjectNamed(ProjectKey) (*Project, error)
	// Projects returns at most n projects of the service, account and region
	// in key, latest first, ties by name ascending, that come after the
	// position (created, name); a zero time starts at the first.
	Projects(key ProjectKey, after time.Time, name string, n int) ([]*Project, error)
	CountProjects(ProjectKey) (int, error) // of the key's service, account and region
	PutProject(*Project) error
	DeleteProject(ProjectID) error

	Dataset(DatasetID) (*Dataset, error)
	DatasetOf(ProjectID, Split) (*Dataset, error)
	DatasetsOf(ProjectID) ([]*Dataset, error) // oldest first
	// CountInProgress returns how many datasets of the key's service, account
	// and region a job is changing.
	CountInProgress(ProjectKey) (int, error)
	PutDataset(*Dataset) error
	DeleteDataset(DatasetID) error // and its revisions

	// Revision returns a revision whole; RevisionStats leaves out Segments,
	// which is what makes it cheap.
	Revision(DatasetID, int64) (*Revision, error)
	RevisionStats(DatasetID, int64) (*Revision, error)
	// Revisions returns at most n revisions without their segments, those
	// below a number, the latest first. A number of 0 is no bound.
	Revisions(id DatasetID, below int64, n int) ([]*Revision, error)
	PutRevision(*Revision) error
	DeleteRevision(RevisionKey) error

	Model(ModelID) (*Model, error)
	ModelNamed(ProjectID, string) (*Model, error)
	// ModelsOf returns at most n models of a project, latest first, of those
	// made before a time; a zero time is no bound.
	ModelsOf(p ProjectID, before time.Time, n int) ([]*Model, error)
	CountModelsOf(ProjectID) (int, error)
	// CountModels counts those of the key's service, account and region that
	// have one of the statuses.
	CountModels(key ProjectKey, status ...ModelStatus) (int, error)
	// ModelsAfter returns at most n models of any service and status, in order of
	// their identifiers, after one.
	ModelsAfter(after ModelID, n int) ([]*Model, error)
	// ModelsOn returns the models that are trained or tested on a revision, or
	// for a Number of 0 on any of the dataset.
	ModelsOn(RevisionKey) ([]*Model, error)
	HasWeights(name string) (bool, error) // of a model
	PutModel(*Model) error
	DeleteModel(ModelID) error

	// Tags returns the tags of a resource, named by its ARN; empty for none.
	Tags(resource string) (map[string]string, error)
	PutTags(resource string, tags map[string]string) error // none deletes

	// Token returns what a client token is remembered with.
	Token(TokenKey) (*Token, error)
	PutToken(*Token) error

	// Enqueue adds a job that becomes visible when the transaction commits.
	Enqueue(JobArgs) error

	// Setting returns a small named value of the installation.
	Setting(name string) (string, error)
	PutSetting(name, value string) error
}
