package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	//lint:ignore SA1019 users still sign with it
	v1creds "github.com/aws/aws-sdk-go/aws/credentials"
	//lint:ignore SA1019 users still sign with it
	v1 "github.com/aws/aws-sdk-go/aws/signer/v4"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	testKey    = "AKFOVEA"
	testSecret = "a secret"
	testStamp  = "20261122T120000Z"
)

var testTime = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return Code("not a sigv4.Error: " + err.Error())
	}
	return ""
}

func scope(service string) Scope { return Scope{KeyID: testKey, Region: "eu-west-1", Service: service} }

// received returns r as the server would see it.
func received(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	var buf bytes.Buffer
	if err := r.Write(&buf); err != nil {
		t.Fatal(err)
	}
	got, err := http.ReadRequest(bufio.NewReader(&buf))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func newRequest(method, url, body string, header ...string) *http.Request {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// TestSDKSigners verifies what the SDKs' own signers make of awkward requests.
func TestSDKSigners(t *testing.T) {
	sign1 := func(r *http.Request, service, body string, presign bool) error {
		s := v1.NewSigner(v1creds.NewStaticCredentials(testKey, testSecret, "token"))
		s.DisableURIPathEscaping = service == "s3"
		var err error
		if presign {
			_, err = s.Presign(r, strings.NewReader(body), service, "eu-west-1", time.Hour, testTime)
		} else {
			_, err = s.Sign(r, strings.NewReader(body), service, "eu-west-1", testTime)
		}
		return err
	}
	sign2 := func(r *http.Request, service, body string, presign bool) error {
		s := v2.NewSigner(func(o *v2.SignerOptions) { o.DisableURIPathEscaping = service == "s3" })
		creds := aws.Credentials{AccessKeyID: testKey, SecretAccessKey: testSecret, SessionToken: "token"}
		hash := hexHash([]byte(body))
		if presign {
			q := r.URL.Query()
			q.Set("X-Amz-Expires", "3600")
			r.URL.RawQuery = q.Encode()
			if service == "s3" {
				hash = unsignedPayload
			}
			u, _, err := s.PresignHTTP(context.Background(), creds, r, hash, service, "eu-west-1", testTime)
			if err != nil {
				return err
			}
			r.URL, err = url.Parse(u)
			return err
		}
		if service == "s3" {
			r.Header.Set("X-Amz-Content-Sha256", hash)
		}
		return s.SignHTTP(context.Background(), creds, r, hash, service, "eu-west-1", testTime)
	}
	own := func(r *http.Request, service, body string, presign bool) error {
		if presign {
			Presign(r, scope(service), testSecret, testTime, time.Hour)
		} else {
			Sign(r, scope(service), testSecret, hexHash([]byte(body)), testTime)
		}
		return nil
	}
	for name, sign := range map[string]func(*http.Request, string, string, bool) error{"v1": sign1, "v2": sign2, "own": own} {
		for _, tt := range []struct{ name, service, method, url, body string }{
			{"json", "rekognition", "POST", "http://127.0.0.1:7373/", `{"ProjectName":"a"}`},
			{"no body", "rekognition", "POST", "http://127.0.0.1:7373/", ""},
			{"path", "lookoutvision", "GET", "http://h/2020-11-20/projects/a%20b%2Bc/datasets/train?maxResults=5&nextToken=a%2Fb%3D%3D", ""},
			{"colon", "lookoutvision", "POST", "http://h/2020-11-20/tags/arn%3Aaws%3Alookoutvision%3Aeu-west-1%3A123%3Amodel%2Fa%2F1", "{}"},
			{"s3 key", "s3", "PUT", "http://h/bucket/a%20b/%C3%A9%2B%24%25.txt", "data"},
			{"s3 double slash", "s3", "GET", "http://h/bucket//a/../b/", ""},
			{"s3 query", "s3", "GET", "http://h/bucket?list-type=2&prefix=a%20b%2F&delimiter=%2F&k=a%2Fb&k=a-b", ""},
			{"s3 subresource", "s3", "GET", "http://h/bucket?uploads", ""},
		} {
			for _, presign := range []bool{false, true} {
				if presign && tt.service != "s3" && name == "v1" && tt.body != "" {
					continue // it signs the body's hash, and curl would not send the body
				}
				if name != "own" && strings.Contains(tt.url, "k=a%2Fb") && name == "v1" {
					continue // sorts before it encodes
				}
				t.Run(name+"/"+tt.name+map[bool]string{true: "/presigned"}[presign], func(t *testing.T) {
					r := newRequest(tt.method, tt.url, tt.body, "X-Amz-Meta-Note", "  two   blanks ", "Content-Type", "text/plain")
					if err := sign(r, tt.service, tt.body, presign); err != nil {
						t.Fatal(err)
					}
					r.Header.Set("User-Agent", "test")
					got := received(t, r)
					if s, err := Peek(got); err != nil || s.Service != tt.service || s.KeyID != testKey {
						t.Errorf("Peek = %v, %v", s, err)
					}
					s, body, err := verifierAt(testStamp, testSecret).Verify(got, Options{Service: tt.service, Region: "eu-west-1"})
					if err != nil {
						t.Fatalf("%v\n%s %s %v", err, got.Method, got.RequestURI, got.Header)
					}
					if data, err := io.ReadAll(body); err != nil || string(data) != tt.body {
						t.Errorf("body = %q, %v", data, err)
					}
					if want := (Scope{testKey, "20261122", "eu-west-1", tt.service}); s != want {
						t.Errorf("scope = %v, want %v", s, want)
					}
				})
			}
		}
	}
}

// TestRefuses changes one thing of a request that is right and expects that
// it is refused for the right reason (T09).
func TestRefuses(t *testing.T) {
	signed := func(service string) *http.Request {
		r := newRequest("POST", "http://h/p?a=1", "body", "X-Amz-Target", "S.Op", "Content-Type", "application/json")
		Sign(r, scope(service), testSecret, hexHash([]byte("body")), testTime)
		return r
	}
	presigned := func(service string) *http.Request {
		r := newRequest("GET", "http://h/p?a=1", "")
		Presign(r, scope(service), testSecret, testTime, time.Minute)
		return r
	}
	resign := func(r *http.Request, edit func(a string) string) {
		r.Header.Set("Authorization", edit(r.Header.Get("Authorization")))
	}
	swap := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			resign(r, func(a string) string { return strings.Replace(a, from, to, 1) })
		}
	}
	query := func(from, to string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, from, to, 1) }
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Add(name, value) }
	}
	body := func(text string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		}
	}
	for _, tt := range []struct {
		name  string
		r     *http.Request
		edit  func(*http.Request)
		after time.Duration // how much later it arrives
		code  Code
	}{
		{"as it is", signed("rekognition"), nil, 0, ""},
		{"at the edge of skew", signed("rekognition"), nil, 15 * time.Minute, ""},
		{"late", signed("rekognition"), nil, 15*time.Minute + time.Second, Skewed},
		{"early", signed("rekognition"), nil, -15*time.Minute - time.Second, Skewed},
		{"unsigned", signed("rekognition"), func(r *http.Request) { r.Header.Del("Authorization") }, 0, MissingAuthentication},
		{"SigV2 header", signed("s3"), func(r *http.Request) { r.Header.Set("Authorization", "AWS AK:sig=") }, 0, Unsupported},
		{"bearer", signed("s3"), func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 0, Unsupported},
		{"v4a", signed("s3"), swap(algorithm, "AWS4-ECDSA-P256-SHA256"), 0, Unsupported},
		{"no signature", signed("s3"), swap("Signature=", "Sig="), 0, IncompleteSignature},
		{"short signature", signed("s3"), func(r *http.Request) { resign(r, func(a string) string { return a[:len(a)-1] }) }, 0, IncompleteSignature},
		{"two credentials", signed("s3"), swap("Credential=", "Credential=x, Credential="), 0, IncompleteSignature},
		{"two headers", signed("s3"), header("Authorization", "x"), 0, IncompleteSignature},
		{"header and query", signed("s3"), func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Signature=" + emptyHash }, 0, IncompleteSignature},
		{"header and query credential", signed("s3"), func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Credential=x" }, 0, IncompleteSignature},
		{"other service", signed("sts"), nil, 0, BadScope},
		{"other service claimed", signed("rekognition"), swap("/rekognition/", "/s3/"), 0, BadScope},
		{"other region claimed", signed("rekognition"), swap("/eu-west-1/", "/us-east-1/"), 0, BadScope},
		{"other day claimed", signed("rekognition"), swap("/20261122/", "/20261121/"), 0, BadScope},
		{"no terminator", signed("rekognition"), swap("/aws4_request", "/aws5_request"), 0, IncompleteSignature},
		{"unknown key", signed("rekognition"), swap("AKFOVEA", "ZKFOVEA"), 0, UnknownKey},
		{"other key", signed("rekognition"), swap("AKFOVEA", "AKOTHER"), 0, InvalidSignature},
		{"host unsigned", signed("rekognition"), swap(";host;", ";"), 0, UnsignedHeader},
		{"date unsigned", signed("rekognition"), swap(";x-amz-date;", ";"), 0, UnsignedHeader},
		{"target unsigned", signed("rekognition"), swap(";x-amz-target", ""), 0, UnsignedHeader},
		{"headers in another order", signed("rekognition"), swap("content-type;host", "host;content-type"), 0, IncompleteSignature},
		{"header twice in the list", signed("rekognition"), swap("content-type;host", "content-type;host;host"), 0, IncompleteSignature},
		{"header in capitals", signed("rekognition"), swap("content-type;host", "Content-Type;host"), 0, IncompleteSignature},
		{"target added", newSigned("rekognition"), header("X-Amz-Target", "S.Op"), 0, UnsignedHeader},
		{"target twice", signed("rekognition"), header("X-Amz-Target", "S.Other"), 0, IncompleteSignature},
		{"token added", signed("rekognition"), header("X-Amz-Security-Token", "t"), 0, UnsignedHeader},
		{"date twice", signed("rekognition"), header("X-Amz-Date", testStamp), 0, IncompleteSignature},
		{"date malformed", signed("rekognition"), func(r *http.Request) { r.Header.Set("X-Amz-Date", "2026-11-22") }, 0, IncompleteSignature},
		{"copy source added", signed("s3"), header("X-Amz-Copy-Source", "b/k"), 0, UnsignedHeader},
		{"trace added", signed("s3"), header("X-Amzn-Trace-Id", "1"), 0, ""},
		{"signed header changed", signed("rekognition"), func(r *http.Request) { r.Header.Set("X-Amz-Target", "S.Other") }, 0, InvalidSignature},
		{"signed header doubled", signed("rekognition"), header("Content-Type", "text/html"), 0, InvalidSignature},
		{"host changed", signed("rekognition"), func(r *http.Request) { r.Host = "evil" }, 0, InvalidSignature},
		{"method changed", signed("rekognition"), func(r *http.Request) { r.Method = "PUT" }, 0, InvalidSignature},
		{"path changed", signed("rekognition"), func(r *http.Request) { r.URL.Path = "/q" }, 0, InvalidSignature},
		{"query changed", signed("rekognition"), query("a=1", "a=2"), 0, InvalidSignature},
		{"query added", signed("rekognition"), query("a=1", "a=1&b"), 0, InvalidSignature},
		{"query malformed", signed("rekognition"), query("a=1", "a=%zz"), 0, IncompleteSignature},
		{"body changed", signed("rekognition"), body("Body"), 0, InvalidSignature},
		{"body changed under a declared hash", newSigned("rekognition", "X-Amz-Content-Sha256", hexHash([]byte("body"))), body("Body"), 0, BodyMismatch},
		{"body changed on s3", signed("s3"), body("Body"), 0, BodyMismatch},
		{"body cut on s3", signed("s3"), body("bod"), 0, BodyMismatch},
		{"body too large", signed("rekognition"), body(strings.Repeat("x", 1025)), 0, BodyTooLarge},
		{"unsigned payload", newSigned("rekognition", "X-Amz-Content-Sha256", unsignedPayload), nil, 0, BadPayload},
		{"streaming payload", newSigned("rekognition", "X-Amz-Content-Sha256", streamUnsigned), nil, 0, BadPayload},
		{"signed streaming payload", newSigned("rekognition", "X-Amz-Content-Sha256", streamSigned), nil, 0, BadPayload},
		{"hash missing on s3", signed("s3"), func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, 0, BadPayload},
		{"hash malformed on s3", signed("s3"), func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "E3B0") }, 0, BadPayload},
		{"presigned", presigned("s3"), nil, 59 * time.Second, ""},
		{"presigned json", presigned("rekognition"), nil, 0, ""},
		{"presigned, expired", presigned("s3"), nil, 61 * time.Second, Expired},
		{"presigned, from the future", presigned("s3"), nil, -16 * time.Minute, Skewed},
		{"presigned, longer", presigned("s3"), query("Expires=60", "Expires=61"), 0, InvalidSignature},
		{"presigned, eight days", presigned("s3"), query("Expires=60", "Expires=691200"), 0, IncompleteSignature},
		{"presigned, no time", presigned("s3"), query("Expires=60", "Expires=0"), 0, IncompleteSignature},
		{"presigned, negative time", presigned("s3"), query("Expires=60", "Expires=-1"), 0, IncompleteSignature},
		{"presigned, tampered", presigned("s3"), query("a=1", "a=2"), 0, InvalidSignature},
		{"presigned, two signatures", presigned("s3"), query("a=1", "a=1&X-Amz-Signature="+emptyHash), 0, IncompleteSignature},
		{"presigned, part missing", presigned("s3"), query("X-Amz-Expires=60&", ""), 0, IncompleteSignature},
		{"presigned, host unsigned", presigned("s3"), query("SignedHeaders=host", "SignedHeaders=date"), 0, UnsignedHeader},
		{"presigned, header added", presigned("s3"), header("X-Amz-Acl", "public-read"), 0, UnsignedHeader},
		{"presigned, target added", presigned("rekognition"), header("X-Amz-Target", "S.Op"), 0, UnsignedHeader},
		{"presigned, streaming", presigned("s3"), func(r *http.Request) { r.URL.RawQuery += "&X-Amz-Content-Sha256=" + streamUnsigned }, 0, InvalidSignature},
		{"presigned SigV2", newRequest("GET", "http://h/p?AWSAccessKeyId=AK&Signature=x&Expires=1", ""), nil, 0, Unsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.edit != nil {
				tt.edit(tt.r)
			}
			v := verifierAt(testStamp, testSecret)
			v.Now = func() time.Time { return testTime.Add(tt.after) }
			service := "rekognition"
			if s, err := Peek(tt.r); err == nil && s.Service == "s3" && tt.name != "other service claimed" || tt.code == Unsupported {
				service = "s3"
			}
			_, got, err := v.Verify(tt.r, Options{Service: service, Region: "eu-west-1", MaxBody: 1024})
			if err == nil {
				_, err = io.Copy(io.Discard, got)
			}
			if code := codeOf(err); code != tt.code {
				t.Fatalf("err = %v, want code %q", err, tt.code)
			}
			if err != nil && strings.Contains(err.Error(), testSecret) {
				t.Errorf("the message holds the secret: %v", err)
			}
		})
	}
}

