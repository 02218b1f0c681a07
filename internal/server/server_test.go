package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/lookout"
	"fovea/internal/project"
	"fovea/internal/rekognition"
	"fovea/internal/server"
	"fovea/internal/sigv4"
	"fovea/internal/sqlstore"
)

const (
	keyID  = "FVKAEXAMPLE"
	secret = "a secret that no log may hold"
)

// A site is a server with both APIs over a real store, and what it logged.
type site struct {
	*server.Server
	url string

	mu  sync.Mutex
	log bytes.Buffer
}

func (s *site) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

func (s *site) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func newSite(t *testing.T, change func(*server.Server)) *site {
	t.Helper()
	store, err := sqlstore.Open(context.Background(), "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := &site{}
	log := slog.New(slog.NewTextHandler(s, nil))
	profiles := map[fovea.Service]fovea.Profile{
		fovea.CustomLabels: rekognition.Profile(rekognition.Limits()), fovea.Lookout: lookout.Profile(lookout.Limits()),
	}
	pager := &fovea.Pager{Key: []byte("k"), Now: time.Now}
	projects := &project.Ops{Store: store, Profiles: profiles, Pager: pager}
	datasets := &dataset.Ops{Store: store, Profiles: profiles, Pager: pager}
	says := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, text+" "+fovea.CallerOf(r.Context()).KeyID)
		})
	}
	s.Server = &server.Server{
		Rekognition: (&rekognition.Server{Projects: projects, Datasets: datasets, Partition: "aws", Log: log}).API(),
		Lookout:     (&lookout.Server{Projects: projects, Datasets: datasets, Partition: "aws", Log: log}).API(),
		S3:          says("s3"), Own: says("own"), Console: says("console"),
		Verifier: &sigv4.Verifier{Secret: func(_ context.Context, id string) (string, error) {
			if id == "BROKEN" {
				return "", errors.New("the key store is away")
			}
			return map[string]string{keyID: secret}[id], nil
		}},
		Account: "123456789012", Region: "us-east-1",
		PublicPages: []string{"/", "/healthz", "/readyz", "/metrics"}, AllowOrigins: []string{"*"},
		Ready: func(context.Context) error { return nil }, Metrics: server.NewMetrics(), Log: log, Drain: 200 * time.Millisecond,
	}
	if change != nil {
		change(s.Server)
	}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

// A call is a request and how it is signed.
type call struct {
	method, path, body string
	header             map[string]string
	scope              sigv4.Scope // no service: unsigned
	at                 time.Time
	tamper             func(*http.Request)
}

func (s *site) do(t *testing.T, c call) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(c.method, s.url+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.scope.Service != "" {
		if c.scope.KeyID == "" {
			c.scope.KeyID = keyID
		}
		if c.scope.Region == "" {
			c.scope.Region = "us-east-1"
		}
		if c.at.IsZero() {
			c.at = time.Now()
		}
		sum := sha256.Sum256([]byte(c.body))
		sigv4.Sign(r, c.scope, secret, hex.EncodeToString(sum[:]), c.at)
	}
	if c.tamper != nil {
		c.tamper(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func createProject(name string) call {
	return call{method: "POST", path: "/", body: fmt.Sprintf(`{"ProjectName":%q}`, name),
		header: map[string]string{"X-Amz-Target": "RekognitionService.CreateProject", "Content-Type": "application/x-amz-json-1.1"},
		scope:  sigv4.Scope{Service: "rekognition"}}
}

func createLookoutProject(name string) call {
	return call{method: "POST", path: "/2020-11-20/projects", body: fmt.Sprintf(`{"ProjectName":%q}`, name),
		header: map[string]string{"Content-Type": "application/json"}, scope: sigv4.Scope{Service: "lookoutvision"}}
}

// TestRouting: a request goes to the service that it is signed for, whatever
// its path says, with who signed it.
func TestRouting(t *testing.T) {
	s := newSite(t, nil)
	for _, tt := range []struct {
		name   string
		call   call
		status int
		want   string
	}{
		{"rekognition", createProject("a"), 200, `"ProjectArn":"arn:aws:rekognition:us-east-1:123456789012:project/a/`},
		{"lookout", createLookoutProject("a"), 200, `"ProjectArn":"arn:aws:lookoutvision:us-east-1:123456789012:project/a"`},
		{"s3", call{method: "GET", path: "/bucket/key", scope: sigv4.Scope{Service: "s3"}}, 200, "s3"},
		{"s3, unsigned", call{method: "GET", path: "/bucket/key"}, 200, "s3"},
		{"s3, signature version 2", call{method: "GET", path: "/bucket/key", header: map[string]string{"Authorization": "AWS K:S"}}, 200, "s3"},
		{"own", call{method: "GET", path: "/fovea/v1/x", scope: sigv4.Scope{Service: "fovea"}}, 200, "own " + keyID},
		{"sts", call{method: "POST", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15",
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, scope: sigv4.Scope{Service: "sts"}}, 200, "<Account>123456789012</Account>"},
		{"sts, another action", call{method: "POST", path: "/", body: "Action=AssumeRole",
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, scope: sigv4.Scope{Service: "sts"}}, 400, "<Code>InvalidAction</Code>"},
		{"another service", call{method: "POST", path: "/", scope: sigv4.Scope{Service: "ec2"}}, 400, "fovea has no service ec2"},
		{"the operation of one service signed for the other", call{method: "POST", path: "/2020-11-20/projects", body: "{}",
			scope: sigv4.Scope{Service: "rekognition"}}, 400, "UnknownOperationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := s.do(t, tt.call)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s, want %d with %q", resp.StatusCode, body, tt.status, tt.want)
			}
		})
	}
}

