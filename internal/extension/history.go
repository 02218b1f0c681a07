package extension

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"fovea"
	"fovea/internal/dataset"
)

// How many revisions a listing has, if the request does not say, and at most.
const (
	defaultRevisions = 100
	maxRevisions     = 1000
)

// A revision is a revision as calls answer it.
type revision struct {
	Revision int64     `json:"revision"`
	Created  time.Time `json:"created"`
	Cause    string    `json:"cause"`
	Caller   string    `json:"caller"`
	Current  bool      `json:"current"`
	Entries  int64     `json:"entries"`
	Labeled  int64     `json:"labeled_entries"`
	Errors   int64     `json:"error_entries"`
	Normal   int64     `json:"normal_entries"`
	Anomaly  int64     `json:"anomaly_entries"`
	Labels   int       `json:"labels"`
	Added    *int64    `json:"added,omitempty"`
	Removed  *int64    `json:"removed,omitempty"`

	LabelCounts []labelCount `json:"label_counts,omitempty"` // of one revision only
}

// A labelCount is how many entries of a revision use a label.
type labelCount struct {
	Name    string `json:"name"`
	Entries int64  `json:"entries"`
	Boxed   int64  `json:"boxed_entries"`
}

func revisionOf(c dataset.Commit) revision {
	r := revision{
		Revision: c.Number, Created: c.Created, Cause: c.Cause, Caller: c.Caller, Current: c.Current,
		Entries: c.Stats.Entries, Labeled: c.Stats.Labeled, Errors: c.Stats.Errors,
		Normal: c.Stats.Normal, Anomaly: c.Stats.Anomaly, Labels: len(c.Labels),
	}
	if c.Known {
		r.Added, r.Removed = &c.Added, &c.Removed
	}
	return r
}

// revisions lists the history of a dataset.
func (s *Server) revisions(r *http.Request, v *dataset.View, p *params) (any, error) {
	before, n := p.number("before", 0), p.number("max", defaultRevisions)
	if err := p.done(); err != nil {
		return nil, err
	}
	n = min(max(n, 1), maxRevisions)
	commits, err := s.Datasets.History(r.Context(), v, before, int(n))
	if err != nil {
		return nil, err
	}
	answer := struct {
		Revisions []revision `json:"revisions"`
		Before    int64      `json:"before,omitempty"` // of the next page
	}{Revisions: []revision{}}
	for _, c := range commits {
		answer.Revisions = append(answer.Revisions, revisionOf(c))
	}
	if k := len(commits); k == int(n) && commits[k-1].Number > 1 {
		answer.Before = commits[k-1].Number
	}
	return answer, nil
}

// revision describes one revision with its labels.
func (s *Server) revision(r *http.Request, v *dataset.View, p *params) (any, error) {
	number := p.parse("revision", r.PathValue("number"))
	if err := p.done(); err != nil {
		return nil, err
	}
	return s.describe(r.Context(), v, number)
}

func (s *Server) describe(ctx context.Context, v *dataset.View, number int64) (*revision, error) {
	c, err := s.Datasets.Commit(ctx, v, number)
	if err != nil {
		return nil, err
	}
	one := revisionOf(*c)
	for _, l := range c.Labels {
		one.LabelCounts = append(one.LabelCounts, labelCount{l.Name, l.Entries, l.Boxed})
	}
	return &one, nil
}

// maxRestore is more than the body of any call of restore.
const maxRestore = 4096

// restore makes an older revision's content the newest revision.
func (s *Server) restore(r *http.Request, v *dataset.View, p *params) (any, error) {
	if err := p.done(); err != nil {
		return nil, err
	}
	var in struct {
		Revision int64 `json:"revision"`
	}
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxRestore))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil || in.Revision <= 0 {
		return nil, fovea.Errorf(fovea.Invalid, `The body is not of the form {"revision": 1} with the number of a revision.`)
	}
	id := v.Dataset.ID
	restored, err := s.Datasets.Restore(r.Context(), dataset.Restoration{
		Project: v.Project.Key(), Split: v.Dataset.Split, Revision: in.Revision,
		Match: func(v *dataset.View) bool { return v.Dataset.ID == id },
	})
	if err != nil {
		return nil, err
	}
	return s.describe(r.Context(), restored, restored.Dataset.Revision)
}

// respond returns a handler that answers what fn returns as JSON.
func (s *Server) respond(fn func(*http.Request, *dataset.View, *params) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := s.find(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		answer, err := fn(r, v, newParams(r))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.sendJSON(w, r, answer)
	}
}

// sendJSON answers with a value as JSON.
func (s *Server) sendJSON(w http.ResponseWriter, r *http.Request, answer any) {
	text, err := json.Marshal(answer)
	if err != nil {
		s.fail(w, r, fmt.Errorf("encode the answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if _, err := w.Write(append(text, '\n')); err != nil {
		s.Log.InfoContext(r.Context(), "an answer was not sent whole", "error", err)
	}
}
