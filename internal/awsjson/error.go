package awsjson

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"fovea"

	"github.com/google/uuid"
)

const (
	unknownOperation = "UnknownOperationException"
	notImplemented   = "NotImplementedException"

	// internalMessage is all that a caller is told of a fault of ours.
	internalMessage = "Internal server error"

	// retryAfter is how many seconds a caller is asked to wait where an
	// error has a Retry-After header.
	retryAfter = 1
)

// A wireError is an error as it is sent.
type wireError struct {
	name    string
	status  int
	message string
	members map[string]string // further members of the body
	retry   bool              // with a Retry-After header
}

// WriteError answers a request with an error from outside the operations, such
// as one of the signature.
func (a *API) WriteError(w http.ResponseWriter, r *http.Request, code string, status int, message string) {
	a.writeError(w, requestID(r.Context()), &wireError{name: code, status: status, message: message})
}

// writeError sends an error in the form of the protocol (CL-1.30 to CL-1.32,
// LV-1.32, LV-1.33).
func (a *API) writeError(w http.ResponseWriter, id string, e *wireError) {
	w.Header().Set("X-Amzn-Errortype", e.name)
	if e.retry {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if e.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	members := [][2]string{{"__type", e.name}}
	if a.Description.Target != "" {
		members = append(members, [2]string{"Code", e.name}, [2]string{"Logref", uuid.NewString()})
	}
	members = append(members, [2]string{"Message", e.message})
	for _, name := range slices.Sorted(maps.Keys(e.members)) {
		members = append(members, [2]string{name, e.members[name]})
	}
	body := []byte("{")
	for i, m := range members {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendString(body, m[0]), ':')
		body = appendString(body, m[1])
	}
	a.write(w, id, e.status, append(body, '}'))
}

// requestID returns the request's identifier, a new one if it has none.
func requestID(ctx context.Context) string {
	if id := fovea.CallerOf(ctx).RequestID; id != "" {
		return id
	}
	return uuid.NewString()
}

// translate returns the error that a caller sees for one of a handler. What is
// ours to mend is logged and answered without its text.
func (a *API) translate(op *operation, id string, err error) *wireError {
	e := &fovea.Error{Message: internalMessage}
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
		a.Log.Error("handler panicked", "operation", op.Name, "request_id", id, "panic", fmt.Sprint(panicked.value), "stack", string(panicked.stack))
	case errors.Is(err, context.Canceled):
		a.Log.Info("client went away", "operation", op.Name, "request_id", id)
	case fovea.KindOf(err) == fovea.Internal:
		a.Log.Error("request failed", "operation", op.Name, "request_id", id, "error", err)
	default:
		errors.As(err, &e)
	}
	name := op.op.names[e.Kind]
	if name == "" {
		name = a.Errors[e.Kind]
	}
	if name == "" && e.Kind == fovea.Unsupported {
		name = notImplemented
	}
	if a.Unlisted != nil && name != notImplemented && !slices.Contains(op.Errors, name) {
		a.Unlisted(op.Name, name)
	}
	out := a.wire(name, e.Message)
	a.addMembers(out, op, e)
	return out
}

// statuses has the HTTP statuses of errors that no description has.
var statuses = map[string]int{
	notImplemented: http.StatusNotImplemented,
}

// wire returns the error of a name with the status that the API gives it.
func (a *API) wire(name, message string) *wireError {
	e := &wireError{name: name, status: http.StatusBadRequest, message: message}
	if status, ok := statuses[name]; ok {
		e.status = status
	}
	if shape := a.errorShape(name); shape != nil {
		e.status = shape.Status
		e.retry = slices.Contains(shape.Members, "RetryAfterSeconds")
	}
	return e
}

func (a *API) errorShape(name string) *ErrorShape {
	for _, shape := range a.Description.Errors {
		if shape.Name == name {
			return shape
		}
	}
	return nil
}

// addMembers adds what the error has besides its message (LV-1.35 to LV-1.37).
func (a *API) addMembers(out *wireError, op *operation, e *fovea.Error) {
	shape := a.errorShape(out.name)
	if shape == nil {
		return
	}
	values := map[string]string{
		"ResourceId":   e.ResourceID,
		"ResourceType": string(e.ResourceType),
		"ServiceCode":  a.Description.SigningName,
		"QuotaCode":    quotaCode(op.Name, e.ResourceType),
	}
	out.members = make(map[string]string)
	for _, name := range shape.Members {
		if v := values[name]; v != "" {
			out.members[name] = v
		}
	}
}

// quotaCode returns a code of the form that AWS gives quotas. AWS's own are
// not known, so ours are made up of the operation and the type of resource,
// and stay the same (LV-14.34).
func quotaCode(operation string, t fovea.ResourceType) string {
	h := fnv.New32a()
	h.Write([]byte(operation + "/" + string(t)))
	return fmt.Sprintf("L-%08X", h.Sum32())
}

// unknown is the error of a request for no operation.
func (a *API) unknown(format string, args ...any) *wireError {
	return &wireError{name: unknownOperation, status: a.Description.UnknownStatus, message: fmt.Sprintf(format, args...)}
}
