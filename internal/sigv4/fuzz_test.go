package sigv4

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// FuzzVerify feeds any head to Verify. Nothing but the request that was signed
// may pass, and nothing may panic.
func FuzzVerify(f *testing.F) {
	good := newSigned("rekognition")
	f.Add("POST", "/p", "a=1", good.Header.Get("Authorization"), testStamp, "", "body")
	f.Add("GET", "/%zz", "X-Amz-Credential=a/b/c/s3/aws4_request&X-Amz-Signature="+emptyHash, "", "", streamSigned, "")
	f.Add("GET", "/", "", algorithm+" Credential=a/20261122/r/s3/aws4_request,SignedHeaders=host,Signature="+emptyHash, testStamp, emptyHash, "")
	f.Add("GET", "/", "AWSAccessKeyId=1", "AWS x:y", "Date", "x", "0\r\n\r\n")
	f.Fuzz(func(t *testing.T, method, path, query, authorization, date, payload, body string) {
		r := &http.Request{Method: method, URL: &url.URL{Path: path, RawQuery: query}, Host: "h", Header: http.Header{},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), RequestURI: path}
		for name, value := range map[string]string{"Authorization": authorization, "X-Amz-Date": date, "X-Amz-Content-Sha256": payload} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		Peek(r)
		for _, service := range []string{"s3", "rekognition"} {
			_, _, err := verifierAt(testStamp, testSecret).Verify(r.Clone(t.Context()), Options{Service: service, MaxBody: 1 << 20})
			if err != nil && codeOf(err) == "" {
				t.Errorf("untyped error %v", err)
			}
			if err == nil && (service == "s3" || method != "POST" || body != "body") {
				t.Errorf("a forged %s request passed", service)
			}
		}
	})
}

// FuzzChunkReader feeds any body to the aws-chunked reader. It must not panic,
// must not give more than was promised, and must not pass what nobody signed.
func FuzzChunkReader(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\n\r\n"), int64(5), uint8(0))
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"), int64(5), uint8(1))
	f.Add([]byte("0;chunk-signature="+emptyHash+"\r\n\r\n"), int64(0), uint8(3))
	f.Add([]byte("10000000000000000\r\n"), int64(1), uint8(2))
	f.Fuzz(func(t *testing.T, data []byte, size int64, flags uint8) {
		c := newChunkReader(bytes.NewReader(data), max(size, 0), flags&1 != 0)
		if flags&2 != 0 {
			c.chain = newChain([]byte("key"), &auth{stamp: testStamp, signature: emptyHash})
		}
		n, err := io.Copy(io.Discard, c)
		if n > max(size, 0) {
			t.Errorf("read %d bytes of %d promised", n, size)
		}
		if err != nil && codeOf(err) == "" {
			t.Errorf("untyped error %v", err)
		}
		if err == nil && (n != max(size, 0) || c.chain != nil) {
			t.Errorf("passed after %d of %d bytes, signed %v", n, size, c.chain != nil)
		}
	})
}
