package s3api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"fovea/internal/sigv4"
)

// tamper changes requests on their way to the server.
type tamper func(*http.Request)

func (f tamper) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return http.DefaultTransport.RoundTrip(r)
}

// flip changes one byte of the body.
func flip(at int) tamper {
	return func(r *http.Request) {
		if r.Body == nil {
			return
		}
		data, _ := io.ReadAll(r.Body)
		if at < len(data) {
			data[at] ^= 1
		}
		r.Body = io.NopCloser(bytes.NewReader(data))
	}
}

// TestTamperedUploads: a byte that changes on the wire is noticed in every
// form of upload, and nothing is stored.
func TestTamperedUploads(t *testing.T) {
	e := start(t)
	body := string(noise(100_000))
	whenRequired := func(o *s3.Options) { o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired }
	for _, tt := range []struct {
		name string
		edit tamper
		want string
	}{
		{"body", flip(50_000), "XAmzContentSHA256Mismatch"},
		{"first byte", flip(0), "XAmzContentSHA256Mismatch"},
		{"last byte", flip(99_999), "XAmzContentSHA256Mismatch"},
		{"metadata", func(r *http.Request) { r.Header.Set("X-Amz-Meta-A", "2") }, "SignatureDoesNotMatch"},
		{"metadata added", func(r *http.Request) { r.Header.Set("X-Amz-Meta-B", "2") }, "AccessDenied"},
		{"key", func(r *http.Request) { r.URL.Path = "/bkt/other" }, "SignatureDoesNotMatch"},
		{"host", func(r *http.Request) { r.Host = "other" }, "SignatureDoesNotMatch"},
	} {
		_, err := e.client(tt.edit, whenRequired).PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"),
			Body: strings.NewReader(body), Metadata: map[string]string{"a": "1"}})
		if codeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	list := check[*s3.ListObjectsV2Output](t)(e.ListObjectsV2(e.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("bkt")}))
	if len(list.Contents) != 0 {
		t.Errorf("stored: %+v", list.Contents)
	}
	if n := files(t, e.store); n != 0 {
		t.Errorf("%d blobs left", n)
	}
}

// signed sends a request that this package's own signer has signed.
func (e *env) signed(method, path, payload, body string, header ...string) *http.Response {
	e.t.Helper()
	r := check[*http.Request](e.t)(http.NewRequest(method, e.url+path, strings.NewReader(body)))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	sigv4.Sign(r, sigv4.Scope{KeyID: testKey, Region: "us-east-1", Service: "s3"}, testSecret, payload, time.Now())
	resp := check[*http.Response](e.t)(http.DefaultClient.Do(r))
	e.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func errorCode(t testing.TB, resp *http.Response) string {
	t.Helper()
	var e errorXML
	if resp.StatusCode < 300 {
		return ""
	}
	if err := xml.NewDecoder(resp.Body).Decode(&e); err != nil {
		return fmt.Sprintf("%d %v", resp.StatusCode, err)
	}
	if e.RequestID == "" || e.RequestID != resp.Header.Get("X-Amz-Request-Id") {
		t.Errorf("request ID %q, header %q", e.RequestID, resp.Header.Get("X-Amz-Request-Id"))
	}
	return e.Code
}

// TestUnsignedTrailerForm sends the form that SDKs use over TLS, where only a
// checksum behind the body protects it.
func TestUnsignedTrailerForm(t *testing.T) {
	e := start(t)
	const form = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	good := "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
	for _, tt := range []struct{ name, body, size, want string }{
		{"right", good, "11", ""},
		{"changed", strings.Replace(good, "hello", "Hello", 1), "11", "BadDigest"},
		{"trailer missing", strings.Replace(good, "x-amz-checksum-crc32:DUoRhQ==\r\n", "", 1), "11", "MalformedTrailerError"},
		{"other trailer", strings.Replace(good, "crc32:", "sha1:", 1), "11", "MalformedTrailerError"},
		{"shorter than told", good, "12", "IncompleteBody"},
		{"longer than told", good, "10", "InvalidRequest"},
		{"not chunked", "hello world", "11", "IncompleteBody"},
		{"cut", good[:20], "11", "IncompleteBody"},
		{"no size", good, "", "MissingContentLength"},
	} {
		header := []string{"X-Amz-Trailer", "x-amz-checksum-crc32", "Content-Encoding", "gzip,aws-chunked"}
		if tt.size != "" {
			header = append(header, "X-Amz-Decoded-Content-Length", tt.size)
		}
		resp := e.signed("PUT", "/bkt/k", form, tt.body, header...)
		if got := errorCode(t, resp); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	h := check[*s3.HeadObjectOutput](t)(e.HeadObject(e.ctx, &s3.HeadObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), ChecksumMode: "ENABLED"}))
	if *h.ContentEncoding != "gzip" || *h.ContentLength != 11 || *h.ChecksumCRC32 != "DUoRhQ==" {
		t.Errorf("head = %+v", h)
	}
}

