package extension_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/dataset"
	"fovea/internal/extension"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
	"fovea/internal/server"
	"fovea/internal/sqlstore"
)

// classified returns a line of a manifest.
func classified(key, label string) string {
	return fmt.Sprintf(`{"source-ref": "s3://b/%s","l":1,"l-metadata":{"class-name":%q,"confidence":1,"human-annotated":"yes",`+
		`"creation-date":"2021-01-01T00:00:00","type":"groundtruth/image-classification","job-name":"<j>"}}`, key, label)
}

// A historySite is an installation with a train dataset of three revisions.
type historySite struct {
	http.Handler
	ops   *dataset.Ops
	blobs *mem.Blobs
}

func newHistorySite(t *testing.T) *historySite {
	t.Helper()
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	blobs := new(mem.Blobs)
	text := object(classified("a.jpg", "bolt") + "\n" + classified("b.jpg", "nut") + "\n")
	s := &historySite{blobs: blobs, ops: &dataset.Ops{
		Store: store, Blobs: blobs, Objects: text, Pager: &fovea.Pager{Key: []byte("k"), Now: time.Now}, Reader: &segment.Reader{Blobs: blobs},
		Profiles: map[fovea.Service]fovea.Profile{fovea.CustomLabels: rekognition.Profile(rekognition.Limits())},
	}}
	s.Handler = (&extension.Server{Datasets: s.ops, Key: testSigningKey, WriteError: server.WriteError, Log: slog.New(slog.DiscardHandler)}).Handler()
	key := fovea.ProjectKey{Service: fovea.CustomLabels, Account: "123456789012", Region: "us-east-1", Name: "parts"}
	ref := fovea.ObjectRef{Bucket: "b", Key: "k"}
	err = store.Update(ctx, func(tx fovea.Tx) error {
		return tx.PutProject(&fovea.Project{ID: 1, Service: key.Service, Account: key.Account, Region: key.Region, Name: key.Name, Created: time.UnixMilli(1e12)})
	})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.ops.Create(ctx, dataset.Spec{Project: key, Split: fovea.Train, Manifest: &ref})
	if err != nil {
		t.Fatal(err)
	}
	info, _ := text.Stat(ctx, ref)
	if err := s.ops.RunImport(ctx, fovea.ImportJob{Dataset: v.Dataset.ID, Manifest: info, Caller: "k1"}); err != nil {
		t.Fatal(err)
	}
	for _, lines := range []string{classified("a.jpg", "washer"), classified("c.jpg", "bolt")} {
		s.change(t, key, lines)
	}
	return s
}

// change runs an update to its end.
func (s *historySite) change(t *testing.T, key fovea.ProjectKey, lines string) {
	t.Helper()
	ctx := context.Background()
	v, err := s.ops.Update(ctx, dataset.Change{Project: key, Split: fovea.Train, Lines: []byte(lines)})
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range s.blobs.List(ctx, "changes/") {
		if err != nil {
			t.Fatal(err)
		}
		job := fovea.UpdateJob{Dataset: v.Dataset.ID, Changes: info.Name, Since: v.Dataset.Updated, Caller: "k2"}
		if err := s.ops.RunUpdate(ctx, job); err != nil {
			t.Fatal(err)
		}
		return
	}
}

// do sends a request about the train dataset.
func (s *historySite) do(t *testing.T, method, path, body string) (status int, text string) {
	t.Helper()
	r := httptest.NewRequest(method, "/fovea/v1/custom-labels/parts/train/"+path, strings.NewReader(body))
	r = r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{Account: "123456789012", Region: "us-east-1", KeyID: "k3", RequestID: "id"}))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// decoded returns JSON Lines as values.
func decoded(t *testing.T, text string) (values []map[string]any) {
	t.Helper()
	for sc := bufio.NewScanner(strings.NewReader(text)); sc.Scan(); {
		v := map[string]any{}
		if err := json.Unmarshal(sc.Bytes(), &v); err != nil {
			t.Fatalf("%q: %v", sc.Text(), err)
		}
		values = append(values, v)
	}
	return values
}

