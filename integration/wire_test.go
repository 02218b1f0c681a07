package integration

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"fovea/integration/process"
)

// rekognitionHeader returns the headers of a call of Custom Labels.
func rekognitionHeader(operation string) http.Header {
	return http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"RekognitionService." + operation}}
}

// TestWire sends what no SDK sends, or looks at what none shows.
func TestWire(t *testing.T) {
	t.Parallel()
	server := serve(t)
	if err := server.Rekognition(t.Context(), "CreateProject", map[string]any{"ProjectName": "p"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := server.Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "p"}, nil); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name         string
		service      string
		method, path string
		header       http.Header
		body         string
		status       int
		want         string // pattern of the body
		errorHeader  string // name in x-amzn-errortype
		contentType  string
	}{
		{name: "describe", service: "rekognition", header: rekognitionHeader("DescribeProjects"), body: `{}`, status: 200,
			want: `{"ProjectDescriptions":[{"Datasets":[]}]}`, contentType: "application/x-amz-json-1.1"},
		{name: "empty body is an empty object", service: "rekognition", header: rekognitionHeader("DescribeProjects"), status: 200,
			want: `{"ProjectDescriptions":["?"]}`},
		{name: "unknown members and null are passed over", service: "rekognition", header: rekognitionHeader("DescribeProjects"),
			body: `{"NextToken":null,"Zzz":{"a":[1]}}`, status: 200, want: `{"ProjectDescriptions":["?"]}`},
		{name: "content type with a charset", service: "rekognition", status: 200, body: `{}`, want: `{"ProjectDescriptions":["?"]}`,
			header: http.Header{"Content-Type": {"application/x-amz-json-1.1; charset=utf-8"}, "X-Amz-Target": {"RekognitionService.DescribeProjects"}}},
		{name: "error body", service: "rekognition", header: rekognitionHeader("CreateProject"), body: `{"ProjectName":"p"}`, status: 400,
			errorHeader: "ResourceInUseException", want: `{"__type":"ResourceInUseException","Code":"ResourceInUseException","Logref":"~[0-9a-f-]{36}","Message":"~.+","message":"!"}`},
		{name: "required member", service: "rekognition", header: rekognitionHeader("CreateProject"), body: `{}`, status: 400, errorHeader: "InvalidParameterException"},
		{name: "broken JSON", service: "rekognition", header: rekognitionHeader("CreateProject"), body: `{"ProjectName":`, status: 400, errorHeader: "SerializationException"},
		{name: "wrong JSON type", service: "rekognition", header: rekognitionHeader("CreateProject"), body: `{"ProjectName":7}`, status: 400, errorHeader: "SerializationException"},
		{name: "not an object", service: "rekognition", header: rekognitionHeader("CreateProject"), body: `[]`, status: 400, errorHeader: "SerializationException"},
		{name: "unknown operation", service: "rekognition", header: rekognitionHeader("MakeCoffee"), body: `{}`, status: 400, errorHeader: "UnknownOperationException"},
		{name: "no operation", service: "rekognition", header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, body: `{}`, status: 400, errorHeader: "UnknownOperationException"},
		{name: "bad base64", service: "rekognition", header: rekognitionHeader("UpdateDatasetEntries"), status: 400, errorHeader: "SerializationException",
			body: `{"DatasetArn":"arn:aws:rekognition:us-east-1:123456789012:project/p/dataset/train/1690556751958","Changes":{"GroundTruth":"%%%"}}`},
		{name: "body too large", service: "rekognition", header: rekognitionHeader("CreateProject"), status: 413,
			body: `{"ProjectName":"` + strings.Repeat("x", 40<<20) + `"}`},

		{name: "create dataset", service: "lookoutvision", method: "POST", path: "/2020-11-20/projects/p/datasets", status: 202, contentType: "application/json",
			header: http.Header{"Content-Type": {"application/json"}}, body: `{"DatasetType":"train"}`, want: `{"DatasetMetadata":{"Status":"CREATE_COMPLETE"}}`},
		{name: "no client token is needed", service: "lookoutvision", method: "POST", path: "/2020-11-20/projects", status: 409, errorHeader: "ConflictException",
			header: http.Header{"Content-Type": {"application/json"}}, body: `{"ProjectName":"p"}`, want: `{"Message":"~.+","ResourceId":"p","ResourceType":"PROJECT"}`},
		{name: "delete dataset", service: "lookoutvision", method: "DELETE", path: "/2020-11-20/projects/p/datasets/train", status: 202, want: `{}`},
		{name: "delete dataset again", service: "lookoutvision", method: "DELETE", path: "/2020-11-20/projects/p/datasets/train", status: 404, errorHeader: "ResourceNotFoundException",
			want: `{"Message":"~.+","ResourceId":"p/train","ResourceType":"DATASET"}`},
		{name: "bad client token", service: "lookoutvision", method: "DELETE", path: "/2020-11-20/projects/p", status: 400, errorHeader: "ValidationException",
			header: http.Header{"X-Amzn-Client-Token": {"a b"}}},
		{name: "bad boolean", service: "lookoutvision", method: "GET", path: "/2020-11-20/projects/p/datasets/train/entries?labeled=perhaps", status: 400},
		{name: "unknown path", service: "lookoutvision", method: "GET", path: "/2020-11-20/coffee", status: 404, errorHeader: "UnknownOperationException"},
		{name: "lookout not built", service: "lookoutvision", method: "GET", path: "/2020-11-20/projects/p/modelpackagingjobs", status: 501, errorHeader: "NotImplementedException"},

		{name: "unknown service", service: "dynamodb", body: `{}`, status: 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.method == "" {
				tt.method, tt.path = "POST", "/"
			}
			resp, err := server.Do(t.Context(), tt.service, tt.method, tt.path, tt.header, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d: %.300s", resp.StatusCode, tt.status, body)
			}
			if resp.Header.Get("X-Amzn-RequestId") == "" {
				t.Error("no x-amzn-RequestId")
			}
			if tt.errorHeader != "" && resp.Header.Get("X-Amzn-Errortype") != tt.errorHeader {
				t.Errorf("x-amzn-errortype: %q, want %q", resp.Header.Get("X-Amzn-Errortype"), tt.errorHeader)
			}
			if tt.contentType != "" && resp.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("Content-Type: %q, want %q", resp.Header.Get("Content-Type"), tt.contentType)
			}
			if tt.want != "" {
				var want, got any
				if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(body, &got); err != nil {
					t.Fatalf("%v in %.300s", err, body)
				}
				if diff := match(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestAuthentication calls each service with signatures that are not right
// (CL-1.5, LV-1.39).
func TestAuthentication(t *testing.T) {
	t.Parallel()
	server := serve(t)
	if err := server.MakeBucket(t.Context(), "probe"); err != nil {
		t.Fatal(err)
	}
	right := server.Credentials()
	for _, tt := range []struct {
		name    string
		key     aws.Credentials
		at      time.Duration // from now
		scope   string        // another service's, for which the request is signed
		tamper  func(*http.Request)
		codes   [3]string // of rekognition, lookoutvision, s3
		allowed bool
	}{
		{name: "right", key: right, allowed: true},
		{name: "ten minutes late", key: right, at: -10 * time.Minute, allowed: true},
		{name: "wrong secret", key: aws.Credentials{AccessKeyID: right.AccessKeyID, SecretAccessKey: "wrong"},
			codes: [3]string{"InvalidSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch"}},
		{name: "unknown key", key: aws.Credentials{AccessKeyID: "AKIANOBODYHASTHISKEY", SecretAccessKey: "wrong"},
			codes: [3]string{"UnrecognizedClientException", "UnrecognizedClientException", "InvalidAccessKeyId"}},
		{name: "twenty minutes late", key: right, at: -20 * time.Minute,
			codes: [3]string{"InvalidSignatureException", "InvalidSignatureException", "RequestTimeTooSkewed"}},
		{name: "twenty minutes early", key: right, at: 20 * time.Minute,
			codes: [3]string{"InvalidSignatureException", "InvalidSignatureException", "RequestTimeTooSkewed"}},
		{name: "a header changed", key: right, tamper: func(r *http.Request) {
			r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z"))
		},
			codes: [3]string{"InvalidSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch"}},
		{name: "the query changed", key: right, tamper: func(r *http.Request) { r.URL.RawQuery = "x=1" },
			codes: [3]string{"InvalidSignatureException", "InvalidSignatureException", "SignatureDoesNotMatch"}},
		{name: "half a header", key: right, tamper: func(r *http.Request) {
			head, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature=")
			r.Header.Set("Authorization", head)
		}, codes: [3]string{"IncompleteSignatureException", "", ""}},
	} {
		for i, service := range []string{"rekognition", "lookoutvision", "s3"} {
			t.Run(tt.name+"/"+service, func(t *testing.T) {
				req := probe(t, server, service)
				if err := server.SignAs(req, tt.key, service, server.Region(), nil, time.Now().Add(tt.at)); err != nil {
					t.Fatal(err)
				}
				if tt.tamper != nil {
					tt.tamper(req)
				}
				status, code := send(t, req)
				if tt.allowed != (status == http.StatusOK) {
					t.Fatalf("status %d %s", status, code)
				}
				if !tt.allowed && tt.codes[i] != "" && code != tt.codes[i] {
					t.Errorf("code %s, want %s (status %d)", code, tt.codes[i], status)
				}
			})
		}
	}
	for _, service := range []string{"rekognition", "lookoutvision", "s3"} {
		t.Run("unsigned/"+service, func(t *testing.T) {
			if status, code := send(t, probe(t, server, service)); status == http.StatusOK || status >= 500 || code == "" {
				t.Errorf("status %d %s", status, code)
			}
		})
	}
	t.Run("body changed", func(t *testing.T) {
		req := probe(t, server, "rekognition")
		if err := server.Sign(req, "rekognition", []byte(`{}`)); err != nil {
			t.Fatal(err)
		}
		req.Body = io.NopCloser(strings.NewReader(`{"MaxResults":1}`))
		req.ContentLength = int64(len(`{"MaxResults":1}`))
		if status, code := send(t, req); status != http.StatusBadRequest || code != "InvalidSignatureException" {
			t.Errorf("status %d %s", status, code)
		}
	})
}

// probe returns an unsigned request without body that reads of a service.
func probe(t *testing.T, server *process.Server, service string) *http.Request {
	t.Helper()
	method, path := "GET", "/"
	switch service {
	case "rekognition":
		method = "POST"
	case "lookoutvision":
		path = "/2020-11-20/projects"
	case "s3":
		path = "/probe"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if service == "rekognition" {
		req.Header = rekognitionHeader("DescribeProjects")
	}
	return req
}

// send sends a request and returns its status and the error's name, whatever
// the service's way to tell it.
func send(t *testing.T, req *http.Request) (status int, code string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	code = resp.Header.Get("X-Amzn-Errortype")
	if _, after, ok := bytes.Cut(body, []byte("<Code>")); ok && code == "" {
		name, _, _ := bytes.Cut(after, []byte("</Code>"))
		code = string(name)
	}
	return resp.StatusCode, code
}

// TestCORS asks as a browser does before it calls (CL-1.14).
func TestCORS(t *testing.T) {
	t.Parallel()
	server := serve(t)
	req, err := http.NewRequestWithContext(t.Context(), "OPTIONS", server.URL()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "http://app.example")
	req.Header.Set("Access-Control-Request-Method", "POST")
	req.Header.Set("Access-Control-Request-Headers", "authorization,content-type,x-amz-date,x-amz-target,amz-sdk-request")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("preflight got status %d", resp.StatusCode)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "",
		"Access-Control-Allow-Methods": "POST",
		"Access-Control-Allow-Headers": "x-amz-target",
	} {
		if got := resp.Header.Get(name); got == "" || !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
			t.Errorf("%s: %q lacks %q", name, got, want)
		}
	}

	header := rekognitionHeader("DescribeProjects")
	header.Set("Origin", "http://app.example")
	resp, err = server.Do(t.Context(), "rekognition", "POST", "/", header, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	exposed := strings.ToLower(resp.Header.Get("Access-Control-Expose-Headers"))
	if resp.Header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(exposed, "x-amzn-requestid") || !strings.Contains(exposed, "x-amzn-errortype") {
		t.Errorf("the answer's headers are not for browsers: %v", resp.Header)
	}
}

// TestOperator asks what needs no signature: health, readiness and metrics.
func TestOperator(t *testing.T) {
	t.Parallel()
	server := serve(t)
	for path, want := range map[string]string{"/healthz": "", "/readyz": "", "/metrics": "fovea_request"} {
		resp, err := http.Get(server.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: status %d, %v: %.300s", path, resp.StatusCode, err, body)
		}
	}
}
