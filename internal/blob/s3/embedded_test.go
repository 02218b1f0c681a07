package s3_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"fovea"
	"fovea/internal/blob/s3"
	"fovea/internal/blobtest"
	"fovea/internal/s3api"
	"fovea/internal/sigv4"
)

// TestEmbedded runs the suite on the embedded S3 endpoint, which checks
// signatures and checksums.
func TestEmbedded(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) fovea.Blobs {
		store, err := s3api.Open(t.TempDir(), s3api.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		if err := store.CreateBucket(t.Context(), "bucket", ""); err != nil {
			t.Fatal(err)
		}
		secret := func(context.Context, string) (string, error) { return "SECRET", nil }
		server := httptest.NewServer(&s3api.Server{Store: store, Verifier: &sigv4.Verifier{Secret: secret}, Account: "111122223333"})
		t.Cleanup(server.Close)
		b, err := s3.Open(t.Context(), s3.Config{URL: "s3://bucket/blobs", Endpoint: server.URL, KeyID: "KEY", Secret: "SECRET"})
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}