// TestRefusals: what is not signed, or not for this service, or not known.
func TestRefusals(t *testing.T) {
	e := start(t)
	e.put("k", "x")
	anonymous := check[*http.Response](t)(http.Get(e.url + "/bkt/k"))
	defer anonymous.Body.Close()
	if got := errorCode(t, anonymous); got != "AccessDenied" || anonymous.StatusCode != 403 {
		t.Errorf("anonymous: %d %s", anonymous.StatusCode, got)
	}
	head := check[*http.Response](t)(http.Head(e.url + "/bkt/k"))
	if data, _ := io.ReadAll(head.Body); head.StatusCode != 403 || len(data) > 0 || head.Header.Get("X-Amz-Request-Id") == "" {
		t.Errorf("anonymous HEAD: %d, body %q", head.StatusCode, data)
	}
	old := check[*http.Response](t)(http.Get(e.url + "/bkt/k?AWSAccessKeyId=AK&Signature=x&Expires=9999999999"))
	defer old.Body.Close()
	data, _ := io.ReadAll(old.Body)
	if !strings.Contains(string(data), "Please use AWS4-HMAC-SHA256") {
		t.Errorf("SigV2: %s", data)
	}
	for _, tt := range []struct {
		method, path, body string
		header             []string
		want               string
	}{
		{"POST", "/bkt", "", nil, "NotImplemented"},
		{"PATCH", "/bkt/k", "", nil, "MethodNotAllowed"},
		{"GET", "/bkt/k?torrent", "", nil, "NotImplemented"},
		{"PUT", "/bkt?lifecycle", "<x/>", nil, "NotImplemented"},
		{"PUT", "/bkt?versioning", "<x", nil, "MalformedXML"},
		{"PUT", "/bkt?versioning", "<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>", nil, "IllegalVersioningConfigurationException"},
		{"POST", "/bkt?delete", "<Delete></Delete>", nil, "MalformedXML"},
		{"POST", "/bkt?delete", strings.Repeat(" ", maxXML+1), nil, "MaxMessageLengthExceeded"},
		{"POST", "/bkt/k?uploadId=x", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>", nil, "NoSuchUpload"},
		{"PUT", "/bkt/k?uploadId=x&partNumber=0", "", nil, "InvalidArgument"},
		{"PUT", "/bkt/k?uploadId=x&partNumber=10001", "", nil, "InvalidArgument"},
		{"GET", "/bkt?max-keys=-1", "", nil, "InvalidArgument"},
		{"GET", "/bkt?list-type=2&continuation-token=!", "", nil, "InvalidArgument"},
		{"GET", "/bkt?encoding-type=x", "", nil, "InvalidArgument"},
		{"GET", "/bkt?versions&version-id-marker=x", "", nil, "InvalidArgument"},
		{"GET", "/nobucket", "", nil, "NoSuchBucket"},
		{"PUT", "/nobucket/k", "x", nil, "NoSuchBucket"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Acl", "nonsense"}, "InvalidArgument"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Storage-Class", "nonsense"}, "InvalidStorageClass"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Server-Side-Encryption", "aws:kms"}, "NotImplemented"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256"}, "NotImplemented"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Checksum-Crc32", "x"}, "InvalidRequest"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Checksum-Crc32", "AAAAAA==", "X-Amz-Checksum-Crc32c", "AAAAAA=="}, "InvalidRequest"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Sdk-Checksum-Algorithm", "XXHASH3"}, "InvalidRequest"},
		{"PUT", "/bkt/k", "x", []string{"X-Amz-Tagging", "a=1&a=2"}, "InvalidTag"},
		{"PUT", "/bkt/k", "", []string{"X-Amz-Copy-Source", "nokey"}, "InvalidArgument"},
		{"PUT", "/bkt/k", "", []string{"X-Amz-Copy-Source", "/bkt/missing"}, "NoSuchKey"},
		{"PUT", "/bkt/%ff", "x", nil, "InvalidURI"},
	} {
		resp := e.signed(tt.method, tt.path, hashOf(tt.body), tt.body, tt.header...)
		if got := errorCode(t, resp); got != tt.want {
			t.Errorf("%s %s %v: %d %s, want %s", tt.method, tt.path, tt.header, resp.StatusCode, got, tt.want)
		}
	}
}