func newSigned(service string, header ...string) *http.Request {
	r := newRequest("POST", "http://h/p?a=1", "body", header...)
	payload := hexHash([]byte("body"))
	if p := r.Header.Get("X-Amz-Content-Sha256"); p != "" {
		payload = p
	}
	Sign(r, scope(service), testSecret, payload, testTime)
	return r
}

func TestEmptySecretIsNobody(t *testing.T) {
	v := verifierAt(testStamp, "")
	r := newRequest("POST", "http://h/", "")
	Sign(r, scope("rekognition"), "", emptyHash, testTime)
	if _, _, err := v.Verify(r, Options{Service: "rekognition"}); codeOf(err) != UnknownKey {
		t.Errorf("err = %v, want UnknownKey", err)
	}
}

// TestChangedSecret shows that the cached key of an old secret is not used for
// the new one (T10).
func TestChangedSecret(t *testing.T) {
	secret := testSecret
	v := verifierAt(testStamp, "")
	v.Secret = func(context.Context, string) (string, error) { return secret, nil }
	if _, _, err := v.Verify(newSigned("rekognition"), Options{Service: "rekognition"}); err != nil {
		t.Fatal(err)
	}
	secret = "another"
	if _, _, err := v.Verify(newSigned("rekognition"), Options{Service: "rekognition"}); codeOf(err) != InvalidSignature {
		t.Errorf("err = %v, want InvalidSignature", err)
	}
	failure := errors.New("database is down")
	v.Secret = func(context.Context, string) (string, error) { return "", failure }
	if _, _, err := v.Verify(newSigned("rekognition"), Options{Service: "rekognition"}); !errors.Is(err, failure) {
		t.Errorf("err = %v, want %v", err, failure)
	}
}

func TestKeyCacheIsBounded(t *testing.T) {
	var c keyCache
	for i := range 3 * maxKeys {
		c.get("s", Scope{KeyID: strings.Repeat("x", i)})
	}
	if len(c.keys) > maxKeys {
		t.Errorf("%d keys cached, want at most %d", len(c.keys), maxKeys)
	}
}

func BenchmarkVerify(b *testing.B) {
	v := verifierAt(testStamp, testSecret)
	r := newSigned("rekognition", "X-Amz-Target", "RekognitionService.DescribeDataset", "Content-Type", "application/x-amz-json-1.1")
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader("body"))
		if _, _, err := v.Verify(r, Options{Service: "rekognition"}); err != nil {
			b.Fatal(err)
		}
	}
}
