// Package extension is what fovea offers beyond AWS: calls under /fovea/v1/,
// signed like those of AWS for the service name "fovea", that AWS clients do not
// see. docs/extensions.md describes them for users.
package extension

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/model"
)

// A Server answers the calls. All fields are required.
type Server struct {
	Datasets *dataset.Ops
	Models   *model.Ops
	Heaters  map[fovea.Service]Heater
	Key      ed25519.PrivateKey // signs certificates

	// Speed returns how many images a model was given on this node, and how many
	// an inference unit works on in a second; 0 where that is not known. It may
	// be nil.
	Speed func(fovea.ModelID) (images int64, perSecond float64)

	WriteError func(w http.ResponseWriter, code string, status int, message string)
	Log        *slog.Logger
}

// Handler returns the calls as an http.Handler.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	const ofDataset = "/fovea/v1/{service}/{project}/{split}/"
	mux.HandleFunc("GET "+ofDataset+"import-report", s.importReport)
	mux.HandleFunc("GET "+ofDataset+"quality", s.respond(s.quality))
	mux.HandleFunc("GET "+ofDataset+"revisions", s.respond(s.revisions))
	mux.HandleFunc("GET "+ofDataset+"revisions/{number}", s.respond(s.revision))
	mux.HandleFunc("POST "+ofDataset+"restore", s.respond(s.restore))
	mux.HandleFunc("GET "+ofDataset+"diff", s.stream(s.diff))
	mux.HandleFunc("GET "+ofDataset+"entries", s.stream(s.entries))
	mux.HandleFunc("GET /fovea/v1/signing-key", s.answer(s.publicKey))
	mux.HandleFunc("POST /fovea/v1/certificates", s.answer(s.certify))
	mux.HandleFunc("/", s.unknown)
	models := s.models()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isOfModels(r) {
			models.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// importReport sends the report about a dataset's import as JSON Lines.
func (s *Server) importReport(w http.ResponseWriter, r *http.Request) {
	report, err := s.report(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer report.Close()
	s.sendFile(w, r, "application/jsonl", report)
}

// A client has sendTime to take the next sendBytes: a report may be large and
// its client slow, but no client holds a connection for ever.
const (
	sendBytes = 1 << 20
	sendTime  = time.Minute
)

// send sends a blob.
func send(w http.ResponseWriter, blob fovea.Blob) error {
	control := http.NewResponseController(w)
	for off := int64(0); off < blob.Size(); off += sendBytes {
		control.SetWriteDeadline(time.Now().Add(sendTime))
		if _, err := io.Copy(w, io.NewSectionReader(blob, off, min(sendBytes, blob.Size()-off))); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) report(r *http.Request) (fovea.Blob, error) {
	v, err := s.find(r)
	if err != nil {
		return nil, err
	}
	return s.Datasets.Report(r.Context(), v)
}

// find returns the dataset that the path of a request names.
func (s *Server) find(r *http.Request) (*dataset.View, error) {
	return s.datasetNamed(r.Context(), fovea.Service(r.PathValue("service")), r.PathValue("project"), fovea.Split(r.PathValue("split")))
}

// datasetNamed returns a dataset of the caller's.
func (s *Server) datasetNamed(ctx context.Context, service fovea.Service, project string, split fovea.Split) (*dataset.View, error) {
	c := fovea.CallerOf(ctx)
	key := fovea.ProjectKey{Service: service, Account: c.Account, Region: c.Region, Name: project}
	if key.Service != fovea.CustomLabels && key.Service != fovea.Lookout {
		return nil, fovea.Errorf(fovea.Invalid, "The service %q is not one of %s and %s.", key.Service, fovea.CustomLabels, fovea.Lookout)
	}
	if split != fovea.Train && split != fovea.Test {
		return nil, fovea.Errorf(fovea.Invalid, "The dataset %q is not one of %s and %s.", split, fovea.Train, fovea.Test)
	}
	return s.Datasets.Find(ctx, key, split)
}

// names are what errors are called, and their statuses: those of Lookout.
var names = map[fovea.Kind]struct {
	name   string
	status int
}{
	fovea.Invalid:  {"ValidationException", http.StatusBadRequest},
	fovea.NotFound: {"ResourceNotFoundException", http.StatusNotFound},
	fovea.InUse:    {"ConflictException", http.StatusConflict},
	fovea.NotReady: {"ConflictException", http.StatusConflict},

	fovea.BadToken:  {"ValidationException", http.StatusBadRequest},
	fovea.BadImage:  {"ValidationException", http.StatusBadRequest},
	fovea.TooLarge:  {"ValidationException", http.StatusBadRequest},
	fovea.BadObject: {"ValidationException", http.StatusBadRequest},
	fovea.Throttled: {"ThrottlingException", http.StatusTooManyRequests},
	fovea.Quota:     {"ServiceQuotaExceededException", http.StatusPaymentRequired},
	fovea.Limit:     {"ServiceQuotaExceededException", http.StatusPaymentRequired},
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
