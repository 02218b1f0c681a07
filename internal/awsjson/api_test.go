package awsjson_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/awsjson"
	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"
)

// names has an error name for every kind, for an API under test.
func names(other map[fovea.Kind]string) map[fovea.Kind]string {
	m := make(map[fovea.Kind]string)
	for k := fovea.Internal; k < fovea.Unsupported; k++ {
		m[k] = "AccessDeniedException"
	}
	for k, name := range other {
		m[k] = name
	}
	return m
}

func rekognitionAPI(ops map[string]awsjson.Op) *awsjson.API {
	return awsjson.New(awsjson.Config{
		Description: rekognition.Description,
		Errors: names(map[fovea.Kind]string{
			fovea.Internal: "InternalServerError", fovea.Invalid: "InvalidParameterException",
			fovea.NotFound: "ResourceNotFoundException", fovea.Throttled: "ThrottlingException",
			fovea.Exists: "ResourceAlreadyExistsException",
		}),
		Log: slog.New(slog.DiscardHandler),
		Ops: ops,
	})
}

func lookoutAPI(ops map[string]awsjson.Op) *awsjson.API {
	return awsjson.New(awsjson.Config{
		Description: lookout.Description,
		Errors: names(map[fovea.Kind]string{
			fovea.Internal: "InternalServerException", fovea.Invalid: "ValidationException",
			fovea.NotFound: "ResourceNotFoundException", fovea.Throttled: "ThrottlingException",
			fovea.Exists: "ConflictException", fovea.Quota: "ServiceQuotaExceededException",
		}),
		Log: slog.New(slog.DiscardHandler),
		Ops: ops,
	})
}

// call sends an AWS JSON request and returns the answer.
func call(a *awsjson.API, operation, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "RekognitionService."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1; charset=utf-8")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

// members returns the members of a JSON object as text.
func members(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return m
}

func TestCall(t *testing.T) {
	var got *rekognition.CreateDatasetRequest
	a := rekognitionAPI(map[string]awsjson.Op{
		"CreateDataset": awsjson.Call(func(_ context.Context, in *rekognition.CreateDatasetRequest) (*rekognition.CreateDatasetResponse, error) {
			got = in
			return &rekognition.CreateDatasetResponse{DatasetArn: "arn"}, nil
		}),
	})
	const project = "arn:aws:rekognition:us-east-1:123456789012:project/p/1"
	w := call(a, "CreateDataset", `{"ProjectArn":"`+project+`","DatasetType":"train","Unknown":{"a":[1]},"Tags":null,
		"DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"b-1","Name":"k\u00e9"}}}}`)
	if w.Code != 200 || w.Body.String() != `{"DatasetArn":"arn"}` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got.ProjectArn != project || got.DatasetType != rekognition.DatasetTypeTrain || got.Tags != nil ||
		got.DatasetSource.GroundTruthManifest.S3Object.Name != "ké" {
		t.Errorf("got %+v", got)
	}
	if w.Header().Get("x-amzn-RequestId") == "" || w.Header().Get("Content-Type") != "application/x-amz-json-1.1" {
		t.Errorf("header %v", w.Header())
	}
}
