package awsjson_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/awsjson"
	lookout "fovea/internal/lookout/api"

	"github.com/google/go-cmp/cmp"
)

const version = "/2020-11-20"

// rest sends a REST-JSON request; headers are pairs.
func rest(a *awsjson.API, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, version+target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// TestRoutes checks method, path and status of LV-1.3, by the operation that
// the answer 501 names.
func TestRoutes(t *testing.T) {
	a := lookoutAPI(nil)
	model := `{"ModelVersion":"1","Configuration":{"Greengrass":{"ComponentName":"c","S3OutputLocation":{"Bucket":"bkt"}}}}`
	for _, tt := range []struct{ operation, method, target, body string }{
		{"CreateProject", "POST", "/projects", `{"ProjectName":"p"}`},
		{"ListProjects", "GET", "/projects", ""},
		{"DescribeProject", "GET", "/projects/p", ""},
		{"DeleteProject", "DELETE", "/projects/p", ""},
		{"CreateDataset", "POST", "/projects/p/datasets", `{"DatasetType":"train"}`},
		{"DescribeDataset", "GET", "/projects/p/datasets/train", ""},
		{"DeleteDataset", "DELETE", "/projects/p/datasets/test", ""},
		{"ListDatasetEntries", "GET", "/projects/p/datasets/train/entries", ""},
		{"UpdateDatasetEntries", "PATCH", "/projects/p/datasets/train/entries", `{"Changes":"e30="}`},
		{"CreateModel", "POST", "/projects/p/models", `{"OutputConfig":{"S3Location":{"Bucket":"bkt","Prefix":""}},"Tags":[]}`},
		{"ListModels", "GET", "/projects/p/models", ""},
		{"DescribeModel", "GET", "/projects/p/models/latest", ""},
		{"DeleteModel", "DELETE", "/projects/p/models/1", ""},
		{"StartModel", "POST", "/projects/p/models/1/start", `{"MinInferenceUnits":1}`},
		{"StopModel", "POST", "/projects/p/models/1/stop", ""},
		{"DetectAnomalies", "POST", "/projects/p/models/1/detect", "image"},
		{"StartModelPackagingJob", "POST", "/projects/p/modelpackagingjobs", model},
		{"ListModelPackagingJobs", "GET", "/projects/p/modelpackagingjobs", ""},
		{"DescribeModelPackagingJob", "GET", "/projects/p/modelpackagingjobs/j", ""},
		{"ListTagsForResource", "GET", "/tags/a%2Fb", ""},
		{"TagResource", "POST", "/tags/a", `{"Tags":[{"Key":"k","Value":""}]}`},
		{"UntagResource", "DELETE", "/tags/a?tagKeys=k", ""},
	} {
		w := rest(a, tt.method, tt.target, tt.body, "Content-Type", "image/png")
		if w.Code != 501 || !strings.Contains(w.Body.String(), "operation "+tt.operation+" yet") {
			t.Errorf("%s: %s %s: %d %s", tt.operation, tt.method, tt.target, w.Code, w.Body)
		}
	}
	status := map[int][]string{}
	for _, op := range lookout.Description.Operations {
		status[op.Status] = append(status[op.Status], op.Name)
	}
	want := []string{"CreateDataset", "CreateModel", "DeleteDataset", "DeleteModel", "StartModel", "StopModel", "UpdateDatasetEntries"}
	if diff := cmp.Diff(want, status[202]); diff != "" || len(status[200]) != 15 {
		t.Errorf("operations with status 202 (-want +got):\n%s", diff)
	}
}

func TestNoRoute(t *testing.T) {
	a := lookoutAPI(nil)
	for _, tt := range []struct{ method, target string }{
		{"GET", ""}, {"GET", "/"}, {"GET", "/project"}, {"GET", "/projects/"}, {"GET", "/projects//datasets/train"},
		{"PUT", "/projects"}, {"HEAD", "/projects"}, {"GET", "/projects/p/"}, {"GET", "/projects/p/q"}, {"GET", "/tags"}, {"GET", "/tags/"},
		{"GET", "/projects/p%2Fdatasets/train"}, {"POST", "/projects/p/models/1/start/"}, {"GET", "/PROJECTS"},
	} {
		w := rest(a, tt.method, tt.target, "")
		if w.Code != 404 || w.Header().Get("x-amzn-ErrorType") != "UnknownOperationException" {
			t.Errorf("%s %s: %d %s", tt.method, tt.target, w.Code, w.Body)
		}
	}
}

// TestTagARN checks both forms of an ARN in a path (LV-1.14).
func TestTagARN(t *testing.T) {
	var got string
	a := lookoutAPI(map[string]awsjson.Op{
		"ListTagsForResource": awsjson.Call(func(_ context.Context, in *lookout.ListTagsForResourceRequest) (*lookout.ListTagsForResourceResponse, error) {
			got = in.ResourceArn
			return &lookout.ListTagsForResourceResponse{}, nil
		}),
	})
	const arn = "arn:aws:lookoutvision:us-east-1:123456789012:model/p1/1"
	for _, target := range []string{
		"/tags/arn%3Aaws%3Alookoutvision%3Aus-east-1%3A123456789012%3Amodel%2Fp1%2F1",
		"/tags/arn:aws:lookoutvision:us-east-1:123456789012:model/p1/1",
		"/tags/arn:aws:lookoutvision:us-east-1:123456789012:model%2fp1/1",
	} {
		got = ""
		if w := rest(a, "GET", target, ""); got != arn || w.Body.String() != `{"Tags":[]}` {
			t.Errorf("%s: %q, %s", target, got, w.Body)
		}
	}
}

// TestQuery checks the query of ListDatasetEntries (LV-1.16, LV-1.17).
func TestQuery(t *testing.T) {
	var got *lookout.ListDatasetEntriesRequest
	a := lookoutAPI(map[string]awsjson.Op{
		"ListDatasetEntries": awsjson.Call(func(_ context.Context, in *lookout.ListDatasetEntriesRequest) (*lookout.ListDatasetEntriesResponse, error) {
			got = in
			return &lookout.ListDatasetEntriesResponse{}, nil
		}),
	})
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	for _, tt := range []struct {
		query string
		want  lookout.ListDatasetEntriesRequest // nil ProjectName: refused
	}{
		{"", lookout.ListDatasetEntriesRequest{ProjectName: "p"}},
		{"labeled=true&anomalyClass=normal&createdAfter=2020-06-23T00%3A00%3A00Z&maxResults=100&sourceRefContains=IMG_17&nextToken=a%2Bb%2F%3D",
			lookout.ListDatasetEntriesRequest{ProjectName: "p", Labeled: new(true), AnomalyClass: "normal", AfterCreationDate: at(1592870400000),
				MaxResults: 100, SourceRefContains: "IMG_17", NextToken: "a+b/="}},
		{"createdBefore=2020-06-23T01:02:03.456000Z", lookout.ListDatasetEntriesRequest{ProjectName: "p", BeforeCreationDate: at(1592874123456)}},
		{"createdBefore=2020-06-23T03:02:03.456%2B02:00", lookout.ListDatasetEntriesRequest{ProjectName: "p", BeforeCreationDate: at(1592874123456)}},
		{"createdBefore=2020-06-23T00:00:00", lookout.ListDatasetEntriesRequest{ProjectName: "p", BeforeCreationDate: at(1592870400000)}},
		{"createdBefore=1592874123.456", lookout.ListDatasetEntriesRequest{ProjectName: "p", BeforeCreationDate: at(1592874123456)}},
		{"labeled=false&unknown=1&Labeled=x&labeled=true", lookout.ListDatasetEntriesRequest{ProjectName: "p", Labeled: new(false)}},
		{"nextToken=", lookout.ListDatasetEntriesRequest{ProjectName: "p"}},
		{"labeled=True", lookout.ListDatasetEntriesRequest{}},
		{"labeled=", lookout.ListDatasetEntriesRequest{}},
		{"anomalyClass=NORMAL", lookout.ListDatasetEntriesRequest{}},
		{"anomalyClass=", lookout.ListDatasetEntriesRequest{}},
		{"createdAfter=yesterday", lookout.ListDatasetEntriesRequest{}},
		{"createdAfter=NaN", lookout.ListDatasetEntriesRequest{}},
		{"createdAfter=1e300", lookout.ListDatasetEntriesRequest{}},
		{"createdAfter=2020-06-31T00:00:00Z", lookout.ListDatasetEntriesRequest{}},
		{"maxResults=101", lookout.ListDatasetEntriesRequest{}},
		{"maxResults=0", lookout.ListDatasetEntriesRequest{}},
		{"maxResults=x", lookout.ListDatasetEntriesRequest{}},
		{"maxResults=0x1p4", lookout.ListDatasetEntriesRequest{}},
		{"maxResults=1_0", lookout.ListDatasetEntriesRequest{}},
		{"createdAfter=Inf", lookout.ListDatasetEntriesRequest{}},
		{"nextToken=a-b_", lookout.ListDatasetEntriesRequest{}},
		{"sourceRefContains=%20%09", lookout.ListDatasetEntriesRequest{}},
		{"sourceRefContains=%ff", lookout.ListDatasetEntriesRequest{}},
		{"sourceRefContains=%zz", lookout.ListDatasetEntriesRequest{}},
		{"a;b", lookout.ListDatasetEntriesRequest{}},
	} {
		got = &lookout.ListDatasetEntriesRequest{}
		w := rest(a, "GET", "/projects/p/datasets/train/entries?"+tt.query, "")
		if tt.want.ProjectName == "" {
			if w.Code != 400 || w.Header().Get("X-Amzn-ErrorType") != "ValidationException" {
				t.Errorf("%s: %d %s", tt.query, w.Code, w.Body)
			}
			continue
		}
		tt.want.DatasetType = "train"
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s: %d %s (-want +got):\n%s", tt.query, w.Code, w.Body, diff)
		}
	}
}