func hashOf(body string) string {
	a, _ := algorithmNamed("SHA256")
	h := a.new()
	io.WriteString(h, body)
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestVirtualHost(t *testing.T) {
	e := start(t)
	e.server.Domains = []string{"localhost"}
	e.put("dir/k", "content")
	r := check[*http.Request](t)(http.NewRequest("GET", e.url+"/dir/k", nil))
	r.Host = "bkt.localhost:7373"
	sigv4.Sign(r, sigv4.Scope{KeyID: testKey, Region: "us-east-1", Service: "s3"}, testSecret, hashOf(""), time.Now())
	resp := check[*http.Response](t)(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	if data, _ := io.ReadAll(resp.Body); string(data) != "content" {
		t.Errorf("%d %s", resp.StatusCode, data)
	}
}

func TestCORS(t *testing.T) {
	e := start(t)
	e.put("k", "x")
	ask := func(origin, method, headers string) *http.Response {
		r := check[*http.Request](t)(http.NewRequest("OPTIONS", e.url+"/bkt/k", nil))
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", method)
		r.Header.Set("Access-Control-Request-Headers", headers)
		resp := check[*http.Response](t)(http.DefaultClient.Do(r))
		resp.Body.Close()
		return resp
	}
	if resp := ask("http://a.example", "GET", ""); resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("no rules: %d %v", resp.StatusCode, resp.Header)
	}
	e.server.AllowOrigins = []string{"http://console.example"}
	if resp := ask("http://console.example", "PUT", "authorization,x-amz-date"); resp.StatusCode != 200 ||
		resp.Header.Get("Access-Control-Allow-Origin") != "http://console.example" || resp.Header.Get("Access-Control-Allow-Headers") != "authorization, x-amz-date" {
		t.Errorf("the console's origin: %d %v", resp.StatusCode, resp.Header)
	}
	if resp := ask("null", "PUT", ""); resp.StatusCode != 403 {
		t.Errorf("origin null: %d", resp.StatusCode)
	}
	check[*s3.PutBucketCorsOutput](t)(e.PutBucketCors(e.ctx, &s3.PutBucketCorsInput{Bucket: aws.String("bkt"), CORSConfiguration: &types.CORSConfiguration{
		CORSRules: []types.CORSRule{{AllowedOrigins: []string{"http://*.example"}, AllowedMethods: []string{"GET"}, AllowedHeaders: []string{"x-amz-*"},
			ExposeHeaders: []string{"ETag"}, MaxAgeSeconds: aws.Int32(60)}}}}))
	for _, tt := range []struct {
		origin, method, headers string
		want                    int
	}{
		{"http://a.example", "GET", "X-Amz-Date", 200}, {"http://a.example", "PUT", "", 403}, {"http://a.example", "GET", "authorization", 403},
		{"https://a.example", "GET", "", 403}, {"http://console.example", "PUT", "", 403}, {"http://.example", "GET", "", 200},
	} {
		if resp := ask(tt.origin, tt.method, tt.headers); resp.StatusCode != tt.want {
			t.Errorf("%v: %d", tt, resp.StatusCode)
		}
	}
	resp := e.signed("GET", "/bkt/k", hashOf(""), "", "Origin", "http://a.example")
	if h := resp.Header; resp.StatusCode != 200 || h.Get("Access-Control-Allow-Origin") != "http://a.example" || h.Get("Access-Control-Expose-Headers") != "ETag" || !strings.Contains(h.Get("Vary"), "Origin") {
		t.Errorf("GET: %d %v", resp.StatusCode, h)
	}
	got := check[*s3.GetBucketCorsOutput](t)(e.GetBucketCors(e.ctx, &s3.GetBucketCorsInput{Bucket: aws.String("bkt")}))
	if len(got.CORSRules) != 1 || *got.CORSRules[0].MaxAgeSeconds != 60 {
		t.Errorf("rules = %+v", got.CORSRules)
	}
	check[*s3.DeleteBucketCorsOutput](t)(e.DeleteBucketCors(e.ctx, &s3.DeleteBucketCorsInput{Bucket: aws.String("bkt")}))
}

// TestPresignedUpload: what a presigned URL says of an object in its query
// counts as if it were in headers.
func TestPresignedUpload(t *testing.T) {
	e := start(t)
	p := s3.NewPresignClient(e.Client)
	up := check[*s3.CreateMultipartUploadOutput](t)(e.CreateMultipartUpload(e.ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("bkt"), Key: aws.String("k")}))
	part := check[*v4.PresignedHTTPRequest](t)(p.PresignUploadPart(e.ctx, &s3.UploadPartInput{Bucket: aws.String("bkt"), Key: aws.String("k"), UploadId: up.UploadId, PartNumber: aws.Int32(1)}))
	r := check[*http.Request](t)(http.NewRequest("PUT", part.URL, strings.NewReader("part")))
	resp := check[*http.Response](t)(http.DefaultClient.Do(r))
	resp.Body.Close()
	done := check[*s3.CompleteMultipartUploadOutput](t)(e.CompleteMultipartUpload(e.ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("bkt"), Key: aws.String("k"),
		UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: aws.String(resp.Header.Get("ETag"))}}}}))
	if !strings.HasSuffix(*done.ETag, `-1"`) || e.get("k") != "part" {
		t.Errorf("ETag %s, content %q", *done.ETag, e.get("k"))
	}
	if !strings.HasPrefix(*done.Location, e.url+"/bkt/k") {
		t.Errorf("location %s", *done.Location)
	}
}

