package awsjson_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"
)

// wellFormed reports an answer that is not the JSON of an error of an API in
// which nothing is built. A 500 would be a panic or a fault of ours.
func wellFormed(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var body struct{ Message string }
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || body.Message == "" {
		t.Errorf("%d %q: %v", w.Code, w.Body, err)
	}
	switch w.Code {
	case 400, 404, 405, 413, 501:
	default:
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if w.Header().Get("X-Amzn-ErrorType") == "" || w.Header().Get("X-Amzn-RequestId") == "" {
		t.Errorf("header %v", w.Header())
	}
	if w.Body.Len() > 200_000 {
		t.Errorf("an answer of %d bytes", w.Body.Len())
	}
}

func FuzzJSONCall(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `{"ProjectName":"p","Tags":{"a":"b"}}`, `{"ProjectNames":["a",null],"MaxResults":1e2}`,
		`{"DatasetArn":"` + datasetARN + `","Changes":{"GroundTruth":"e30="}}`,
		`{"ProjectArn":"` + projectARN + `","DatasetType":"train","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"bkt","Name":"k"}}}}`,
		`{"Datasets":[{"Arn":"` + datasetARN + `"},{}]}`, `{"Image":{"Bytes":"AA==","S3Object":{}},"MinConfidence":-0.5e-3}`,
		`{"a":"\\\"","b":[{"c":"]}"},[]],"\u0050rojectName":"\ud800"}`, "\xef\xbb\xbf{}", `[[[[`, `{"ProjectName":"p"`, " {\t\"ProjectName\"\r\n: \"p\" } ",
	} {
		for i := range rekognition.Description.Operations {
			f.Add(uint8(i), []byte(body))
		}
	}
	a := rekognitionAPI(nil)
	f.Fuzz(func(t *testing.T, operation uint8, body []byte) {
		ops := rekognition.Description.Operations
		w := call(a, ops[int(operation)%len(ops)].Name, string(body))
		wellFormed(t, w)
	})
}

func FuzzRESTRoute(f *testing.F) {
	for _, op := range lookout.Description.Operations {
		path := strings.NewReplacer("{projectName}", "p", "{datasetType}", "train", "{modelVersion}", "latest", "{jobName}", "j",
			"{resourceArn+}", "arn%3Aaws%3Alookoutvision%3A%3A%3Amodel%2Fp%2F1").Replace(op.Path)
		f.Add(op.Method, path, "maxResults=1&labeled=true&createdAfter=2020-06-23T01:02:03Z&tagKeys=a&tagKeys=%20", "token-1", []byte(`{"Changes":"e30="}`))
		f.Add(op.Method, path+"/", "maxResults=x&labeled=", "!", []byte(`{"DatasetType":"train","Tags":[{"Key":"k","Value":""}]}`))
	}
	f.Add("GET", "/2020-11-20/projects/%zz", "%zz", "", []byte{})
	f.Add("GET", "/2020-11-20/tags//a//", "&;=", "", []byte("\xff"))
	a := lookoutAPI(nil)
	f.Fuzz(func(t *testing.T, method, path, query, token string, body []byte) {
		u, err := url.Parse("http://localhost" + path)
		if err != nil {
			t.Skip()
		}
		u.RawQuery = query
		r, err := http.NewRequest(method, u.String(), strings.NewReader(string(body)))
		if err != nil {
			t.Skip()
		}
		r.URL = u
		r.Header.Set("Content-Type", "image/png")
		r.Header.Set("X-Amzn-Client-Token", token)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		wellFormed(t, w)
	})
}
