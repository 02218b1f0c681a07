package migrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"fovea"
	"fovea/internal/client"
)

// Whatever an account answers, what it names is written below the destination.
func TestReferencesStayInTheDestination(t *testing.T) {
	m := &Migration{Source: &Live{}, To: fovea.ObjectRef{Bucket: "migrated", Key: "here/"}}
	for _, tt := range []struct {
		ref, key string // where it is to be; none if it is left out
	}{
		{ref: "s3://any-bucket/a/b.jpg", key: "here/any-bucket/a/b.jpg"},
		{ref: "s3://migrated/there/b.jpg", key: "here/migrated/there/b.jpg"},
		{ref: "s3://b//etc/passwd", key: "here/b//etc/passwd"},
		{ref: "s3://b/..a/b..jpg", key: "here/b/..a/b..jpg"},
		{ref: "s3://b/../../elsewhere.jpg"},
		{ref: "s3://../elsewhere.jpg"},
		{ref: "s3://b/a/./b.jpg"},
		{ref: `s3://b/..\\..\\elsewhere.jpg`},
		{ref: "s3://b/a/.."},
	} {
		l, err := m.resolve(t.Context(), &dataset{}, numbered{1, []byte(`{"source-ref":"` + tt.ref + `"}`), ""})
		if err != nil {
			t.Fatal(err)
		}
		if left := l.bad != ""; left != (tt.key == "") {
			t.Errorf("%s: left out is %v: %q", tt.ref, left, l.bad)
		}
		if tt.key == "" {
			continue
		}
		if to := m.target(l.places[0]); to.Bucket != "migrated" || to.Key != tt.key {
			t.Errorf("%s goes to %s, want below s3://migrated/here/ %s", tt.ref, to, tt.key)
		}
	}
}

// An object that stays where it is may be called anything: nothing is written.
func TestReferencesInPlaceMayHaveSteps(t *testing.T) {
	m := &Migration{Source: &Live{}, SameS3: true, To: fovea.ObjectRef{Bucket: "own", Key: InPlace}}
	l, err := m.resolve(t.Context(), &dataset{}, numbered{1, []byte(`{"source-ref":"s3://own/a/../b.jpg"}`), ""})
	if err != nil || l.bad != "" {
		t.Errorf("%q, %v; want it to stay", l.bad, err)
	}
}

// namedSource has a project of a name that no service gives.
type namedSource struct {
	Live
	called string
}

func (s *namedSource) String() string { return "an account" }

func (s *namedSource) discover(context.Context, *state) ([]found, error) {
	return []found{{service: fovea.Lookout, name: s.called, source: s.called}}, nil
}

func TestNamesOfProjects(t *testing.T) {
	for name, ok := range map[string]bool{
		"parts": true, "my.parts_2-b": true,
		"": false, "..": false, ".": false, "../../x": false, "a/b": false, `a\b`: false, "a b": false, "a\x1b[2J": false, strings.Repeat("a", 256): false,
	} {
		s, err := openState(filepath.Join(t.TempDir(), stateFile))
		if err != nil {
			t.Fatal(err)
		}
		m := &Migration{Source: &namedSource{called: name}, Server: &API{}, Dir: t.TempDir(), st: s}
		if err := m.begin(t.Context()); (err == nil) != ok || err != nil && strings.ContainsRune(err.Error(), '\x1b') {
			t.Errorf("a project %q: %v", name, err)
		}
		s.Close()
	}
}

// It is said that the same helps only where it may.
func TestMayPass(t *testing.T) {
	answer := func(status int) error {
		return &smithy.OperationError{ServiceID: "S3", OperationName: "GetObject", Err: &awshttp.ResponseError{
			ResponseError: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: errors.New("x")},
		}}
	}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("the destination has a train dataset already"), false},
		{&client.Refusal{Code: "AccessDeniedException", Status: 400}, false},
		{&client.Refusal{Code: "UnrecognizedClientException", Status: 403}, false},
		{&client.Refusal{Code: "ThrottlingException", Status: 400}, true},
		{&client.Refusal{Code: "X", Status: 503}, true},
		{&client.Lost{Err: errors.New("reset")}, true},
		{answer(403), false},
		{answer(404), false},
		{answer(429), true},
		{answer(500), true},
		{&smithy.OperationError{Err: errors.New("no connection")}, true},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, true},
		{io.ErrUnexpectedEOF, true},
	} {
		if got := mayPass(fmt.Errorf("copy x: %w", tt.err)); got != tt.want {
			t.Errorf("%v may pass is %v, want %v", tt.err, got, tt.want)
		}
	}
}
