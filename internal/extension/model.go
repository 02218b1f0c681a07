package extension

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/bundle"
	"fovea/internal/certificate"
	"fovea/internal/model"
)

// A Heater calls fn with where in an image a model sees a label, when it is the
// call's turn with the model; "" is the label that the model chooses.
type Heater func(ctx context.Context, v *model.View, image []byte, label string, fn func(*appraisal.Heat) error) error

// ofModels is what the paths of calls about the models of a project have in the
// place where those about datasets have train or test.
const ofModels = "models"

// isOfModels tells which of the two the path of a request is of. One router
// cannot: neither kind of path is more specific than the other.
func isOfModels(r *http.Request) bool {
	parts := strings.SplitN(r.URL.Path, "/", 7) // "", fovea, v1, service, project, models
	return len(parts) > 5 && parts[5] == ofModels
}

// models returns the calls about models.
func (s *Server) models() *http.ServeMux {
	mux := http.NewServeMux()
	const all = "/fovea/v1/{service}/{project}/" + ofModels
	const one = all + "/{name}/"
	mux.HandleFunc("GET "+all, s.answer(s.listModels))
	mux.HandleFunc("POST "+all, s.answer(s.importModel))
	mux.HandleFunc("POST "+one+"cancel", s.answer(s.cancelModel))
	mux.HandleFunc("GET "+one+"report", s.modelReport)
	mux.HandleFunc("GET "+one+"thresholds", s.answer(s.thresholds))
	mux.HandleFunc("PUT "+one+"thresholds", s.answer(s.setThresholds))
	mux.HandleFunc("DELETE "+one+"thresholds", s.answer(s.resetThresholds))
	mux.HandleFunc("POST "+one+"heatmap", s.heatmap)
	mux.HandleFunc("GET "+one+"bundle", s.exportModel)
	mux.HandleFunc("/", s.unknown)
	return mux
}

// unknown answers a call that there is not.
func (s *Server) unknown(w http.ResponseWriter, _ *http.Request) {
	s.WriteError(w, "UnknownOperationException", http.StatusNotFound, "There is no such call: see docs/extensions.md.")
}

// projectOf returns what names the project of a request.
func projectOf(r *http.Request) (fovea.ProjectKey, error) {
	c := fovea.CallerOf(r.Context())
	key := fovea.ProjectKey{Service: fovea.Service(r.PathValue("service")), Account: c.Account, Region: c.Region, Name: r.PathValue("project")}
	if key.Service != fovea.CustomLabels && key.Service != fovea.Lookout {
		return key, fovea.Errorf(fovea.Invalid, "The service %q is not one of %s and %s.", key.Service, fovea.CustomLabels, fovea.Lookout)
	}
	return key, nil
}

// modelRef returns what names the model of a request.
func modelRef(r *http.Request) (model.Ref, error) {
	key, err := projectOf(r)
	return model.Ref{Project: key, Name: r.PathValue("name")}, err
}

func (s *Server) findModel(r *http.Request) (*model.View, error) {
	ref, err := modelRef(r)
	if err != nil {
		return nil, err
	}
	return s.Models.Find(r.Context(), ref)
}

// modelReport sends the report about a model.
func (s *Server) modelReport(w http.ResponseWriter, r *http.Request) {
	blob, err := s.openReport(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer blob.Close()
	s.sendFile(w, r, "application/json", blob)
}

func (s *Server) openReport(r *http.Request) (fovea.Blob, error) {
	v, err := s.findModel(r)
	if err != nil {
		return nil, err
	}
	if err := newParams(r).done(); err != nil {
		return nil, err
	}
	return s.Models.Report(r.Context(), v.Model)
}

// sendFile sends a file of a known size.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, contentType string, blob fovea.Blob) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.FormatInt(blob.Size(), 10))
	if err := send(w, blob); err != nil {
		s.Log.InfoContext(r.Context(), "an answer was not sent whole", "error", err)
	}
}

// A threshold is a threshold as calls answer it.
type threshold struct {
	Label  string   `json:"label"`
	Value  float64  `json:"threshold"` // that counts
	Chosen float64  `json:"chosen"`    // by the training
	Set    *float64 `json:"set"`       // in its place; null if nobody has
}

func thresholdsOf(m *fovea.Model) (any, error) {
	list, err := model.Thresholds(m)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Thresholds []threshold `json:"thresholds"`
	}{[]threshold{}}
	for _, t := range list {
		answer.Thresholds = append(answer.Thresholds, threshold{t.Label, m.Threshold(t.Label, t.Chosen), t.Chosen, t.Set})
	}
	return answer, nil
}

func (s *Server) thresholds(r *http.Request) (any, error) {
	v, err := s.findModel(r)
	if err != nil {
		return nil, err
	}
	return thresholdsOf(v.Model)
}

// setThresholds changes the thresholds that the body names.
func (s *Server) setThresholds(r *http.Request) (any, error) {
	ref, err := modelRef(r)
	if err != nil {
		return nil, err
	}
	var change map[string]*float64
	dec := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxThresholds))
	if err := dec.Decode(&change); err != nil || len(change) == 0 {
		return nil, fovea.Errorf(fovea.Invalid, `The body is not of the form {"label": 0.5} with labels and thresholds, or null for what the training chose.`)
	}
	v, err := s.Models.SetThresholds(r.Context(), ref, change)
	if err != nil {
		return nil, err
	}
	return thresholdsOf(v.Model)
}