// TestExternalS3: without an S3 of its own the server says so.
func TestExternalS3(t *testing.T) {
	s := newSite(t, func(s *server.Server) { s.S3 = nil })
	resp, body := s.do(t, call{method: "GET", path: "/bucket/key", scope: sigv4.Scope{Service: "s3"}})
	if resp.StatusCode != 400 || !strings.Contains(body, "external S3") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, body = s.do(t, call{method: "GET", path: "/bucket/key"})
	if resp.StatusCode != 403 || !strings.Contains(body, "MissingAuthenticationTokenException") {
		t.Errorf("unsigned: %d %s", resp.StatusCode, body)
	}
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// TestRefusals: a request whose signature is not in order is refused with the
// error of its service (CL 1.5, LV-1.39), in its form (CL-1.30, CL-1.32,
// LV-1.32), with a request identifier (CL-1.5).
func TestRefusals(t *testing.T) {
	s := newSite(t, nil)
	type want struct {
		status int
		name   string
	}
	for _, tt := range []struct {
		name             string
		change           func(*call)
		rekognition, own want
		message          string
	}{
		{"unsigned", func(c *call) { c.scope.Service = "" },
			want{400, "MissingAuthenticationTokenException"}, want{403, "MissingAuthenticationTokenException"}, "not signed"},
		{"tampered body", func(c *call) {
			c.tamper = func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{}")), 2 }
		}, want{400, "InvalidSignatureException"}, want{403, "InvalidSignatureException"}, ""},
		{"tampered signature", func(c *call) {
			c.tamper = func(r *http.Request) {
				a := r.Header.Get("Authorization")
				r.Header.Set("Authorization", a[:len(a)-1]+map[bool]string{true: "0", false: "1"}[a[len(a)-1] != '0'])
			}
		}, want{400, "InvalidSignatureException"}, want{403, "InvalidSignatureException"}, ""},
		{"expired", func(c *call) { c.at = time.Now().Add(-16 * time.Minute) },
			want{400, "InvalidSignatureException"}, want{403, "InvalidSignatureException"}, "Signature expired: "},
		{"unknown key", func(c *call) { c.scope.KeyID = "NOBODY" },
			want{400, "UnrecognizedClientException"}, want{403, "UnrecognizedClientException"}, `The security token included in the request is invalid. There is no access key "NOBODY".`},
		{"malformed", func(c *call) {
			c.tamper = func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Signature=", "Signature=zz", 1))
			}
		}, want{400, "IncompleteSignatureException"}, want{400, "IncompleteSignature"}, "64 lower-case hexadecimal digits"},
		{"two signatures", func(c *call) {
			c.tamper = func(r *http.Request) { r.URL.RawQuery = "X-Amz-Signature=" + strings.Repeat("0", 64) }
		}, want{400, "IncompleteSignatureException"}, want{400, "IncompleteSignature"}, "sign it once"},
		{"the key store fails", func(c *call) { c.scope.KeyID = "BROKEN" },
			want{500, "InternalFailure"}, want{500, "InternalFailure"}, "Internal server error"},
	} {
		for service, c := range map[string]call{"rekognition": createProject("x"), "lookoutvision": createLookoutProject("x")} {
			t.Run(tt.name+"/"+service, func(t *testing.T) {
				want := map[string]want{"rekognition": tt.rekognition, "lookoutvision": tt.own}[service]
				tt.change(&c)
				resp, body := s.do(t, c)
				var got map[string]string
				if err := json.Unmarshal([]byte(body), &got); err != nil {
					t.Fatalf("%q: %v", body, err)
				}
				if resp.StatusCode != want.status || got["__type"] != want.name || resp.Header.Get("X-Amzn-Errortype") != want.name {
					t.Errorf("%d %v %q, want %v", resp.StatusCode, got, resp.Header.Get("X-Amzn-Errortype"), want)
				}
				if !strings.Contains(got["Message"], tt.message) || got["Message"] == "" || tt.message != "" && strings.Count(got["Message"], tt.message) > 1 {
					t.Errorf("message = %q, want %q in it", got["Message"], tt.message)
				}
				if service == "rekognition" && (got["Code"] != want.name || !uuidForm.MatchString(got["Logref"])) {
					t.Errorf("body = %v", got)
				}
				if id := resp.Header.Get("X-Amzn-Requestid"); !uuidForm.MatchString(id) {
					t.Errorf("request id = %q", id)
				}
				if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
					t.Errorf("X-Content-Type-Options = %q", got)
				}
			})
		}
	}
	if n := strings.Count(s.logged(), "level=ERROR"); n != 4 { // the key store, twice, and the requests that it failed
		t.Errorf("%d errors in the log:\n%s", n, s.logged())
	}
}

