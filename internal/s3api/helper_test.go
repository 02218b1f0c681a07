package s3api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"fovea/internal/sigv4"
)

const (
	testKey    = "AKFOVEA"
	testSecret = "secretsecretsecret"
)

// An env is a server over a store of its own, and a client for it.
type env struct {
	*s3.Client
	store  *Store
	server *Server
	url    string
	t      testing.TB
	ctx    context.Context
}

func openStore(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func testVerifier() *sigv4.Verifier {
	return &sigv4.Verifier{Secret: func(_ context.Context, id string) (string, error) {
		if id == testKey {
			return testSecret, nil
		}
		return "", nil
	}}
}

// start runs a server with a bucket named bkt.
func start(t testing.TB) *env {
	t.Helper()
	if t, ok := t.(*testing.T); ok {
		t.Parallel() // they wait for the disk most of the time
	}
	store := openStore(t, t.TempDir(), Options{Grace: time.Millisecond, SweepEvery: time.Hour})
	e := &env{store: store, t: t, ctx: t.Context()}
	e.server = &Server{Store: store, Verifier: testVerifier(), Account: "123456789012", Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	hs := httptest.NewServer(e.server)
	t.Cleanup(hs.Close)
	e.url = hs.URL
	e.Client = e.client(nil)
	if err := store.CreateBucket(e.ctx, "bkt", ""); err != nil {
		t.Fatal(err)
	}
	return e
}

// client returns another client; edit may change its requests on the wire.
func (e *env) client(transport http.RoundTripper, opts ...func(*s3.Options)) *s3.Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(e.url),
		Region:       "us-east-1",
		UsePathStyle: true,
		HTTPClient:   &http.Client{Transport: transport},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret}, nil
		}),
		Retryer: aws.NopRetryer{},
	}, opts...)
}

func (e *env) put(key, body string) *s3.PutObjectOutput {
	e.t.Helper()
	out, err := e.PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String(key), Body: bytes.NewReader([]byte(body))})
	if err != nil {
		e.t.Fatalf("put %q: %v", key, err)
	}
	return out
}

// get returns what is in an object, or the code of the error.
func (e *env) get(key string, edit ...func(*s3.GetObjectInput)) string {
	e.t.Helper()
	in := &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String(key)}
	for _, f := range edit {
		f(in)
	}
	out, err := e.GetObject(e.ctx, in)
	if err != nil {
		return codeOf(err)
	}
	defer out.Body.Close()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		e.t.Fatalf("get %q: %v", key, err)
	}
	return string(data)
}

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func check[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// noise returns bytes that no two calls share.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	r.Read(b)
	return b
}