func TestRevisions(t *testing.T) {
	s := newHistorySite(t)
	numbers := func(query string) (list []float64, before any) {
		status, text := s.do(t, "GET", "revisions"+query, "")
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", query, status, text)
		}
		answer := decoded(t, text)[0]
		for _, r := range answer["revisions"].([]any) {
			list = append(list, r.(map[string]any)["revision"].(float64))
		}
		return list, answer["before"]
	}
	for _, tt := range []struct {
		query  string
		want   []float64
		before any
	}{
		{"", []float64{3, 2, 1}, nil},
		{"?max=2", []float64{3, 2}, 2.0},
		{"?max=2&before=2", []float64{1}, nil},
		{"?max=3", []float64{3, 2, 1}, nil},
		{"?max=0", []float64{3}, 3.0},
		{"?before=1", nil, nil},
	} {
		list, before := numbers(tt.query)
		if diff := cmp.Diff([]any{tt.want, tt.before}, []any{list, before}); diff != "" {
			t.Errorf("revisions%s (-want +got):\n%s", tt.query, diff)
		}
	}
	_, text := s.do(t, "GET", "revisions/2", "")
	got := decoded(t, text)[0]
	delete(got, "created")
	want := decoded(t, `{"revision":2,"cause":"update of 1 lines","caller":"k2","current":false,"entries":2,"labeled_entries":2,"error_entries":0,`+
		`"normal_entries":0,"anomaly_entries":0,"labels":2,"added":0,"removed":0,"label_counts":[{"name":"nut","entries":1,"boxed_entries":0},{"name":"washer","entries":1,"boxed_entries":0}]}`)[0]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("revision 2 (-want +got):\n%s", diff)
	}
}