func TestAttributes(t *testing.T) {
	e := start(t)
	check[*s3.PutObjectOutput](t)(e.PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("hello"),
		ChecksumAlgorithm: "CRC32"}))
	out := check[*s3.GetObjectAttributesOutput](t)(e.GetObjectAttributes(e.ctx, &s3.GetObjectAttributesInput{Bucket: aws.String("bkt"), Key: aws.String("k"),
		ObjectAttributes: []types.ObjectAttributes{"ETag", "ObjectSize", "StorageClass", "Checksum"}}))
	if diff := cmp.Diff([]any{"5d41402abc4b2a76b9719d911017c592", int64(5), types.StorageClass("STANDARD"), true},
		[]any{*out.ETag, *out.ObjectSize, out.StorageClass, out.Checksum != nil && out.Checksum.ChecksumCRC32 != nil}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDamagedStore: a blob that is gone or cut is an error, and never a short
// object that looks whole.
func TestDamagedStore(t *testing.T) {
	e := start(t)
	e.put("k", string(noise(100_000)))
	o, err := getObject(e.store.read(e.ctx), "bkt", "k", "")
	if err != nil {
		t.Fatal(err)
	}
	name := blobName(o.body[0].blob)
	f, err := e.store.blobs.root.OpenFile(name, 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Truncate(50_000)
	f.Close()
	out := check[*s3.GetObjectOutput](t)(e.GetObject(e.ctx, &s3.GetObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k")}))
	if _, err := io.ReadAll(out.Body); err == nil {
		t.Error("a cut object was read without an error")
	}
	e.store.blobs.root.Remove(name)
	if got := e.get("k"); got != "InternalError" {
		t.Errorf("a missing blob: %.60q", got)
	}
}

// FuzzS3Request sends any head and body to a server that verifies nothing. It
// must answer, in XML if it is an error, and must not panic or fail.
func FuzzS3Request(f *testing.F) {
	for _, seed := range []struct{ method, target, name, value, body string }{
		{"GET", "/", "", "", ""}, {"PUT", "/bkt", "", "", "<CreateBucketConfiguration/>"}, {"PUT", "/bkt/k", "X-Amz-Tagging", "a=b", "body"},
		{"PUT", "/bkt/k2", "X-Amz-Copy-Source", "bkt/k?versionId=null", ""}, {"GET", "/bkt/k?partNumber=1", "Range", "bytes=0-1", ""},
		{"GET", "/bkt?versions&key-marker=a&version-id-marker=b", "", "", ""}, {"GET", "/bkt?list-type=2&delimiter=/&prefix=a&max-keys=2", "", "", ""},
		{"POST", "/bkt?delete", "", "", "<Delete><Object><Key>k</Key><VersionId>null</VersionId></Object></Delete>"}, {"POST", "/bkt/k?uploads", "", "", ""},
		{"POST", "/bkt/k?uploadId=x", "", "", "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"},
		{"PUT", "/bkt?cors", "", "", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"},
		{"PUT", "/bkt?tagging", "", "", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"}, {"OPTIONS", "/bkt/k", "Origin", "http://x", ""},
		{"HEAD", "/bkt/%2e%2e/%00", "If-Modified-Since", "x", ""}, {"GET", "//", "", "", ""}, {"DELETE", "/bkt/k?versionId=null", "", "", ""},
	} {
		f.Add(seed.method, seed.target, seed.name, seed.value, seed.body)
	}
	store := openStore(f, f.TempDir(), Options{SweepEvery: time.Hour})
	if err := store.CreateBucket(context.Background(), "bkt", ""); err != nil {
		f.Fatal(err)
	}
	s := &Server{Store: store, NoAuth: true, AllowOrigins: []string{"*"}}
	f.Fuzz(func(t *testing.T, method, target, name, value, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, RequestURI: target, Header: http.Header{}, Host: "h", ContentLength: int64(len(body)),
			Body: io.NopCloser(strings.NewReader(body))}
		if name != "" {
			r.Header.Set(name, value)
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, r)
		if rec.Code == http.StatusInternalServerError {
			t.Fatalf("%s %s %s=%q: %s", method, target, name, value, rec.Body)
		}
		if rec.Code >= 400 && method != "HEAD" {
			if err := xml.Unmarshal(rec.Body.Bytes(), &errorXML{}); err != nil {
				t.Errorf("status %d with %q: %v", rec.Code, rec.Body, err)
			}
		}
	})
}

// TestContinueBeforeNothing: a client that asks to be told before it sends a
// body is told, also if the body has no bytes.
func TestContinueBeforeNothing(t *testing.T) {
	e := start(t)
	r := check[*http.Request](t)(http.NewRequest("PUT", e.url+"/bkt/empty", http.NoBody))
	sigv4.Sign(r, sigv4.Scope{KeyID: testKey, Region: "us-east-1", Service: "s3"}, testSecret, hashOf(""), time.Now())
	r.Header.Set("Expect", "100-continue")
	conn := check[net.Conn](t)(net.Dial("tcp", r.Host))
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for _, want := range []string{"HTTP/1.1 100 Continue\r\n", "\r\n", "HTTP/1.1 200 OK\r\n"} {
		if line, err := in.ReadString('\n'); line != want {
			t.Fatalf("got %q, %v; want %q", line, err, want)
		}
	}
}