// TestRequestIDs (CL-1.5): every answer has an identifier, and no two have the same.
func TestRequestIDs(t *testing.T) {
	s := newSite(t, nil)
	seen := map[string]bool{}
	for _, c := range []call{
		createProject("a"), createProject("a"), createLookoutProject("b"), {method: "GET", path: "/"}, {method: "GET", path: "/healthz"},
		{method: "GET", path: "/bucket"}, {method: "OPTIONS", path: "/", header: map[string]string{"Origin": "http://x", "Access-Control-Request-Method": "POST"}},
		{method: "POST", path: "/", scope: sigv4.Scope{Service: "ec2"}}, {method: "GET", path: "/fovea/v1/x", scope: sigv4.Scope{Service: "fovea"}},
	} {
		resp, _ := s.do(t, c)
		id := resp.Header.Get("X-Amzn-Requestid")
		if !uuidForm.MatchString(id) || seen[id] {
			t.Errorf("%s %s: request id %q", c.method, c.path, id)
		}
		seen[id] = true
	}
}

// TestPreflight (CL-1.14): a page may ask whether it may call the APIs; a
// preflight for a bucket is S3's.
func TestPreflight(t *testing.T) {
	preflight := func(path, origin string) call {
		return call{method: "OPTIONS", path: path, header: map[string]string{"Origin": origin, "Access-Control-Request-Method": "POST",
			"Access-Control-Request-Headers": "authorization,content-type,x-amz-target"}}
	}
	s := newSite(t, nil)
	resp, _ := s.do(t, preflight("/", "http://app.example"))
	h := resp.Header
	if resp.StatusCode != 200 || h.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST") {
		t.Errorf("%d %v", resp.StatusCode, h)
	}
	for _, name := range []string{"authorization", "content-type", "x-amz-target", "x-amz-date", "x-amz-security-token",
		"x-amz-content-sha256", "x-amz-user-agent", "amz-sdk-invocation-id", "amz-sdk-request"} {
		if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("%s is not among the allowed headers", name)
		}
	}
	for _, name := range []string{"x-amzn-requestid", "x-amzn-errortype"} {
		if !strings.Contains(h.Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("%s is not among the exposed headers", name)
		}
	}
	if _, body := s.do(t, preflight("/bucket/key", "http://app.example")); body != "s3 " {
		t.Errorf("a preflight for a bucket was answered %q", body)
	}
	// So is one for the root of a host that names a bucket.
	s = newSite(t, func(s *server.Server) {
		s.HostBucket = func(r *http.Request) string {
			b, _, _ := strings.Cut(r.Host, ".localhost")
			return strings.TrimSuffix(b, r.Host)
		}
	})
	for host, want := range map[string]string{"bucket.localhost:7373": "s3 ", "localhost:7373": ""} {
		c := preflight("/", "http://app.example")
		c.tamper = func(r *http.Request) { r.Host = host }
		if _, body := s.do(t, c); body != want {
			t.Errorf("a preflight for %s was answered %q, want %q", host, body, want)
		}
	}
	// An answer, and a refusal, can be read by the page, too.
	for _, c := range []call{createProject("a"), {method: "POST", path: "/", header: map[string]string{"X-Amz-Target": "RekognitionService.CreateProject"}}} {
		c.header["Origin"] = "http://app.example"
		if resp, _ := s.do(t, c); resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%d without Access-Control-Allow-Origin", resp.StatusCode)
		}
	}

	s = newSite(t, func(s *server.Server) { s.AllowOrigins = []string{"https://app.example"} })
	if resp, _ := s.do(t, preflight("/", "https://app.example")); resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || resp.Header.Get("Vary") != "Origin" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	for _, origin := range []string{"https://evil.example", "null", "https://app.example.evil.example"} {
		if resp, _ := s.do(t, preflight("/", origin)); resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", origin, resp.StatusCode, resp.Header)
		}
	}
}