func TestUntag(t *testing.T) {
	var got []string
	a := lookoutAPI(map[string]awsjson.Op{
		"UntagResource": awsjson.Call(func(_ context.Context, in *lookout.UntagResourceRequest) (*lookout.UntagResourceResponse, error) {
			got = in.TagKeys
			return &lookout.UntagResourceResponse{}, nil
		}),
	})
	w := rest(a, "DELETE", "/tags/a?tagKeys=a&tagKeys=b%20c", "")
	if diff := cmp.Diff([]string{"a", "b c"}, got); diff != "" || w.Body.String() != "{}" {
		t.Errorf("%s (-want +got):\n%s", w.Body, diff)
	}
	if w := rest(a, "DELETE", "/tags/a", ""); w.Code != 400 || !strings.Contains(w.Body.String(), "Value null at 'tagKeys'") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := rest(a, "DELETE", "/tags/a?tagKeys=%21", ""); w.Code != 400 || !strings.Contains(w.Body.String(), "Value '!' at 'tagKeys.1.member'") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := rest(a, "DELETE", "/tags/a?"+strings.Repeat("tagKeys=k&", 201), ""); w.Code != 400 || !strings.Contains(w.Body.String(), "less than or equal to 200") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestPayload checks the raw body of DetectAnomalies (LV-1.19).
func TestPayload(t *testing.T) {
	var got []byte
	var contentType string
	a := lookoutAPI(map[string]awsjson.Op{
		"DetectAnomalies": awsjson.Call(func(_ context.Context, in *lookout.DetectAnomaliesRequest) (out *lookout.DetectAnomaliesResponse, err error) {
			contentType = in.ContentType
			got, err = io.ReadAll(in.Body)
			return &lookout.DetectAnomaliesResponse{DetectAnomalyResult: &lookout.DetectAnomalyResult{Confidence: 1}}, err
		}),
	})
	w := rest(a, "POST", "/projects/p/models/latest/detect", "\xff{not JSON", "Content-Type", "image/jpeg")
	if string(got) != "\xff{not JSON" || contentType != "image/jpeg" ||
		w.Body.String() != `{"DetectAnomalyResult":{"IsAnomalous":false,"Confidence":1.0}}` {
		t.Errorf("%q %q %d %s", got, contentType, w.Code, w.Body)
	}
	if w := rest(a, "POST", "/projects/p/models/1/detect", "x"); w.Code != 400 || !strings.Contains(w.Body.String(), "Value null at 'contentType'") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	chunked := func(n int) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", version+"/projects/p/models/1/detect", bytes.NewReader(make([]byte, n)))
		r.Header.Set("Content-Type", "image/png")
		r.ContentLength = -1
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w
	}
	if w := chunked(9); w.Code != 200 || len(got) != 9 { // LV-7.25
		t.Errorf("%d bytes: %d %s", len(got), w.Code, w.Body)
	}
	if w := chunked(16<<20 + 1); w.Code == 200 {
		t.Errorf("of a body without end %d bytes are taken for all of it", len(got))
	}
	r := httptest.NewRequest("POST", version+"/projects/p/models/1/detect", strings.NewReader("x"))
	r.Header.Set("Content-Type", "image/png")
	r.ContentLength = 17 << 20
	w = httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Code != 413 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestChangesLimits checks LV-1.24 and LV-2.61.
func TestChangesLimits(t *testing.T) {
	for size, want := range map[int]int{0: 400, 1: 501, 10_485_760: 501, 10_485_761: 400, 16_000_000: 413} {
		body := fmt.Sprintf(`{"Changes":%q}`, base64.StdEncoding.EncodeToString(make([]byte, size)))
		w := rest(lookoutAPI(nil), "PATCH", "/projects/p/datasets/train/entries", body)
		if w.Code != want {
			t.Errorf("%d bytes: %d %s, want %d", size, w.Code, w.Body, want)
		}
	}
	for _, body := range []string{`{"Changes":"*"}`, `{"Changes":5}`, `{`, `[]`} {
		w := rest(lookoutAPI(nil), "PATCH", "/projects/p/datasets/train/entries", body)
		if w.Code != 400 || w.Header().Get("X-Amzn-ErrorType") != "ValidationException" {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// TestLocationsStayApart checks that a member of the path is not taken from
// the body, and the reverse.
func TestLocationsStayApart(t *testing.T) {
	var got *lookout.CreateDatasetRequest
	a := lookoutAPI(map[string]awsjson.Op{
		"CreateDataset": awsjson.Call(func(_ context.Context, in *lookout.CreateDatasetRequest) (*lookout.CreateDatasetResponse, error) {
			got = in
			return nil, fovea.Errorf(fovea.Invalid, "no")
		}),
	})
	rest(a, "POST", "/projects/p/datasets?DatasetType=test&projectName=r", `{"DatasetType":"train","ProjectName":"q","ClientToken":"c","X-Amzn-Client-Token":"d"}`)
	if diff := cmp.Diff(&lookout.CreateDatasetRequest{ProjectName: "p", DatasetType: "train"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
