package extension_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/extension"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
	"fovea/internal/server"
	"fovea/internal/sqlstore"
)

// object is an S3 with one text in it.
type object string

func (o object) Stat(_ context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	return fovea.ObjectInfo{Ref: ref, Size: int64(len(o)), ETag: `"1"`}, nil
}

func (o object) Read(_ context.Context, _ fovea.ObjectInfo, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(o)[off:min(off+n, int64(len(o)))])), nil
}

func (o object) Write(context.Context, fovea.ObjectRef, string, io.Reader, int64) (fovea.ObjectInfo, error) {
	return fovea.ObjectInfo{}, errors.New("not for this test")
}

// newSite returns the extensions of an installation with a project parts of
// each service: a failed train dataset, and an empty test dataset.
func newSite(t *testing.T, blobs fovea.Blobs, log io.Writer) http.Handler {
	t.Helper()
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	text := object("{}\nnot JSON\n")
	o := &dataset.Ops{
		Store: store, Blobs: blobs, Objects: text, Pager: &fovea.Pager{Key: []byte("k"), Now: time.Now},
		Profiles: map[fovea.Service]fovea.Profile{
			fovea.CustomLabels: rekognition.Profile(rekognition.Limits()), fovea.Lookout: lookout.Profile(lookout.Limits())},
	}
	for i, service := range []fovea.Service{fovea.CustomLabels, fovea.Lookout} {
		key := fovea.ProjectKey{Service: service, Account: "123456789012", Region: "us-east-1", Name: "parts"}
		err := store.Update(ctx, func(tx fovea.Tx) error {
			return tx.PutProject(&fovea.Project{ID: fovea.ProjectID(i + 1), Service: service, Account: key.Account, Region: key.Region, Name: key.Name, Created: time.UnixMilli(1e12)})
		})
		if err != nil {
			t.Fatal(err)
		}
		ref := fovea.ObjectRef{Bucket: "b", Key: "k"}
		v, err := o.Create(ctx, dataset.Spec{Project: key, Split: fovea.Train, Manifest: &ref})
		if err != nil {
			t.Fatal(err)
		}
		info, _ := text.Stat(ctx, ref)
		if err := o.RunImport(ctx, fovea.ImportJob{Dataset: v.Dataset.ID, Manifest: info}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Create(ctx, dataset.Spec{Project: key, Split: fovea.Test}); err != nil {
			t.Fatal(err)
		}
	}
	return (&extension.Server{Datasets: o, WriteError: server.WriteError, Log: slog.New(slog.NewTextHandler(log, nil))}).Handler()
}

func get(h http.Handler, method, path, region string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	r = r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{Account: "123456789012", Region: region, KeyID: "k", RequestID: "id"}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// TestImportReport: the report is there for both services, also of an import
// that failed.
func TestImportReport(t *testing.T) {
	h := newSite(t, new(mem.Blobs), io.Discard)
	for _, service := range []string{"custom-labels", "lookout"} {
		resp := get(h, "GET", "/fovea/v1/"+service+"/parts/train/import-report", "us-east-1")
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/jsonl" || resp.ContentLength != int64(len(body)) {
			t.Errorf("%s: %d %v", service, resp.StatusCode, resp.Header)
		}
		dec := json.NewDecoder(bytes.NewReader(body))
		var sum dataset.Summary
		if err := dec.Decode(&sum); err != nil || sum.Report != "fovea.import/1" || sum.Fault == nil || sum.Lines != 2 {
			t.Errorf("%s: %v, %+v", service, err, sum)
		}
		n := int64(0)
		for ; dec.More(); n++ {
			var f dataset.Finding
			if err := dec.Decode(&f); err != nil || f.Line == 0 || f.Code == "" {
				t.Errorf("%s: %v, %+v", service, err, f)
			}
		}
		if n != sum.Findings || n == 0 {
			t.Errorf("%s: %d findings, the summary tells of %d", service, n, sum.Findings)
		}
	}
	if resp := get(h, "HEAD", "/fovea/v1/lookout/parts/train/import-report", "us-east-1"); resp.StatusCode != 200 {
		t.Errorf("HEAD: %d", resp.StatusCode)
	}
}

// TestErrors: an error names what is not there.
func TestErrors(t *testing.T) {
	var log bytes.Buffer
	blobs := &failing{Blobs: new(mem.Blobs)}
	h := newSite(t, blobs, &log)
	for _, tt := range []struct {
		method, path, region string
		status               int
		name, message        string
	}{
		{"GET", "/fovea/v1/s3/parts/train/import-report", "us-east-1", 400, "ValidationException", `The service "s3" is not one of custom-labels and lookout.`},
		{"GET", "/fovea/v1/lookout/parts/both/import-report", "us-east-1", 400, "ValidationException", `The dataset "both" is not one of train and test.`},
		{"GET", "/fovea/v1/lookout/nuts/train/import-report", "us-east-1", 404, "ResourceNotFoundException", "The project nuts does not exist."},
		{"GET", "/fovea/v1/lookout/parts/train/import-report", "eu-west-1", 404, "ResourceNotFoundException", "The project parts does not exist."},
		{"GET", "/fovea/v1/lookout/parts/test/import-report", "us-east-1", 404, "ResourceNotFoundException", "parts/test: it is created and was made from nothing"},
		{"GET", "/fovea/v1/lookout", "us-east-1", 404, "UnknownOperationException", "docs/extensions.md"},
		{"POST", "/fovea/v1/lookout/parts/train/import-report", "us-east-1", 404, "UnknownOperationException", "docs/extensions.md"},
	} {
		resp := get(h, tt.method, tt.path, tt.region)
		var got map[string]string
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
			t.Errorf("%s: %v", tt.path, err)
		}
		if resp.StatusCode != tt.status || got["__type"] != tt.name || resp.Header.Get("X-Amzn-Errortype") != tt.name || !strings.Contains(got["Message"], tt.message) {
			t.Errorf("%s %s: %d %v", tt.method, tt.path, resp.StatusCode, got)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the caller's errors are logged: %s", log.String())
	}
	blobs.broken = true
	resp := get(h, "GET", "/fovea/v1/lookout/parts/train/import-report", "us-east-1")
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 500 || strings.Contains(string(body), "the disk") || !strings.Contains(log.String(), "the disk") || !strings.Contains(log.String(), "request_id=id") {
		t.Errorf("%d %s; log: %s", resp.StatusCode, body, log.String())
	}
}

// failing is Blobs that can break.
type failing struct {
	fovea.Blobs
	broken bool
}

func (f *failing) Open(ctx context.Context, name string) (fovea.Blob, error) {
	if f.broken {
		return nil, errors.New("the disk is on fire")
	}
	return f.Blobs.Open(ctx, name)
}

// patient counts how often a response is given more time.
type patient struct {
	*httptest.ResponseRecorder
	times int
}

func (p *patient) SetWriteDeadline(t time.Time) error {
	if d := time.Until(t); d > 0 {
		p.times++
	}
	return nil
}

// TestLargeReport: a large report reaches a slow client whole: it is given time
// for every part of it.
func TestLargeReport(t *testing.T) {
	blobs := new(mem.Blobs)
	h := newSite(t, blobs, io.Discard)
	text := strings.Repeat("x", 5<<20)
	for info, err := range blobs.List(context.Background(), "reports/") {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := blobs.Put(context.Background(), info.Name, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	r := httptest.NewRequest("GET", "/fovea/v1/lookout/parts/train/import-report", nil)
	w := &patient{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(w, r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{Account: "123456789012", Region: "us-east-1"})))
	if w.Body.String() != text || w.times < 5 {
		t.Errorf("%d bytes of %d, given time %d times", w.Body.Len(), len(text), w.times)
	}
}
