package awsjson_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/awsjson"
	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// failing returns a table whose CreateProject fails with err.
func failing(err error) map[string]awsjson.Op {
	return map[string]awsjson.Op{
		"CreateProject": awsjson.Call(func(context.Context, *rekognition.CreateProjectRequest) (*rekognition.CreateProjectResponse, error) {
			return nil, err
		}).Naming(fovea.Exists, "ResourceNotFoundException").Naming(fovea.Exists, "ResourceInUseException"),
	}
}

// TestErrorBody checks the form of CL-1.30 to CL-1.32.
func TestErrorBody(t *testing.T) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"ProjectName":"p"}`))
	r = r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{RequestID: "the-request"}))
	r.Header.Set("X-Amz-Target", "RekognitionService.CreateProject")
	w := httptest.NewRecorder()
	rekognitionAPI(failing(fovea.Errorf(fovea.Invalid, "A <bad> \"name\"."))).ServeHTTP(w, r)
	body := members(t, w)
	logref, err := uuid.Parse(body["Logref"].(string))
	if err != nil || logref.String() == "the-request" {
		t.Errorf("Logref: %v", err)
	}
	delete(body, "Logref")
	want := map[string]any{"__type": "InvalidParameterException", "Code": "InvalidParameterException", "Message": `A <bad> "name".`}
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"x-amzn-RequestId": "the-request", "x-amzn-errortype": "InvalidParameterException", "Content-Type": "application/x-amz-json-1.1",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestKinds checks names and statuses: CL-1.40 has the surprising ones.
func TestKinds(t *testing.T) {
	for _, tt := range []struct {
		err    error
		code   string
		status int
	}{
		{fovea.Errorf(fovea.NotFound, "x"), "ResourceNotFoundException", 400},
		{fovea.Errorf(fovea.Throttled, "x"), "ThrottlingException", 500},
		{fovea.Errorf(fovea.Exists, "x"), "ResourceInUseException", 400},
		{fmt.Errorf("wrapped: %w", fovea.Errorf(fovea.Invalid, "x")), "InvalidParameterException", 400},
		{fovea.Errorf(fovea.Unsupported, "x"), "NotImplementedException", 501},
		{fovea.Errorf(fovea.Internal, "secret"), "InternalServerError", 500},
		{errors.New("secret"), "InternalServerError", 500},
		{context.Canceled, "InternalServerError", 500},
	} {
		w := call(rekognitionAPI(failing(tt.err)), "CreateProject", `{"ProjectName":"p"}`)
		if w.Code != tt.status || members(t, w)["Code"] != tt.code || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: %d %s, want %d %s", tt.err, w.Code, w.Body, tt.status, tt.code)
		}
	}
}

// TestLookoutErrors checks the members and headers of LV-1.32 to LV-1.37.
func TestLookoutErrors(t *testing.T) {
	for _, tt := range []struct {
		err    *fovea.Error
		status int
		want   map[string]any
		retry  string
	}{
		{fovea.Errorf(fovea.Exists, "A project named p1 already exists.").About(fovea.ProjectResource, "p1"), 409,
			map[string]any{"__type": "ConflictException", "Message": "A project named p1 already exists.", "ResourceId": "p1", "ResourceType": "PROJECT"}, ""},
		{fovea.Errorf(fovea.NotFound, "No p1.").About(fovea.DatasetResource, "p1/train"), 404,
			map[string]any{"__type": "ResourceNotFoundException", "Message": "No p1.", "ResourceId": "p1/train", "ResourceType": "DATASET"}, ""},
		{fovea.Errorf(fovea.Quota, "Too many.").About(fovea.ProjectResource, "p1"), 402,
			map[string]any{"__type": "ServiceQuotaExceededException", "Message": "Too many.", "ResourceId": "p1", "ResourceType": "PROJECT",
				"ServiceCode": "lookoutvision", "QuotaCode": "L-EE9CFEAE"}, ""},
		{fovea.Errorf(fovea.Throttled, "Slowly."), 429,
			map[string]any{"__type": "ThrottlingException", "Message": "Slowly.", "ServiceCode": "lookoutvision", "QuotaCode": "L-6A0F2E0B"}, "1"},
		{fovea.Errorf(fovea.Invalid, "No.").About(fovea.ProjectResource, "p1"), 400, map[string]any{"__type": "ValidationException", "Message": "No."}, ""},
		{fovea.Errorf(fovea.Internal, "secret"), 500, map[string]any{"__type": "InternalServerException", "Message": "Internal server error"}, "1"},
	} {
		a := lookoutAPI(map[string]awsjson.Op{
			"CreateProject": awsjson.Call(func(context.Context, *lookout.CreateProjectRequest) (*lookout.CreateProjectResponse, error) {
				return nil, tt.err
			}),
		})
		w := rest(a, "POST", "/projects", `{"ProjectName":"p1"}`)
		got := members(t, w)
		if code, ok := got["QuotaCode"]; ok && !regexp.MustCompile(`^L-[0-9A-F]{8}$`).MatchString(code.(string)) {
			t.Errorf("QuotaCode %q", code)
		}
		if code, ok := got["QuotaCode"]; ok {
			tt.want["QuotaCode"] = code // any, if it has the form
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if w.Code != tt.status || w.Header().Get("x-amzn-ErrorType") != tt.want["__type"] || w.Header().Get("Retry-After") != tt.retry ||
			w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
}

// TestFaultsAreLogged checks that a fault of ours is found by its request id
// in the log, and not in the answer.
func TestFaultsAreLogged(t *testing.T) {
	panicking := awsjson.Call(func(context.Context, *rekognition.CreateProjectRequest) (*rekognition.CreateProjectResponse, error) {
		panic("secret")
	})
	nothing := awsjson.Call(func(context.Context, *rekognition.CreateProjectRequest) (*rekognition.CreateProjectResponse, error) {
		return nil, nil
	})
	for _, tt := range []struct {
		name string
		op   awsjson.Op
		log  []string
	}{
		{"an error", failing(errors.New("secret"))["CreateProject"], []string{"secret", "level=ERROR"}},
		{"a panic", panicking, []string{"secret", "level=ERROR", "error_test.go"}},
		{"no response", nothing, []string{"level=ERROR", "stack="}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			a := awsjson.New(awsjson.Config{
				Description: rekognition.Description,
				Errors:      names(map[fovea.Kind]string{fovea.Internal: "InternalServerError"}),
				Log:         slog.New(slog.NewTextHandler(&log, nil)),
				Ops:         map[string]awsjson.Op{"CreateProject": tt.op},
			})
			w := call(a, "CreateProject", `{"ProjectName":"p"}`)
			if w.Code != 500 || members(t, w)["Message"] != "Internal server error" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			for _, want := range append(tt.log, "operation=CreateProject", "request_id="+w.Header().Get("x-amzn-RequestId")) {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log lacks %q: %s", want, log.String())
				}
			}
		})
	}
}

// TestUnlisted checks the hook for errors that an operation does not list.
func TestUnlisted(t *testing.T) {
	var got []string
	config := awsjson.Config{
		Description: rekognition.Description,
		Errors: names(map[fovea.Kind]string{
			fovea.Internal: "InternalServerError", fovea.NotReady: "ResourceNotReadyException", fovea.Invalid: "InvalidParameterException",
		}),
		Log:      slog.New(slog.DiscardHandler),
		Unlisted: func(operation, name string) { got = append(got, operation+" "+name) },
	}
	for _, kind := range []fovea.Kind{fovea.Internal, fovea.Invalid, fovea.Exists, fovea.Unsupported, fovea.NotReady} {
		config.Ops = failing(fovea.Errorf(kind, "x"))
		call(awsjson.New(config), "CreateProject", `{"ProjectName":"p"}`)
	}
	if diff := cmp.Diff([]string{"CreateProject ResourceNotReadyException"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWriteError checks the errors of other parts of the server.
func TestWriteError(t *testing.T) {
	for _, a := range []*awsjson.API{rekognitionAPI(nil), lookoutAPI(nil)} {
		w := httptest.NewRecorder()
		a.WriteError(w, httptest.NewRequest("GET", "/", nil), "MissingAuthenticationTokenException", 403, "Sign it.")
		if w.Code != 403 || w.Header().Get("X-Amzn-ErrorType") != "MissingAuthenticationTokenException" || members(t, w)["Message"] != "Sign it." ||
			uuid.Validate(w.Header().Get("x-amzn-RequestId")) != nil {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	}
}

// TestMethod checks CL-1.13.
func TestMethod(t *testing.T) {
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		r := httptest.NewRequest(method, "/", nil)
		r.Header.Set("X-Amz-Target", "RekognitionService.DescribeProjects")
		w := httptest.NewRecorder()
		rekognitionAPI(nil).ServeHTTP(w, r)
		if w.Code != 405 || w.Header().Get("Allow") != "POST" || members(t, w)["Code"] != "UnknownOperationException" {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	for _, target := range []string{"", "DescribeProjects", "RekognitionService.", "RekognitionService.describeProjects", "Other.DescribeProjects"} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("X-Amz-Target", target)
		w := httptest.NewRecorder()
		rekognitionAPI(nil).ServeHTTP(w, r)
		if w.Code != 400 || members(t, w)["Code"] != "UnknownOperationException" {
			t.Errorf("%s: %d %s", target, w.Code, w.Body)
		}
	}
}

// broken is a body that fails to be read.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// TestBrokenBody checks bodies that end early, or that whoever reads them
// before us refuses.
func TestBrokenBody(t *testing.T) {
	for _, tt := range []struct {
		err    error
		code   string
		status int
	}{
		{io.ErrUnexpectedEOF, "SerializationException", 400},
		{&http.MaxBytesError{Limit: 5}, "RequestEntityTooLargeException", 413},
		{fovea.Errorf(fovea.Denied, "The body is not the one that was signed."), "AccessDeniedException", 400},
	} {
		r := httptest.NewRequest("POST", "/", broken{tt.err})
		r.Header.Set("X-Amz-Target", "RekognitionService.DescribeProjects")
		w := httptest.NewRecorder()
		rekognitionAPI(nil).ServeHTTP(w, r)
		if w.Code != tt.status || members(t, w)["Code"] != tt.code {
			t.Errorf("%v: %d %s", tt.err, w.Code, w.Body)
		}
	}
}

// TestRefusedBodyIsRead checks over a real connection that a client which
// sends a body that is too large gets to see why it is refused.
func TestRefusedBodyIsRead(t *testing.T) {
	s := httptest.NewServer(rekognitionAPI(nil))
	defer s.Close()
	for _, expect := range []string{"", "100-continue"} {
		r, err := http.NewRequest("POST", s.URL, io.LimitReader(zeros{}, 20<<20))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 20 << 20
		r.Header.Set("X-Amz-Target", "RekognitionService.UpdateDatasetEntries")
		if expect != "" {
			r.Header.Set("Expect", expect)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("Expect %q: %v", expect, err)
		}
		response.Body.Close()
		if response.StatusCode != 413 {
			t.Errorf("Expect %q: %s", expect, response.Status)
		}
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestNewPanics checks that a table which contradicts its description does not
// start.
func TestNewPanics(t *testing.T) {
	other := awsjson.Call(func(context.Context, *lookout.CreateProjectRequest) (*lookout.CreateProjectResponse, error) {
		return nil, nil
	})
	for _, tt := range []struct {
		name   string
		config awsjson.Config
	}{
		{"no name for a kind", awsjson.Config{Description: rekognition.Description, Errors: map[fovea.Kind]string{fovea.Internal: "X"}}},
		{"types of another operation", awsjson.Config{Description: rekognition.Description, Errors: names(nil), Ops: map[string]awsjson.Op{"CreateProject": other}}},
		{"an operation that does not exist", awsjson.Config{Description: rekognition.Description, Errors: names(nil), Ops: map[string]awsjson.Op{"MakeProject": other}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if v, ok := recover().(string); !ok || !strings.HasPrefix(v, "awsjson: ") {
					t.Errorf("recovered %v", v)
				}
			}()
			awsjson.New(tt.config)
		})
	}
}

func TestBuilt(t *testing.T) {
	built := rekognitionAPI(failing(nil)).Built()
	if len(built) != 23 || !built["CreateProject"] || built["DeleteProject"] {
		t.Errorf("%v", built)
	}
}
