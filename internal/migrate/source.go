package migrate

import (
	"context"
	"io"

	"fovea"
)

// A Source is where projects come from.
type Source interface {
	// String names the source, so that a run that is started again is known
	// to be of the same.
	String() string

	// discover finds the projects.
	discover(ctx context.Context, s *state) ([]found, error)

	// page returns lines of a dataset, from where a token says; "" is the
	// start. A page without a next token is the last one.
	page(ctx context.Context, d *dataset, token string) (*page, error)

	// locate finds what a ref of a line names. Without a place the ref stays
	// as it is, or if there is a problem, which is for people, the line
	// cannot be migrated.
	locate(ctx context.Context, d *dataset, r ref) (place, problem string, err error)

	// open returns the object at a place. The error for one that is not
	// there has fs.ErrNotExist in its chain.
	open(ctx context.Context, place string) (io.ReadCloser, fovea.ObjectInfo, error)

	// name returns what an object is called in the destination, below the
	// prefix; no two places share a name.
	name(place string) string

	// Close releases what the source holds.
	Close() error
}

// A found project is one that a source has.
type found struct {
	service  fovea.Service
	name     string // in the destination
	source   string // what people know it as
	tags     map[string]string
	datasets []foundDataset
	notes    []string // what is not migrated, and why
}

type foundDataset struct {
	split  fovea.Split
	source string // a manifest or an ARN
	tags   map[string]string
}

// A dataset is one that is migrated.
type dataset struct {
	id       int64
	project  *project
	split    fovea.Split
	source   string
	tags     map[string]string
	token    string
	numbered int64
	listed   bool
	asked    bool
	before   int64 // how many lines the listing before gave
}

// A project is one that is migrated.
type project struct {
	id        int64
	service   fovea.Service
	source    string
	name      string
	tags      map[string]string
	certified bool
	datasets  []*dataset
}

// A page is some lines of a dataset.
type page struct {
	lines []numbered
	count int64  // of all lines, blank ones included
	next  string // token, "" after the last page
	total int64  // how many lines the source says there are in all, -1 if it does not say
}

// A numbered line is one of a page. Its text is nil if it is too long to be one.
type numbered struct {
	n    int64 // from 1, in its page
	text []byte
	bad  string // why it cannot be migrated
}
