// Package extension is what fovea offers beyond AWS: calls under /fovea/v1/,
// signed like those of AWS for the service name "fovea", that AWS clients do not
// see. docs/extensions.md describes them for users.
package extension

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"fovea"
	"fovea/internal/dataset"
)

// A Server answers the calls. All fields are required.
type Server struct {
	Datasets   *dataset.Ops
	WriteError func(w http.ResponseWriter, code string, status int, message string)
	Log        *slog.Logger
}

// Handler returns the calls as an http.Handler.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fovea/v1/{service}/{project}/{split}/import-report", s.importReport)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.WriteError(w, "UnknownOperationException", http.StatusNotFound, "There is no such call: see docs/extensions.md.")
	})
	return mux
}

// importReport sends the report about a dataset's import as JSON Lines.
func (s *Server) importReport(w http.ResponseWriter, r *http.Request) {
	report, err := s.report(r.Context(), r.PathValue("service"), r.PathValue("project"), r.PathValue("split"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer report.Close()
	w.Header().Set("Content-Type", "application/jsonl")
	w.Header().Set("Content-Length", strconv.FormatInt(report.Size(), 10))
	if _, err := io.Copy(w, io.NewSectionReader(report, 0, report.Size())); err != nil {
		s.Log.InfoContext(r.Context(), "an import report was not sent whole", "error", err)
	}
}

func (s *Server) report(ctx context.Context, service, project, split string) (fovea.Blob, error) {
	c := fovea.CallerOf(ctx)
	key := fovea.ProjectKey{Service: fovea.Service(service), Account: c.Account, Region: c.Region, Name: project}
	if key.Service != fovea.CustomLabels && key.Service != fovea.Lookout {
		return nil, fovea.Errorf(fovea.Invalid, "The service %q is not one of %s and %s.", service, fovea.CustomLabels, fovea.Lookout)
	}
	if s := fovea.Split(split); s != fovea.Train && s != fovea.Test {
		return nil, fovea.Errorf(fovea.Invalid, "The dataset %q is not one of %s and %s.", split, fovea.Train, fovea.Test)
	}
	v, err := s.Datasets.Find(ctx, key, fovea.Split(split))
	if err != nil {
		return nil, err
	}
	return s.Datasets.Report(ctx, v)
}

// names are what errors are called, and their statuses: those of Lookout.
var names = map[fovea.Kind]struct {
	name   string
	status int
}{
	fovea.Invalid:  {"ValidationException", http.StatusBadRequest},
	fovea.NotFound: {"ResourceNotFoundException", http.StatusNotFound},
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *fovea.Error
	if n, ok := names[fovea.KindOf(err)]; ok && errors.As(err, &e) {
		s.WriteError(w, n.name, n.status, e.Message)
		return
	}
	s.Log.ErrorContext(r.Context(), "request failed", "request_id", fovea.CallerOf(r.Context()).RequestID, "error", err)
	s.WriteError(w, "InternalServerException", http.StatusInternalServerError, "Internal server error")
}