// TestPublic: unsigned requests reach the pages that are public, and no others.
func TestPublic(t *testing.T) {
	ready := errors.New("the database does not answer")
	s := newSite(t, func(s *server.Server) { s.Ready = func(context.Context) error { return ready } })
	for path, want := range map[string]string{"/": "console ", "/healthz": "ok\n", "/readyz": "not ready: the database does not answer\n"} {
		if _, body := s.do(t, call{method: "GET", path: path}); body != want {
			t.Errorf("%s: %q, want %q", path, body, want)
		}
	}
	if resp, _ := s.do(t, call{method: "GET", path: "/readyz"}); resp.StatusCode != 503 {
		t.Errorf("/readyz: %d", resp.StatusCode)
	}
	if _, body := s.do(t, call{method: "GET", path: "/metrics"}); !strings.Contains(body, "fovea_requests_total{") {
		t.Errorf("/metrics: %s", body)
	}
	if resp, _ := s.do(t, call{method: "POST", path: "/healthz", scope: sigv4.Scope{}}); resp.StatusCode == 0 {
		t.Error("no answer")
	}
	if got := s.logged(); strings.Contains(got, "/healthz") && !strings.Contains(got, "method=POST path=/healthz") {
		t.Errorf("what machines ask all the time is logged:\n%s", got)
	}
	closed := newSite(t, func(s *server.Server) { s.PublicPages, s.S3 = []string{"/healthz"}, nil })
	for _, path := range []string{"/", "/readyz", "/metrics"} {
		if resp, body := closed.do(t, call{method: "GET", path: path}); resp.StatusCode != 403 {
			t.Errorf("%s: %d %s, want it to need a signature", path, resp.StatusCode, body)
		}
	}
}

// TestBodyTooLarge (CL-1.12, LV-1.24): a body over the bound is refused in the
// form of the service, and not kept.
func TestBodyTooLarge(t *testing.T) {
	s := newSite(t, nil)
	for name, tt := range map[string]struct {
		call call
		size int
	}{"rekognition": {createProject("a"), 10<<20 + 1}, "lookout": {createLookoutProject("a"), 16<<20 + 1}} {
		tt.call.body = strings.Repeat(" ", tt.size)
		resp, body := s.do(t, tt.call)
		if resp.StatusCode != 413 || !strings.Contains(body, "RequestEntityTooLargeException") {
			t.Errorf("%s: %d %.200s", name, resp.StatusCode, body)
		}
	}
}

