package client

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// endpointOf returns an endpoint whose calls fn answers.
func endpointOf(t *testing.T, fn http.HandlerFunc) *Endpoint {
	t.Helper()
	s := httptest.NewServer(fn)
	t.Cleanup(s.Close)
	return &Endpoint{URL: s.URL + "/", Region: "eu-west-1", KeyID: "AK", Secret: "secret", Token: "token"}
}

func TestSend(t *testing.T) {
	e := endpointOf(t, func(w http.ResponseWriter, r *http.Request) {
		auth := r.Header.Get("Authorization")
		if !strings.Contains(auth, "AK/") || !strings.Contains(auth, "/eu-west-1/rekognition/") || !strings.Contains(auth, "x-amz-security-token") ||
			r.Header.Get("X-Amz-Security-Token") != "token" || r.Header.Get("X-Amz-Target") != "RekognitionService.X" {
			t.Errorf("the request has the header %v", r.Header)
		}
		io.Copy(w, r.Body)
	})
	body, err := e.Send(t.Context(), Call{Service: "rekognition", Method: "POST", Path: "/", Target: "RekognitionService.X", Body: []byte(`{"a":1}`)})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if text, err := io.ReadAll(body); err != nil || string(text) != `{"a":1}` {
		t.Errorf("%q, %v", text, err)
	}
}

// TestRefusal: errors are read as AWS's clients read them (CL-1.30 to CL-1.32).
func TestRefusal(t *testing.T) {
	for _, tt := range []struct {
		name, header, body string
		status             int
		code, says         string
		passes             bool
	}{
		{"the header", "com.amazon#ThrottlingException:http://x", `{"message":"slow"}`, 400, "ThrottlingException", "slow", true},
		{"the type", "", `{"__type":"x.y#ResourceNotFoundException","Message":"no"}`, 400, "ResourceNotFoundException", "no", false},
		{"the code", "", `{"Code":"InternalServerError"}`, 500, "InternalServerError", "500", true},
		{"no JSON", "", `<html>`, 502, "HTTP error", "502", true},
		{"not built", "", `{}`, 501, "HTTP error", "501", false},
		{"a redirect", "", ``, 307, "HTTP error", "307", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := endpointOf(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.header != "" {
					w.Header().Set("X-Amzn-Errortype", tt.header)
				}
				w.Header().Set("Location", "/other")
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			_, err := e.Send(t.Context(), Call{Service: "s", Method: "GET", Path: "/"})
			var r *Refusal
			if !errors.As(err, &r) || CodeOf(err) != tt.code || r.Passes() != tt.passes || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, passes %v", err, r != nil && r.Passes())
			}
		})
	}
	if CodeOf(io.EOF) != "" {
		t.Error("an error of the network has a code")
	}
}

// TestLost: what the network spoils is told from what the service says.
func TestLost(t *testing.T) {
	e := endpointOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "{")
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler)
	})
	var lost *Lost
	if _, err := e.Send(t.Context(), Call{Service: "s", Method: "GET", Path: "/"}); !errors.As(err, &lost) {
		t.Errorf("no answer: %v", err)
	}
	body, err := e.Send(t.Context(), Call{Service: "s", Method: "GET", Path: "/body"})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadAll(body); !errors.As(err, &lost) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that breaks off: %v", err)
	}
}

func TestBase(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "https://rekognition.eu-west-1.amazonaws.com", "cn-north-1": "https://rekognition.cn-north-1.amazonaws.com.cn"} {
		if got := (&Endpoint{Region: region}).Base("rekognition"); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
}
