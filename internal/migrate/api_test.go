package migrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/client"
)

// apiOf returns an API whose calls fn answers, by their number from 1.
func apiOf(t *testing.T, fn func(n int64, w http.ResponseWriter, r *http.Request)) (*API, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fn(calls.Add(1), w, r) }))
	t.Cleanup(s.Close)
	return &API{Endpoint: client.Endpoint{URL: s.URL + "/", Region: "eu-west-1", KeyID: "AK", Secret: "secret", Token: "token"}, Patience: 300 * time.Millisecond, MaxPause: 5 * time.Millisecond}, &calls
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type":%q,"Code":%q,"Message":%q}`, code, code, message)
}

// TestRetry: what passes is tried again (CL-1.44), anything else is not.
func TestRetry(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		again  bool
	}{
		{"throttled with 400", func(w http.ResponseWriter) { refuse(w, 400, "ThrottlingException", "Slow down") }, true},
		{"throttled with 500", func(w http.ResponseWriter) { refuse(w, 500, "ThrottlingException", "Service Unavailable") }, true},
		{"over the rate", func(w http.ResponseWriter) {
			refuse(w, 400, "ProvisionedThroughputExceededException", "Provisioned Rate exceeded.")
		}, true},
		{"the service's fault", func(w http.ResponseWriter) { refuse(w, 500, "InternalServerError", "Internal server error") }, true},
		{"a proxy's 503", func(w http.ResponseWriter) { w.WriteHeader(503); w.Write([]byte("<html>")) }, true},
		{"429", func(w http.ResponseWriter) { w.WriteHeader(429) }, true},
		{"a broken connection", func(w http.ResponseWriter) { panic(http.ErrAbortHandler) }, true},
		{"a body that breaks off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte("{"))
			panic(http.ErrAbortHandler)
		}, true},
		{"not found", func(w http.ResponseWriter) { refuse(w, 400, "ResourceNotFoundException", "no") }, false},
		{"denied", func(w http.ResponseWriter) { refuse(w, 400, "AccessDeniedException", "no") }, false},
		{"not built", func(w http.ResponseWriter) { refuse(w, 501, "NotImplemented", "no") }, false},
		{"a redirect", func(w http.ResponseWriter) { w.Header().Set("Location", "/other"); w.WriteHeader(307) }, false},
		{"not JSON", func(w http.ResponseWriter) { w.Write([]byte("<html>")) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			api, calls := apiOf(t, func(n int64, w http.ResponseWriter, r *http.Request) {
				if n < 3 {
					tt.answer(w)
					return
				}
				w.Write([]byte(`{"A":1}`))
			})
			var out struct{ A int }
			err := api.rekognition(t.Context(), "DescribeProjects", map[string]any{}, &out)
			if again := err == nil && out.A == 1 && calls.Load() == 3; again != tt.again || !tt.again && calls.Load() != 1 {
				t.Errorf("%d calls, %+v, %v", calls.Load(), out, err)
			}
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	api, calls := apiOf(t, func(_ int64, w http.ResponseWriter, _ *http.Request) {
		refuse(w, 400, "ThrottlingException", "Slow down")
	})
	api.Patience = 2 * time.Second
	err := api.rest(t.Context(), "lookoutvision", "GET", "/x", nil, nil)
	if client.CodeOf(err) != "ThrottlingException" || !strings.Contains(err.Error(), "given up after 2s") || calls.Load() < 3 {
		t.Errorf("%d calls, %v", calls.Load(), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	api.Patience = time.Hour
	if err := api.rest(ctx, "lookoutvision", "GET", "/x", nil, nil); !errors.Is(err, context.Canceled) && client.CodeOf(err) == "" {
		t.Errorf("cancelled: %v", err)
	}
}

// TestLiveDiscover: projects come in pages, with tags, without what is being
// deleted, and without datasets that have no entries.
func TestLiveDiscover(t *testing.T) {
	arn := func(name string) string {
		return "arn:aws:rekognition:eu-west-1:123456789012:project/" + name + "/1600000000000"
	}
	api, _ := apiOf(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Security-Token") != "token" || !strings.Contains(r.Header.Get("Authorization"), "x-amz-security-token") {
			t.Error("the session token is not sent, or not signed")
		}
		var in struct{ NextToken, ResourceArn string }
		json.NewDecoder(r.Body).Decode(&in)
		switch op := r.Header.Get("X-Amz-Target"); {
		case strings.HasSuffix(op, "ListTagsForResource") && strings.Contains(in.ResourceArn, "dataset"):
			refuse(w, 400, "InvalidParameterException", "datasets have none")
		case strings.HasSuffix(op, "ListTagsForResource"):
			w.Write([]byte(`{"Tags":{"a":"1","aws:stack":"x"}}`))
		case in.NextToken == "":
			fmt.Fprintf(w, `{"ProjectDescriptions":[{"ProjectArn":%q,"Status":"DELETING"},{"ProjectArn":%q,"Status":"CREATED","Datasets":[
				{"DatasetArn":"arn:dataset/train","DatasetType":"TRAIN","Status":"UPDATE_FAILED"},{"DatasetArn":"arn:dataset/test","DatasetType":"TEST","Status":"CREATE_FAILED"}]}],"NextToken":"2"}`, arn("old"), arn("a.b"))
		default:
			fmt.Fprintf(w, `{"ProjectDescriptions":[{"ProjectArn":%q,"Status":"CREATED","Datasets":[]}]}`, arn("c"))
		}
	})
	live := &Live{Service: fovea.CustomLabels, API: api}
	got, err := live.discover(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{"a": "1"}
	want := []found{
		{service: fovea.CustomLabels, name: "a.b", source: arn("a.b"), tags: tags, datasets: []foundDataset{{split: fovea.Train, source: "arn:dataset/train"}},
			notes: []string{"the test dataset of a.b is CREATE_FAILED and has no entries"}},
		{service: fovea.CustomLabels, name: "c", source: arn("c"), tags: tags},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(found{}, foundDataset{})); diff != "" {
		t.Errorf("projects (-want +got):\n%s", diff)
	}
	live.Name = "new"
	if _, err := live.discover(t.Context(), nil); err == nil {
		t.Error("two projects get one name")
	}
	live.Projects = []string{"c"}
	if got, err := live.discover(t.Context(), nil); err != nil || len(got) != 1 || got[0].name != "new" {
		t.Errorf("%+v, %v", got, err)
	}
	live.Projects = []string{"d"}
	if _, err := live.discover(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no project d") {
		t.Errorf("%v", err)
	}
}

// TestChangingDataset: a dataset whose token expires, or that has another
// number of entries than were listed, is listed again.
func TestChangingDataset(t *testing.T) {
	var listings, describes int
	api, _ := apiOf(t, func(_ int64, w http.ResponseWriter, r *http.Request) {
		var in struct{ NextToken string }
		json.NewDecoder(r.Body).Decode(&in)
		switch op := r.Header.Get("X-Amz-Target"); {
		case strings.HasSuffix(op, "DescribeDataset"):
			describes++
			fmt.Fprintf(w, `{"DatasetDescription":{"DatasetStats":{"TotalEntries":%d}}}`, []int{3, 2}[min(describes-1, 1)])
		case in.NextToken == "":
			listings++
			w.Write([]byte(`{"DatasetEntries":["{\"source-ref\":\"s3://b/1\"}"],"NextToken":"t"}`))
		case listings == 1:
			refuse(w, 400, "InvalidPaginationTokenException", "Invalid Token")
		default:
			w.Write([]byte(`{"DatasetEntries":["{\"source-ref\":\"s3://b/2\"}"]}`))
		}
	})
	s, err := openState(t.TempDir() + "/" + stateFile)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	m := &Migration{Source: &Live{Service: fovea.CustomLabels, API: api}, To: fovea.ObjectRef{Bucket: "to"}, st: s}
	d := &dataset{id: 1, source: "arn"}
	if err := m.list(t.Context(), &project{name: "p", datasets: []*dataset{d}}); err != nil {
		t.Fatal(err)
	}
	var lines int
	if err := s.db.QueryRow(`SELECT COUNT(*) FROM lines`).Scan(&lines); err != nil || lines != 2 || listings != 3 || !d.listed {
		t.Errorf("%d lines of %d listings, %v", lines, listings, err)
	}
}
