package fovea

import (
	"errors"
	"fmt"
)

// A Kind says whose fault an error is and what a caller can do about it. Each
// protocol maps kinds to its own error names in one table.
type Kind int

// The kinds of error. Internal is the zero value, so an error that nobody
// classified is ours and never shown to a caller.
const (
	Internal    Kind = iota // our fault; logged, answered without its text, retried by jobs
	Invalid                 // the request cannot be right, whatever the state
	NotFound                // the named thing does not exist
	Exists                  // a thing of that name or type exists already
	InUse                   // the thing's state forbids it for now
	NotReady                // the thing is not usable yet, or not any more
	Limit                   // too many things running or too much of something at once
	Quota                   // too many things stored
	Denied                  // the caller may not
	Throttled               // too many requests
	BadToken                // a page token that was not issued for this request
	BadObject               // an object in S3 that is missing or cannot be read
	Unsupported             // the operation is known and not built
	BadImage                // an image that is none, or cannot be decoded
	TooLarge                // an image of too many bytes or pixels
)

var kindNames = [...]string{"internal", "invalid", "not found", "exists", "in use", "not ready", "limit", "quota",
	"denied", "throttled", "bad token", "bad object", "unsupported", "bad image", "too large"}

// String returns the kind in lower case, for logs.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind %d", int(k))
	}
	return kindNames[k]
}

// A ResourceType is the type of thing an error is about.
type ResourceType string

// The resource types. Their texts are those of LV-1.35, because that is the
// only place where they are shown.
const (
	ProjectResource ResourceType = "PROJECT"
	DatasetResource ResourceType = "DATASET"
	ModelResource   ResourceType = "MODEL"
)

// An Error is an error that the caller caused, or is told of. Its message is
// read by people: it names the thing and, where there is one, the way out.
type Error struct {
	Kind         Kind
	Message      string
	ResourceType ResourceType // what it is about, if one thing
	ResourceID   string       // which one: LV-1.36
	Err          error        // what caused it; for logs only
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// About returns the error with the resource it is about filled in.
func (e *Error) About(t ResourceType, id string) *Error {
	e.ResourceType, e.ResourceID = t, id
	return e
}

// Errorf returns an Error of that kind. A %w verb keeps the cause for the log.
func Errorf(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// ErrNoBackbone is the cause of errors for which a node cannot train or host a
// model: it lacks the network through which the model looks. Other nodes may
// have it.
var ErrNoBackbone = errors.New("the backbone is not on this node")

// KindOf returns the kind of the first Error in err's chain, Internal if there
// is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
