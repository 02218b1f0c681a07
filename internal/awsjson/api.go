package awsjson

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"

	"fovea"
)

// A Config says what an API is made of.
type Config struct {
	Description *Description          // required
	Errors      map[fovea.Kind]string // required: a name for every kind; Unsupported may be left out
	Log         *slog.Logger          // required
	Ops         map[string]Op         // the operations that are built, by name

	// Unlisted, if set, is told of an error that a handler caused and that
	// its operation does not list, so that SDKs have no type for it
	// (LV-1.41). For tests.
	Unlisted func(operation, name string)
}

// An API serves the operations of one description. It is safe for concurrent
// use.
type API struct {
	Config
	byName map[string]*operation
	routes []*route // REST-JSON only
}

// An operation is an Op with its description.
type operation struct {
	*Operation
	op    Op
	built bool
	in    *codec
	out   *codec
	limit int64 // bytes of a body
}

// New returns the API that c describes. It panics when the table contradicts
// the description, which is a mistake of ours.
func New(c Config) *API {
	a := &API{Config: c, byName: make(map[string]*operation)}
	for k := fovea.Internal; k < fovea.Unsupported; k++ {
		if c.Errors[k] == "" {
			panic(fmt.Sprintf("awsjson: %s has no name for the error kind %q", c.Description.Service, k))
		}
	}
	for _, d := range c.Description.Operations {
		op, built := c.Ops[d.Name]
		if !built {
			op = unbuilt(d)
		}
		if op.in != d.In || op.out != d.Out {
			panic(fmt.Sprintf("awsjson: %s.%s takes %v and returns %v, and the table has %v and %v",
				c.Description.Service, d.Name, d.In, d.Out, op.in, op.out))
		}
		a.byName[d.Name] = &operation{
			Operation: d, op: op, built: built,
			in: bind(d.Input, d.In), out: bind(d.Output, d.Out), limit: bodyLimit(d.Input),
		}
		if c.Description.Target == "" {
			a.routes = append(a.routes, newRoute(a.byName[d.Name]))
		}
	}
	for name := range c.Ops {
		if a.byName[name] == nil {
			panic(fmt.Sprintf("awsjson: %s has no operation %s", c.Description.Service, name))
		}
	}
	return a
}

// Built reports, for every operation of the description, whether the table
// has it.
func (a *API) Built() map[string]bool {
	built := make(map[string]bool, len(a.byName))
	for name, op := range a.byName {
		built[name] = op.built
	}
	return built
}

// Operation names the operation that a request asks for, "" if there is none.
func (a *API) Operation(r *http.Request) string {
	op, _, err := a.find(r)
	if err != nil {
		return ""
	}
	return op.Name
}

// ServeHTTP serves one request. The request's context carries the caller
// (fovea.WithCaller).
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := requestID(r.Context())
	op, labels, err := a.find(r)
	if err != nil {
		a.writeError(w, id, err)
		return
	}
	in := reflect.New(op.In)
	if err := a.decode(r, op, labels, in.Elem()); err != nil {
		drain(r, err)
		a.writeError(w, id, err)
		return
	}
	answer, callErr := op.answer(a.withToken(r.Context(), op, in.Elem()), in)
	if callErr != nil {
		a.writeError(w, id, a.translate(op, id, callErr))
		return
	}
	a.write(w, id, op.Status, answer)
}

// write sends an answer with the headers that every one has (CL-1.5, LV-1.26).
func (a *API) write(w http.ResponseWriter, id string, status int, body []byte) {
	contentType := "application/x-amz-json-1.1"
	if a.Description.Target == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("X-Amzn-Requestid", id)
	w.WriteHeader(status)
	w.Write(body)
}

// A panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// answer runs the handler and returns the JSON text of its response. A panic
// becomes an error, because one bad request must not end the others.
func (op *operation) answer(ctx context.Context, in reflect.Value) (text []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	out, err := op.op.call(ctx, in)
	if err != nil {
		return nil, err
	}
	return op.out.append(nil, out.Elem()), nil
}

// find returns the operation that a request is for, with its path labels.
func (a *API) find(r *http.Request) (*operation, map[string]string, *wireError) {
	if a.Description.Target == "" {
		return a.match(r)
	}
	if r.Method != http.MethodPost {
		return nil, nil, &wireError{name: unknownOperation, status: http.StatusMethodNotAllowed,
			message: "The operations of this service are called with POST, not with " + r.Method + "."}
	}
	target := r.Header.Get("X-Amz-Target")
	if name, ok := strings.CutPrefix(target, a.Description.Target+"."); ok && a.byName[name] != nil {
		return a.byName[name], nil, nil
	}
	return nil, nil, a.unknown("The header X-Amz-Target %q names no operation of this service. It must be %s.<Operation>.", shorten(target), a.Description.Target)
}