func TestCallDiff(t *testing.T) {
	s := newHistorySite(t)
	for _, path := range []string{"diff?from=1&to=3", "diff?from=1"} {
		status, text := s.do(t, "GET", path, "")
		got := decoded(t, text)
		if status != http.StatusOK || len(got) != 3 {
			t.Fatalf("%s: %d %s", path, status, text)
		}
		want := decoded(t, fmt.Sprintf(`{"change":"changed","source_ref":"s3://b/a.jpg","old":%s,"new":%s}`+"\n"+`{"change":"added","source_ref":"s3://b/c.jpg","new":%s}`,
			classified("a.jpg", "bolt"), classified("a.jpg", "washer"), classified("c.jpg", "bolt")))
		if diff := cmp.Diff(want, got[:2]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		if got[2]["diff"] != "fovea.diff/1" || got[2]["added"] != 1.0 || got[2]["changed"] != 1.0 || got[2]["removed"] != 0.0 || len(got[2]["labels"].([]any)) != 2 {
			t.Errorf("%s: summary %v", path, got[2])
		}
		if !strings.Contains(text, "<j>") {
			t.Errorf("%s: a line was escaped: %s", path, text)
		}
	}
	if _, text := s.do(t, "GET", "diff", ""); !strings.Contains(text, `"added":1,"removed":0,"changed":0`) {
		t.Errorf("the last change: %s", text)
	}
}

// TestEntries: what comes is a manifest, to the byte.
func TestEntries(t *testing.T) {
	s := newHistorySite(t)
	a, b, c := classified("a.jpg", "bolt"), classified("b.jpg", "nut"), classified("c.jpg", "bolt")
	now := classified("a.jpg", "washer")
	for query, want := range map[string][]string{
		"":                                   {now, b, c},
		"?revision=1":                        {a, b},
		"?revision=2":                        {now, b},
		"?revision=1&label=nut":              {b},
		"?label=nut&label=bolt":              {b, c},
		"?source-ref=c.j":                    {c},
		"?max=1":                             {now},
		"?errors=true":                       nil,
		"?labeled=false":                     nil,
		"?after=2021-01-01T00:00:00Z":        nil,
		"?before=2021-01-01T00:00:01Z&max=2": {now, b},
	} {
		status, text := s.do(t, "GET", "entries"+query, "")
		lines := strings.Join(want, "\n")
		if len(want) > 0 {
			lines += "\n"
		}
		if status != http.StatusOK || text != lines {
			t.Errorf("entries%s = %d %s, want %s", query, status, text, lines)
		}
	}
}

func TestRestoreCall(t *testing.T) {
	s := newHistorySite(t)
	status, text := s.do(t, "POST", "restore", `{"revision": 1}`)
	got := decoded(t, text)[0]
	if status != http.StatusOK || got["revision"] != 4.0 || got["cause"] != "restore of 1" || got["caller"] != "k3" || got["current"] != true || got["entries"] != 2.0 {
		t.Errorf("restore = %d %s", status, text)
	}
	if _, known := got["added"]; known {
		t.Errorf("it is not known what a restore added: %s", text)
	}
}

func TestHistoryErrors(t *testing.T) {
	s := newHistorySite(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "revisions?max=x", "", 400, `\"x\"`},
		{"GET", "revisions?first=1", "", 400, `no parameter \"first\"`},
		{"GET", "revisions/x", "", 400, `\"x\"`},
		{"GET", "revisions/0", "", 404, "no revision 0"},
		{"GET", "revisions/4", "", 404, "no revision 4"},
		{"GET", "diff?from=1&to=9", "", 404, "no revision 9"},
		{"GET", "diff?to=1", "", 404, "Revision 1 of the dataset parts/train is its first"},
		{"GET", "diff?from=0", "", 404, "no revision 0"},
		{"GET", "diff?from=-1", "", 400, `\"-1\"`},
		{"GET", "entries?revision=9", "", 404, "no revision 9"},
		{"GET", "entries?labeled=perhaps", "", 400, `\"perhaps\"`},
		{"GET", "entries?class=odd", "", 400, `\"odd\"`},
		{"GET", "entries?after=yesterday", "", 400, `\"yesterday\"`},
		{"GET", "entries?lable=a", "", 400, `no parameter \"lable\"`},
		{"POST", "restore", "", 400, "form"},
		{"POST", "restore", `{"revision":0}`, 400, "form"},
		{"POST", "restore", `{"revision":"1"}`, 400, "form"},
		{"POST", "restore", `{"revision":1,"x":1}`, 400, "form"},
		{"POST", "restore", `{"revision":` + strings.Repeat(" ", 10_000) + `1}`, 400, "form"},
		{"POST", "restore", `{"revision":9}`, 404, "no revision 9"},
		{"GET", "restore", "", 404, "no such call"},
		{"POST", "diff", "", 404, "no such call"},
	} {
		status, text := s.do(t, tt.method, tt.path, tt.body)
		if status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s %.40s = %d %s, want %d %s", tt.method, tt.path, tt.body, status, text, tt.status, tt.says)
		}
	}
	key := fovea.ProjectKey{Service: fovea.CustomLabels, Account: "123456789012", Region: "us-east-1", Name: "parts"}
	if _, err := s.ops.Update(context.Background(), dataset.Change{Project: key, Split: fovea.Train, Lines: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if status, text := s.do(t, "POST", "restore", `{"revision":1}`); status != http.StatusConflict {
		t.Errorf("restore while updating = %d %s", status, text)
	}
}

// TestCutOff: what fails when a part was sent ends the connection, so that
// nobody takes the part for the whole.
func TestCutOff(t *testing.T) {
	s := newHistorySite(t)
	key := fovea.ProjectKey{Service: fovea.CustomLabels, Account: "123456789012", Region: "us-east-1", Name: "parts"}
	for k := range 2 { // more than a page and than the buffer, in two segments
		var many strings.Builder
		for i := range 600 {
			many.WriteString(classified(fmt.Sprintf("new-%d-%d.jpg", k, i), strings.Repeat("x", 200)) + "\n")
		}
		s.change(t, key, many.String())
	}
	blobs := &weary{Blobs: s.blobs, left: 1000}
	s.ops.Reader = &segment.Reader{Blobs: blobs, CacheBytes: 1}
	if status, text := s.do(t, "GET", "entries", ""); status != http.StatusOK || strings.Count(text, "\n") != 1203 {
		t.Fatalf("%d with %d lines", status, strings.Count(text, "\n"))
	}
	blobs.left = (1000 - blobs.left) * 3 / 4 // well before the end: how often a segment is loaded depends on timing
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{Account: "123456789012", Region: "us-east-1"})))
	}))
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/fovea/v1/custom-labels/parts/train/entries")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); resp.StatusCode != 200 || n == 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%s with %d bytes and then %v", resp.Status, n, err)
	}
}

// weary fails to open blobs after some.
type weary struct {
	fovea.Blobs
	left int
}

// Open implements fovea.Blobs.
func (f *weary) Open(ctx context.Context, name string) (fovea.Blob, error) {
	if f.left--; f.left < 0 {
		return nil, errors.New("the disk is gone")
	}
	return f.Blobs.Open(ctx, name)
}
