package extension

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// A difference is one line of the answer to diff: an entry that differs, or at
// the end the summary. Lines of manifests are there as they came, but for white
// space between the tokens.
type difference struct {
	Change    dataset.DifferenceKind `json:"change"`
	SourceRef string                 `json:"source_ref"`
	Old       json.RawMessage        `json:"old,omitempty"`
	New       json.RawMessage        `json:"new,omitempty"`
}

// A summary is the last line of the answer to diff: an answer without it is not
// whole.
type summary struct {
	Diff    string            `json:"diff"` // form and version
	From    revision          `json:"from"`
	To      revision          `json:"to"`
	Added   int64             `json:"added"`
	Removed int64             `json:"removed"`
	Changed int64             `json:"changed"`
	Labels  []labelDifference `json:"labels"`
}

type labelDifference struct {
	Name    string `json:"name"`
	Added   int64  `json:"added"`
	Removed int64  `json:"removed"`
	Changed int64  `json:"changed"`
}

const diffForm = "fovea.diff/1"

// diff sends what differs between two revisions. Without from it is the one
// before to, without to the current one.
func (s *Server) diff(r *http.Request, v *dataset.View, p *params, out *lines) error {
	to := p.number("to", v.Dataset.Revision)
	from := p.number("from", to-1)
	if err := p.done(); err != nil {
		return err
	}
	if r.URL.Query().Get("from") == "" && from < 1 {
		return nothingBefore(v, to)
	}
	result, err := s.Datasets.Diff(r.Context(), v, from, to, func(d dataset.Difference) error {
		return out.json(difference{d.Kind, string(d.SourceRef), raw(d.Old), raw(d.New)})
	})
	if err != nil {
		return err
	}
	last := summary{
		Diff: diffForm, Labels: []labelDifference{},
		From:  revisionOf(dataset.Commit{Revision: result.From, Current: from == v.Dataset.Revision}),
		To:    revisionOf(dataset.Commit{Revision: result.To, Current: to == v.Dataset.Revision}),
		Added: result.Added, Removed: result.Removed, Changed: result.Changed,
	}
	for _, l := range result.Labels {
		last.Labels = append(last.Labels, labelDifference{l.Name, l.Added, l.Removed, l.Changed})
	}
	return out.json(last)
}

// nothingBefore says that there is no revision before the first one to compare
// it with.
func nothingBefore(v *dataset.View, to int64) error {
	name := v.Project.Name + "/" + string(v.Dataset.Split)
	switch current := v.Dataset.Revision; {
	case current == 0:
		return fovea.Errorf(fovea.NotReady, "The dataset %s has no content: it is %s.", name, v.Dataset.Status)
	case current == 1:
		return fovea.Errorf(fovea.NotFound, "The dataset %s has one revision only: there is nothing to compare it with.", name)
	default:
		return fovea.Errorf(fovea.NotFound, "Revision %d of the dataset %s is its first: there is none before it. Name two revisions; the current one is %d.", to, name, current)
	}
}

// raw returns a line as a JSON value, as a string if it is none.
func raw(line []byte) json.RawMessage {
	if len(line) == 0 || json.Valid(line) {
		return line
	}
	text, _ := json.Marshal(string(line)) // which no string fails
	return text
}

// entriesPage is how many entries are read at a time.
const entriesPage = 500

// entries sends the lines of a revision that pass the filter: a manifest.
func (s *Server) entries(r *http.Request, v *dataset.View, p *params, out *lines) error {
	q := dataset.Query{Revision: p.number("revision", v.Dataset.Revision), Max: entriesPage}
	left := p.number("max", 0)
	q.Filter = segment.Filter{
		Labels: p.list("label"), Labeled: p.boolean("labeled"), SourceRef: p.text("source-ref"),
		Before: p.millis("before"), After: p.millis("after"),
	}
	if e := p.boolean("errors"); e != nil {
		q.Filter.Errors = *e
	}
	switch class := p.text("class"); class {
	case "":
	case manifest.Normal.String():
		q.Filter.Class = manifest.Normal
	case manifest.Anomaly.String():
		q.Filter.Class = manifest.Anomaly
	default:
		p.fail("The class %q is not one of %s and %s.", class, manifest.Normal, manifest.Anomaly)
	}
	if err := p.done(); err != nil {
		return err
	}
	if q.Revision == 0 {
		return fovea.Errorf(fovea.NotReady, "The dataset %s/%s has no content: it is %s.", v.Project.Name, v.Dataset.Split, v.Dataset.Status)
	}
	for {
		if left > 0 {
			q.Max = int(min(left, entriesPage))
		}
		page, err := s.Datasets.Entries(r.Context(), v, q)
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			if err := out.line(row.Line); err != nil {
				return err
			}
		}
		if left -= int64(len(page.Rows)); page.Next == "" || left == 0 {
			return nil
		}
		q.Token = page.Next
	}
}

// lines is an answer of JSON Lines on its way. Nothing of it is sent until
// there is enough of it, so that what fails before has an error of its own.
type lines struct {
	w   *bufio.Writer
	enc *json.Encoder
}

// errUnsent says that the client did not take the answer.
var errUnsent = errors.New("the answer was not sent whole")

func (l *lines) json(v any) error {
	if err := l.enc.Encode(v); err != nil {
		return errors.Join(errUnsent, err)
	}
	return nil
}

func (l *lines) line(text []byte) error {
	_, err := l.w.Write(text)
	if err = cmp.Or(err, l.w.WriteByte('\n')); err != nil {
		return errors.Join(errUnsent, err)
	}
	return nil
}

// A moving writer gives the client a minute for every write, so that a large
// answer takes as long as it moves.
type moving struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

const moveTime = time.Minute

// Write implements io.Writer.
func (m *moving) Write(b []byte) (int, error) {
	if !m.begun {
		m.w.Header().Set("Content-Type", "application/jsonl")
		m.begun = true
	}
	m.control.SetWriteDeadline(time.Now().Add(moveTime))
	return m.w.Write(b)
}

// stream returns a handler that answers JSON Lines. What fails when some lines
// have been sent cuts the connection: the client must not take a part for the
// whole.
func (s *Server) stream(fn func(*http.Request, *dataset.View, *params, *lines) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := s.find(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		m := &moving{w: w, control: http.NewResponseController(w)}
		out := &lines{w: bufio.NewWriterSize(m, 64<<10)}
		out.enc = json.NewEncoder(out.w)
		out.enc.SetEscapeHTML(false)
		err = fn(r, v, newParams(r), out)
		if err == nil {
			if !m.begun {
				w.Header().Set("Content-Type", "application/jsonl")
			}
			err = out.w.Flush()
		}
		switch {
		case err == nil:
		case !m.begun:
			s.fail(w, r, err)
		default:
			s.Log.InfoContext(r.Context(), "an answer was cut off", "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}