// maxThresholds is more than the thresholds of any model take.
const maxThresholds = 1 << 20

func (s *Server) resetThresholds(r *http.Request) (any, error) {
	ref, err := modelRef(r)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.ResetThresholds(r.Context(), ref)
	if err != nil {
		return nil, err
	}
	return thresholdsOf(v.Model)
}

// heatmap sends where in an image a model sees a label.
func (s *Server) heatmap(w http.ResponseWriter, r *http.Request) {
	contentType, answer, err := s.heat(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.sendFile(w, r, contentType, memory(answer)) // which gives it time of its own: the work may have taken all there was
}

// heat returns a heat map as it is sent, and of which type it is.
func (s *Server) heat(r *http.Request) (contentType string, answer []byte, err error) {
	v, err := s.findModel(r)
	if err != nil {
		return "", nil, err
	}
	p := newParams(r)
	label, format := p.text("label"), p.text("format")
	if err := p.done(); err != nil {
		return "", nil, err
	}
	if format != "" && format != "png" && format != "json" {
		return "", nil, fovea.Errorf(fovea.Invalid, "The format %.40q is not png or json.", format)
	}
	if v.Model.Status != fovea.Running {
		return "", nil, fovea.Errorf(fovea.NotReady, "The model %s is %s. Start it, and wait until it runs.", v.Model.Name, v.Model.Status)
	}
	image, err := io.ReadAll(r.Body) // the server bounds it
	if err != nil {
		return "", nil, fovea.Errorf(fovea.Invalid, "The image could not be read: %w", err)
	}
	if len(image) == 0 {
		return "", nil, fovea.Errorf(fovea.Invalid, "The body has no image.")
	}
	err = s.Heaters[v.Project.Service](r.Context(), v, image, label, func(h *appraisal.Heat) (err error) {
		if format == "json" {
			contentType = "application/json"
			answer, err = heatJSON(h)
			return err
		}
		contentType = "image/png"
		answer, err = h.Overlay()
		return err
	})
	return contentType, answer, err
}

// heatJSON returns a heat map in JSON: rows of cells from the top.
func heatJSON(h *appraisal.Heat) ([]byte, error) {
	rows := make([][]float32, h.H)
	for y := range rows {
		rows[y] = h.Data[y*h.W : (y+1)*h.W]
	}
	return json.Marshal(struct {
		Label  string      `json:"label"`
		Width  int         `json:"width"` // of the image, in pixels
		Height int         `json:"height"`
		Heat   [][]float32 `json:"heat"`
	}{h.Label, h.Image.W, h.Image.H, rows})
}

// exportModel sends a model as a signed bundle.
func (s *Server) exportModel(w http.ResponseWriter, r *http.Request) {
	ref, err := modelRef(r)
	if err == nil {
		err = newParams(r).done()
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	data, err := s.Models.Export(r.Context(), ref, s.Key)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.sendFile(w, r, "application/octet-stream", memory(data))
}

// importModel makes a model of the bundle in the body.
func (s *Server) importModel(r *http.Request) (any, error) {
	key, err := projectOf(r)
	if err != nil {
		return nil, err
	}
	p := newParams(r)
	name, output, trust := p.text("name"), p.text("output"), p.list("trust")
	if err := p.done(); err != nil {
		return nil, err
	}
	spec := model.ImportSpec{Project: key, Name: name, Trusted: []ed25519.PublicKey{s.Key.Public().(ed25519.PublicKey)}}
	if spec.Output, err = outputOf(output); err != nil {
		return nil, err
	}
	for _, text := range trust {
		public, err := certificate.ParseKey(text)
		if err != nil {
			return nil, fovea.Errorf(fovea.Invalid, "The trusted key is none: %w.", err)
		}
		spec.Trusted = append(spec.Trusted, public)
	}
	if spec.Bundle, err = io.ReadAll(io.LimitReader(r.Body, bundle.MaxBytes+1)); err != nil {
		return nil, fovea.Errorf(fovea.Invalid, "The bundle could not be read: %w", err)
	}
	v, err := s.Models.Import(r.Context(), spec)
	if err != nil {
		return nil, err
	}
	m := v.Model
	return map[string]any{
		"model": m.Name, "project": v.Project.Name, "created": m.Created, "status": m.Status, "kind": m.Result.Recipe, "f1": m.Result.F1,
	}, nil
}

// outputOf returns the bucket and the prefix that an S3 URI names.
func outputOf(text string) (fovea.ObjectRef, error) {
	rest, ok := strings.CutPrefix(text, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return fovea.ObjectRef{}, fovea.Errorf(fovea.Invalid, "The output %.100q is not of the form s3://bucket/prefix.", text)
	}
	return fovea.ObjectRef{Bucket: bucket, Key: prefix}, nil
}

// memory is bytes as a Blob.
type memory []byte

// ReadAt implements io.ReaderAt.
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(m)) {
		return 0, fmt.Errorf("read at %d of %d bytes: %w", off, len(m), errors.ErrUnsupported)
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close implements io.Closer.
func (memory) Close() error { return nil }

// Size returns the number of bytes.
func (m memory) Size() int64 { return int64(len(m)) }