// TestLog (T15): the log has a line for every request and no credential.
func TestLog(t *testing.T) {
	s := newSite(t, nil)
	r, _ := http.NewRequest("GET", s.url+"/bucket/key?a=b", nil)
	sigv4.Presign(r, sigv4.Scope{KeyID: keyID, Region: "us-east-1", Service: "s3"}, secret, time.Now(), time.Hour)
	resp, err := http.Get(r.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c := createProject("a")
	c.header["X-Amz-Security-Token"] = "a session token"
	s.do(t, c)
	c.scope.KeyID = "NOBODY"
	s.do(t, c)
	got := s.logged()
	if n := strings.Count(got, "msg=request "); n != 3 {
		t.Errorf("%d lines for 3 requests:\n%s", n, got)
	}
	for _, word := range []string{secret, "Signature", "session token", r.URL.Query().Get("X-Amz-Signature")} {
		if strings.Contains(got, word) {
			t.Errorf("the log holds %q:\n%s", word, got)
		}
	}
	for _, word := range []string{"operation=CreateProject", "status=200", "status=400", "key=" + keyID, "path=/bucket/key ", "service=s3"} {
		if !strings.Contains(got, word) {
			t.Errorf("the log lacks %q:\n%s", word, got)
		}
	}
}

// TestMetricsCardinality: no client makes up labels.
func TestMetricsCardinality(t *testing.T) {
	s := newSite(t, nil)
	series := func() int {
		_, body := s.do(t, call{method: "GET", path: "/metrics"})
		return strings.Count(body, "fovea_requests_total{")
	}
	ask := func(i int) {
		name := fmt.Sprintf("made-up-%d", i)
		s.do(t, call{method: "POST", path: "/", scope: sigv4.Scope{Service: name}})
		s.do(t, call{method: "POST", path: "/" + name, header: map[string]string{"X-Amz-Target": "RekognitionService." + name}, scope: sigv4.Scope{Service: "rekognition"}})
		s.do(t, call{method: "GET", path: "/2020-11-20/" + name, scope: sigv4.Scope{Service: "lookoutvision"}})
		s.do(t, call{method: strings.ToUpper(name), path: "/" + name, scope: sigv4.Scope{Service: "s3"}})
		s.do(t, call{method: "GET", path: "/fovea/" + name, scope: sigv4.Scope{Service: "fovea", Region: name, KeyID: name}})
		s.do(t, call{method: "GET", path: "/" + name})
	}
	ask(0)
	series()           // counts the request for itself, too,
	before := series() // which the next one shows
	for i := range 20 {
		ask(i + 1)
	}
	if after := series(); after != before {
		t.Errorf("%d series of requests became %d", before, after)
	}
}

// TestRegions (CL-1.23, LV-14.45): all regions are one, or each is its own.
func TestRegions(t *testing.T) {
	in := func(region string) call {
		c := createProject("parts")
		c.scope.Region = region
		return c
	}
	one := newSite(t, nil)
	if resp, body := one.do(t, in("eu-west-1")); resp.StatusCode != 200 || !strings.Contains(body, "arn:aws:rekognition:us-east-1:") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body := one.do(t, in("us-west-2")); resp.StatusCode != 400 || !strings.Contains(body, "ResourceInUseException") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	apart := newSite(t, func(s *server.Server) { s.ScopeRegions = true })
	for _, region := range []string{"eu-west-1", "us-west-2"} {
		if resp, body := apart.do(t, in(region)); resp.StatusCode != 200 || !strings.Contains(body, "arn:aws:rekognition:"+region+":") {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
	}
}

// TestSlowClient (T14): a client that sends the head of a request and then not
// its body does not keep a connection, signed for anything or not.
func TestSlowClient(t *testing.T) {
	s := newSite(t, nil)
	auth := "Authorization: AWS4-HMAC-SHA256 Credential=NOBODY/20200101/us-east-1/%s/aws4_request, SignedHeaders=host;x-amz-date, Signature=" +
		strings.Repeat("0", 64) + "\r\nX-Amz-Date: 20200101T000000Z\r\n"
	for name, head := range map[string]string{
		"unsigned":        "POST / HTTP/1.1\r\nX-Amz-Target: RekognitionService.CreateProject\r\n",
		"public":          "GET /healthz HTTP/1.1\r\n",
		"s3":              "PUT /bucket/key HTTP/1.1\r\n",
		"refused":         "POST / HTTP/1.1\r\n" + fmt.Sprintf(auth, "rekognition"),
		"unknown service": "POST / HTTP/1.1\r\n" + fmt.Sprintf(auth, "ec2"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(time.Minute))
			fmt.Fprintf(conn, "%sHost: x\r\nContent-Length: 100\r\n\r\n", head)
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("the connection is not closed: %v", err)
			}
		})
	}
}

