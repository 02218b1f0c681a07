package awsjson

import (
	"net/http"
	"net/url"
	"strings"
)

// A route is the method and the path of a REST-JSON operation.
type route struct {
	op       *operation
	segments []string
	greedy   string // name of the label that takes the rest of the path; "" for none
}

func newRoute(op *operation) *route {
	rt := &route{op: op, segments: strings.Split(op.Path, "/")}
	last := rt.segments[len(rt.segments)-1]
	if name, ok := strings.CutSuffix(last, "+}"); ok {
		rt.greedy = name[1:]
		rt.segments = rt.segments[:len(rt.segments)-1]
	}
	return rt
}

// match returns the operation of a method and path, with the path's labels. It
// splits the path before it decodes it, so that %2F stays inside a segment; an
// ARN that a client did not encode is the rest of the path (LV-1.14).
func (a *API) match(r *http.Request) (*operation, map[string]string, *wireError) {
	segments := strings.Split(r.URL.EscapedPath(), "/")
	for _, rt := range a.routes {
		if rt.op.Method == r.Method {
			if labels := rt.labels(segments); labels != nil {
				return rt.op, labels, nil
			}
		}
	}
	return nil, nil, a.unknown("%s %s is no operation of this service.", r.Method, shorten(r.URL.EscapedPath()))
}

// labels returns the labels of a path, nil if it is not the route's. No label
// is empty.
func (rt *route) labels(segments []string) map[string]string {
	rest := ""
	if rt.greedy != "" {
		if len(segments) <= len(rt.segments) {
			return nil
		}
		rest = strings.Join(segments[len(rt.segments):], "/")
		segments = segments[:len(rt.segments)]
	}
	if len(segments) != len(rt.segments) {
		return nil
	}
	labels := make(map[string]string)
	for i, want := range rt.segments {
		name, isLabel := strings.CutPrefix(want, "{")
		switch {
		case isLabel && !setLabel(labels, strings.TrimSuffix(name, "}"), segments[i]):
			return nil
		case !isLabel && want != segments[i]:
			return nil
		}
	}
	if rt.greedy != "" && !setLabel(labels, rt.greedy, rest) {
		return nil
	}
	return labels
}

func setLabel(labels map[string]string, name, escaped string) bool {
	text, err := url.PathUnescape(escaped)
	labels[name] = text
	return err == nil && text != ""
}
