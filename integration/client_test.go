package integration

import (
	"context"
	"fmt"
)

// A client runs calls as a user's program would.
type client interface {
	// call runs an operation of "rekognition", "lookoutvision" or "s3". The
	// input has the wire's member names, blobs as text, or as base64 after
	// "base64:", and dates as RFC 3339.
	// What the service answers, errors too, is in the answer; err is the
	// client's own failure.
	call(ctx context.Context, service, operation string, in map[string]any) (answer, error)
}

// An answer is what an operation came to. Dates in it are seconds since the
// Unix epoch, blobs are text, and what was absent is absent.
type answer struct {
	Out       map[string]any `json:"out"`
	Error     *callError     `json:"error"`
	RequestID string         `json:"request_id"`
}

// A callError is an error answer as a client understood it.
type callError struct {
	Code    string         `json:"code"`
	Status  int            `json:"status"` // 0 where the client does not tell
	Message string         `json:"message"`
	Class   string         `json:"class"`  // of the client's error; "" where it has none
	Fields  map[string]any `json:"fields"` // further members
}

func (e *callError) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code, e.Status, e.Message) }