// TestPanic: a handler that panics is answered for, and logged with its stack,
// which no client sees.
func TestPanic(t *testing.T) {
	s := newSite(t, func(s *server.Server) {
		s.S3 = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/late" {
				io.WriteString(w, strings.Repeat("x", 100_000))
			}
			panic("a mistake of ours")
		})
	})
	resp, body := s.do(t, call{method: "GET", path: "/early"})
	if resp.StatusCode != 500 || strings.Contains(body, "mistake") || strings.Contains(body, ".go") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, err := http.Get(s.url + "/late")
	if err == nil {
		if _, err = io.ReadAll(resp.Body); err == nil {
			t.Error("half an answer looks whole")
		}
		resp.Body.Close()
	}
	if got := s.logged(); strings.Count(got, "a mistake of ours") != 2 || !strings.Contains(got, "server_test.go") {
		t.Errorf("log:\n%s", got)
	}
}

// TestIdleConnection: the deadlines of one request do not end the next one on
// its connection.
func TestIdleConnection(t *testing.T) {
	s := newSite(t, nil)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	from := bufio.NewReader(conn)
	for _, path := range []string{"/healthz", "/bucket/key", "/healthz"} {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		resp, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		io.Copy(io.Discard, resp.Body)
		time.Sleep(400 * time.Millisecond) // longer than Drain
	}
}

// TestThrottling (CL-12.28, LV-9.20): a request too many gets the service's own
// error, which its SDKs retry, and says when to come back.
func TestThrottling(t *testing.T) {
	s := newSite(t, func(s *server.Server) {
		s.Limiter.Rates = map[string]float64{"rekognition": 0.001, "lookoutvision": 0.001}
	})
	for _, tt := range []struct {
		call   call
		status int
		name   string
	}{
		{createProject("a"), 200, ""},
		{createProject("b"), 400, "ProvisionedThroughputExceededException"},
		{createLookoutProject("a"), 200, ""},
		{createLookoutProject("b"), 429, "ThrottlingException"},
	} {
		resp, body := s.do(t, tt.call)
		if resp.StatusCode != tt.status || resp.Header.Get("X-Amzn-Errortype") != tt.name || (tt.name != "") != (resp.Header.Get("Retry-After") != "") {
			t.Errorf("status %d, %v, %s; want %d %s", resp.StatusCode, resp.Header, body, tt.status, tt.name)
		}
	}
}

// TestBodyMemory (T14): large bodies that do not come whole take a bounded
// amount of memory, and small requests do not wait for them.
func TestBodyMemory(t *testing.T) {
	s := newSite(t, func(s *server.Server) { s.BodyMemory = 8 << 20 })
	const each = 4 << 20
	held := func() net.Conn {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		stamp := time.Now().UTC().Format("20060102T150405Z")
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: %s\r\nX-Amz-Target: RekognitionService.CreateProject\r\nContent-Length: %d\r\nExpect: 100-continue\r\n"+
			"Authorization: AWS4-HMAC-SHA256 Credential=%s/%s/us-east-1/rekognition/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=%064d\r\n\r\n",
			stamp, each, keyID, stamp[:8], 0)
		return conn
	}
	// continues waits until the server asks for a body, which has room then.
	continues := func(conn net.Conn, wait time.Duration) error {
		const asks = "HTTP/1.1 100 Continue\r\n\r\n"
		conn.SetReadDeadline(time.Now().Add(wait))
		text := make([]byte, len(asks))
		_, err := io.ReadFull(conn, text)
		if err == nil && string(text) != asks {
			err = fmt.Errorf("the server says %q", text)
		}
		return err
	}
	first, second := held(), held()
	for _, conn := range []net.Conn{first, second} {
		if err := continues(conn, time.Minute); err != nil {
			t.Fatalf("a large body is not read: %v", err)
		}
	}
	third := held()
	if resp, body := s.do(t, createProject("small")); resp.StatusCode != 200 {
		t.Errorf("a small request waits: %d %s", resp.StatusCode, body)
	}
	if err := continues(third, 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a third large body beside two others: %v, want that it waits", err)
	}
	first.Close() // and gives its room back
	if err := continues(third, time.Minute); err != nil {
		t.Errorf("the third body is never read: %v", err)
	}
}
