package awsjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"unicode/utf8"

	"fovea"
)

const (
	smallBody = 1 << 20  // bytes of a JSON body without blobs
	slack     = 2 << 20  // bytes that a body with a blob may have around it
	maxStream = 16 << 20 // bytes of a body that a handler reads
	maxDrain  = 32 << 20 // bytes of a refused body that are read to let the client see the answer
)

// bodyLimit returns how many bytes a body of the shape may have: what its
// blobs need in base64 and something for the rest (CL-1.12, LV-1.24).
func bodyLimit(s *Shape) int64 {
	blobs := blobBytes(s)
	if blobs == 0 {
		return smallBody
	}
	return (blobs+2)/3*4 + slack
}

func blobBytes(s *Shape) int64 {
	var n int64
	if s.Kind == Blob {
		n = *s.Max
	}
	for _, m := range s.Members {
		n += blobBytes(m.Shape)
	}
	return n
}

// decode sets in to what a request says.
func (a *API) decode(r *http.Request, op *operation, labels map[string]string, in reflect.Value) *wireError {
	found, err := a.bodyMembers(r, op)
	if err != nil {
		return err
	}
	query, queryErr := url.ParseQuery(r.URL.RawQuery)
	if queryErr != nil && a.Description.Target == "" {
		return a.malform(malformed("The query of the request cannot be read: %v.", queryErr))
	}
	var d decoder
	for i, f := range op.in.fields {
		var texts []string
		at := (*place)(nil).member(f.Name)
		switch f.In {
		case InBody:
			if err := d.member(f, found[i], in.Field(f.index), at); err != nil {
				return a.malform(err)
			}
			continue
		case InPayload:
			if err := d.payload(r, in.Field(f.index), at); err != nil {
				return a.malform(err)
			}
			continue
		case InPath:
			texts = []string{labels[f.Wire]}
		case InQuery:
			texts = query[f.Wire]
		case InHeader:
			texts = r.Header.Values(f.Wire)
		}
		if err := d.parameter(f, texts, in.Field(f.index), at); err != nil {
			return a.malform(err)
		}
	}
	return d.err(a.Description)
}

// parameter sets a member to a parameter of the path, query or header. Only a
// list takes more than the first.
func (d *decoder) parameter(f field, texts []string, holder reflect.Value, at *place) *wireError {
	if len(texts) == 0 {
		if f.Required {
			d.missing(at)
		}
		return nil
	}
	for _, text := range texts {
		if !utf8.ValidString(text) {
			return malformed("'%s' is not UTF-8 text.", at)
		}
	}
	v := f.codec.settle(holder)
	if f.Shape.Kind != List {
		return d.text(f.codec, texts[0], v, at)
	}
	shown, _ := json.Marshal(texts[:min(len(texts), 10)])
	if !d.size(f.Shape, len(texts), shown, at) {
		return nil
	}
	v.Set(reflect.MakeSlice(f.codec.typ, len(texts), len(texts)))
	for i, text := range texts {
		if err := d.text(f.codec.elem, text, v.Index(i), at.element(i)); err != nil {
			return err
		}
	}
	return nil
}

// payload gives the handler the body to read, which may come in chunks, without
// a length (LV-7.25).
func (d *decoder) payload(r *http.Request, holder reflect.Value, at *place) *wireError {
	switch {
	case r.ContentLength > maxStream:
		return tooLarge(maxStream)
	case r.ContentLength == 0:
		d.missing(at)
	}
	holder.Set(reflect.ValueOf(http.MaxBytesReader(nil, r.Body, maxStream)))
	return nil
}

// bodyMembers returns the members of the JSON body in the order of the input's
// fields. An empty body is an object without members (CL-1.3, LV-1.12), and
// one that no member can be in is not read.
func (a *API) bodyMembers(r *http.Request, op *operation) ([][]byte, *wireError) {
	reads := false
	for _, f := range op.in.fields {
		reads = reads || f.In == InBody
	}
	if !reads {
		return make([][]byte, len(op.in.fields)), nil
	}
	body, err := a.readBody(r, op.limit)
	if err != nil {
		return nil, err
	}
	if body = trim(body); len(body) == 0 {
		body = []byte("{}")
	}
	if err := checkJSON(body); err != nil {
		return nil, a.malform(err)
	}
	return op.in.collect(body), nil
}

// readBody reads a body of at most limit bytes.
func (a *API) readBody(r *http.Request, limit int64) ([]byte, *wireError) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	var tooMany *http.MaxBytesError
	var caused *fovea.Error
	switch {
	case err == nil && int64(len(body)) > limit:
		return nil, tooLarge(limit)
	case err == nil:
		return body, nil
	case errors.As(err, &tooMany):
		return nil, tooLarge(tooMany.Limit)
	case errors.As(err, &caused):
		return nil, a.wire(a.Errors[caused.Kind], caused.Message)
	}
	return nil, a.malform(malformed("The body of the request ended early."))
}

// checkJSON reports a body that is not one JSON object in UTF-8. The check
// bounds the nesting too: encoding/json refuses more than 10,000 levels.
func checkJSON(body []byte) *wireError {
	if !utf8.Valid(body) {
		return malformed("The body of the request is not UTF-8 text.")
	}
	if !json.Valid(body) {
		var ignored json.RawMessage
		return malformed("The body of the request is not JSON: %v.", json.Unmarshal(body, &ignored))
	}
	if body[0] != '{' {
		return malformed("The body of the request must be a JSON object.")
	}
	return nil
}

// drain reads what is left of a body that was refused for its size, so that a
// client that sends before it listens gets to see the answer. One that waits
// for 100 Continue is not told to go on.
func drain(r *http.Request, err *wireError) {
	if err.status == http.StatusRequestEntityTooLarge && r.Header.Get("Expect") == "" {
		io.CopyN(io.Discard, r.Body, maxDrain)
	}
}

// mismatch reports a JSON value of the wrong type.
func mismatch(at *place, want string, text []byte) *wireError {
	kinds := map[byte]string{'{': "an object", '[': "an array", '"': "a string", 't': "true", 'f': "false", 'n': "null"}
	got, ok := kinds[text[0]]
	if !ok {
		got = "a number"
	}
	return malformed("'%s' must be %s, and is %s.", at, want, got)
}

func malformed(format string, args ...any) *wireError {
	return &wireError{status: 400, message: fmt.Sprintf(format, args...)}
}

// malform gives an error of the decoder the name that the API has for it.
func (a *API) malform(err *wireError) *wireError {
	if err.name == "" {
		err.name = a.Description.Malformed
	}
	return err
}

// tooLarge is the error of a body above its limit. AWS's front end answers
// 413 before the service sees the request.
func tooLarge(limit int64) *wireError {
	return &wireError{name: "RequestEntityTooLargeException", status: http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("The body of the request has more than the %d bytes that this operation takes.", limit)}
}
