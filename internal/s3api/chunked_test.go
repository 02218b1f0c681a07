package s3api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fovea/internal/sigv4"
)

// chunks signs a body in chunks, as clients do that speak to S3 without TLS.
func chunks(r *http.Request, trailer string, parts ...string) string {
	stamp := r.Header.Get("X-Amz-Date")
	scope := stamp[:8] + "/us-east-1/s3/aws4_request"
	key := []byte("AWS4" + testSecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = sum256(key, part)
	}
	_, prev, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	next := func(kind, what string) string {
		prev = hex.EncodeToString(sum256(key, "AWS4-HMAC-SHA256-"+kind+"\n"+stamp+"\n"+scope+"\n"+prev+"\n"+what))
		return prev
	}
	var body strings.Builder
	for _, p := range append(parts, "") {
		fmt.Fprintf(&body, "%x;chunk-signature=%s\r\n%s", len(p), next("PAYLOAD", hashOf("")+"\n"+hashOf(p)), p)
		if p != "" {
			body.WriteString("\r\n")
		}
	}
	if trailer != "" {
		fmt.Fprintf(&body, "%s\r\nx-amz-trailer-signature:%s\r\n", trailer, next("TRAILER", hashOf(trailer+"\n")))
	}
	return body.String() + "\r\n"
}

func sum256(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}

// TestSignedChunks: every chunk and the trailer is verified before an object
// is stored (T09).
func TestSignedChunks(t *testing.T) {
	e := start(t)
	const form, trailed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	const crc = "x-amz-checksum-crc32:DUoRhQ==" // of hello world
	for _, tt := range []struct{ name, form, trailer, from, to, want string }{
		{"right", form, "", "", "", ""},
		{"right with trailer", trailed, crc, "", "", ""},
		{"first chunk changed", form, "", "hello", "Hello", "SignatureDoesNotMatch"},
		{"last chunk changed", form, "", "world", "World", "SignatureDoesNotMatch"},
		{"size with a zero", form, "", "5;", "05;", ""},
		{"chunk cut", form, "", "6;", "5;", "SignatureDoesNotMatch"},
		{"signature changed", form, "", "signature=", "signature=0", "InvalidRequest"},
		{"trailer changed", trailed, crc, "DUoRhQ", "DUoRhR", "SignatureDoesNotMatch"},
		{"trailer that was signed and is wrong", trailed, "x-amz-checksum-crc32:AAAAAA==", "", "", "BadDigest"},
		{"trailer in the form without", form, crc, "", "", "InvalidRequest"},
		{"no trailer in the form with", trailed, "", "", "", "InvalidRequest"},
	} {
		key := "/bkt/" + strings.ReplaceAll(tt.name, " ", "-")
		r := check[*http.Request](t)(http.NewRequest("PUT", e.url+key, nil))
		r.Header.Set("X-Amz-Decoded-Content-Length", "11")
		if tt.form == trailed {
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		}
		sigv4.Sign(r, sigv4.Scope{KeyID: testKey, Region: "us-east-1", Service: "s3"}, testSecret, tt.form, time.Now())
		body := chunks(r, tt.trailer, "hello", " world")
		body = strings.Replace(body, tt.from, tt.to, 1)
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		resp := check[*http.Response](t)(http.DefaultClient.Do(r))
		defer resp.Body.Close()
		if got := errorCode(t, resp); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		want := "NoSuchKey"
		if tt.want == "" {
			want = "hello world"
		}
		if got := e.get(strings.TrimPrefix(key, "/bkt/")); got != want {
			t.Errorf("%s: stored %q, want %q", tt.name, got, want)
		}
	}
}
