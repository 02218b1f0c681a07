package transfer

import (
	"context"
	"fmt"
	"strings"

	"fovea"
	"fovea/internal/exchange"
)

// A service is one of the two, as far as projects and datasets go. Its methods
// may be called again: that a thing is there, or gone, is no error.
type service interface {
	// makeProject makes the project unless it exists.
	makeProject(ctx context.Context) error

	// dataset returns what is known of a dataset; a zero state if there is
	// none.
	dataset(ctx context.Context, split exchange.Split) (state, error)

	// create starts an import of a manifest.
	create(ctx context.Context, split exchange.Split, manifest fovea.ObjectRef) error

	// update starts an update with the lines of a manifest, at most maxUpdate
	// bytes of them.
	update(ctx context.Context, split exchange.Split, lines []byte) error
	maxUpdate() int

	// remove removes a dataset.
	remove(ctx context.Context, split exchange.Split) error
}

// A state is what a service tells of a dataset.
type state struct {
	Status  string // such as CREATE_IN_PROGRESS; empty if there is no dataset
	Message string
	Entries int64
	Labeled int64
}

// busy reports whether the service is working on the dataset.
func (s state) busy() bool { return strings.HasSuffix(s.Status, "_IN_PROGRESS") }

// Statuses of both services (CL-4.2, LV-3.1).
const (
	createFailed   = "CREATE_FAILED"
	updateComplete = "UPDATE_COMPLETE"
)

// newService returns the service of that name for a project.
func newService(name fovea.Service, project string, server *Server) (service, error) {
	switch name {
	case fovea.CustomLabels:
		return &customLabels{server: server, project: project}, nil
	case fovea.Lookout:
		return &lookout{server: server, project: project}, nil
	}
	return nil, fmt.Errorf("the service %q is not %s or %s", name, fovea.CustomLabels, fovea.Lookout)
}
