package extension

import (
	"net/http"
	"time"

	"fovea"
	"fovea/internal/model"
)

// A listedModel is a model as lists of models have it.
type listedModel struct {
	Name     string            `json:"name"`
	Status   fovea.ModelStatus `json:"status"`
	Message  string            `json:"message,omitempty"` // why, of a failure
	Created  time.Time         `json:"created"`
	Progress float64           `json:"progress"`               // of the training, 0 to 1
	Stage    string            `json:"stage,omitempty"`        // what the training is at
	Left     *int64            `json:"seconds_left,omitempty"` // of the training, as far as that is known
	Units    int               `json:"units,omitempty"`        // inference units of the last start

	// What was measured on this node: the images that it was given, and how many
	// an inference unit works on in a second.
	Images    int64   `json:"images,omitempty"`
	PerSecond float64 `json:"unit_images_per_second,omitempty"`

	Recipe  string   `json:"recipe,omitempty"`
	F1      *float64 `json:"f1,omitempty"`
	Seconds int64    `json:"training_seconds,omitempty"`

	// What made it: the revisions of the datasets, 0 for none, the version of
	// fovea, and the backbone with its hash.
	Train    int64  `json:"train_revision,omitempty"`
	Test     int64  `json:"test_revision,omitempty"`
	Code     string `json:"code,omitempty"`
	Backbone string `json:"backbone,omitempty"`
}

func (s *Server) listed(m *fovea.Model, now time.Time) listedModel {
	out := listedModel{
		Name: m.Name, Status: m.Status, Message: m.Message, Created: m.Created, Progress: m.Progress, Stage: m.Stage,
		Units: max(m.MinUnits, m.MaxUnits), Train: m.Train.Number, Test: m.Test.Number,
	}
	if left, ok := model.Left(m, now); ok {
		seconds := int64(left.Seconds())
		out.Left = &seconds
	}
	if s.Speed != nil {
		out.Images, out.PerSecond = s.Speed(m.ID)
	}
	if r := m.Result; r != nil {
		out.Recipe, out.Seconds, out.Code, out.Backbone = r.Recipe, r.Seconds, r.Code, r.Backbone
		if m.Weights != "" {
			out.F1 = &r.F1
		}
	}
	return out
}

// The models of a page, if the request does not say, and at most.
const (
	usualModels = 100
	mostModels  = 1000
)

// listModels answers a page of the models of a project, latest first.
func (s *Server) listModels(r *http.Request) (any, error) {
	key, err := projectOf(r)
	if err != nil {
		return nil, err
	}
	p := newParams(r)
	q := model.Query{Project: key, Token: p.text("token"), Max: int(min(max(p.number("max", usualModels), 1), mostModels))}
	if err := p.done(); err != nil {
		return nil, err
	}
	_, list, next, err := s.Models.List(r.Context(), q)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Models []listedModel `json:"models"`
		Token  string        `json:"token,omitempty"`
	}{[]listedModel{}, next}
	for _, m := range list {
		answer.Models = append(answer.Models, s.listed(m, time.Now()))
	}
	return answer, nil
}

// cancelModel ends a training or a copy.
func (s *Server) cancelModel(r *http.Request) (any, error) {
	ref, err := modelRef(r)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Cancel(r.Context(), ref)
	if err != nil {
		return nil, err
	}
	return s.listed(v.Model, time.Now()), nil
}
