package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"fovea/integration/process"
)

// lives checks that the server is the process that it was and serves.
func lives(t *testing.T, server *process.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := server.Rekognition(ctx, "DescribeProjects", map[string]any{}, nil); err != nil {
		t.Errorf("others are not served: %v", err)
	}
	if out := server.Output(); strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
		t.Errorf("the server has panicked:\n%s", tail(out, 3000))
	}
}

// post sends a body to Custom Labels as it is and returns the status.
func post(t *testing.T, server *process.Server, operation string, body []byte) int {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"RekognitionService." + operation}}
	resp, err := server.Do(t.Context(), "rekognition", "POST", "/", header, body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// TestHostileJSON (T13): bodies that are not what JSON should be are refused
// with a status 4xx or taken for what they say, and lines of a manifest like
// that are dropped or marked; memory stays bounded and nothing panics.
func TestHostileJSON(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none")
	deep := strings.Repeat(`[`, 100_000) + strings.Repeat(`]`, 100_000)
	deepObject := strings.Repeat(`{"a":`, 100_000) + `1` + strings.Repeat(`}`, 100_000)
	utf16 := []byte{0xff, 0xfe}
	for _, c := range `{"ProjectName":"u"}` {
		utf16 = append(utf16, byte(c), 0)
	}
	for name, body := range map[string]string{
		"deep array":         `{"ProjectName":` + deep + `}`,
		"deep object":        deepObject,
		"deep unknown":       `{"Unknown":` + deep + `}`,
		"only openings":      strings.Repeat(`{"a":[`, 1_000_000),
		"NaN":                `{"ProjectName":NaN}`,
		"infinite":           `{"MaxResults":1e999}`,
		"lone surrogate":     `{"ProjectName":"\ud800"}`,
		"wrong surrogates":   `{"ProjectName":"\udc00\ud800"}`,
		"byte order mark":    "\ufeff" + `{"ProjectName":"bom","x":}`,
		"UTF-16":             string(utf16),
		"trailing comma":     `{"ProjectName":"comma",}`,
		"two values":         `{"ProjectName":"two"}{"ProjectName":"three"}`,
		"not UTF-8":          "{\"ProjectName\":\"\xff\xfe\"}",
		"NUL":                "{\"ProjectName\":\"a\\u0000b\"}",
		"raw control":        "{\"ProjectName\":\"a\nb\"}",
		"array":              `[]`,
		"null":               `null`,
		"nothing":            ``,
		"prototype":          `{"__proto__":{"ProjectName":"x"}}`,
		"long string":        `{"ProjectName":"` + strings.Repeat("x", 9<<20) + `"}`,
		"more than is taken": `{"ProjectName":"` + strings.Repeat("x", 11<<20) + `"}`,
		"long number":        `{"MaxResults":` + strings.Repeat("9", 1<<20) + `}`,
	} {
		if status := post(t, server, "CreateProject", []byte(body)); status < 400 || status > 499 {
			t.Errorf("%s: status %d, want 4xx", name, status)
		}
	}
	twice := `{"ProjectName":"first","ProjectName":"second"}`
	if status := post(t, server, "CreateProject", []byte(twice)); status >= 500 {
		t.Errorf("duplicate keys: status %d", status)
	}
	lives(t, server)

	good := leaf("good.jpg", "part")
	lines := []string{
		strings.Replace(good, `"part":1`, `"x":`+deep+`,"part":1`, 1), deepObject + "\n", "NaN\n", strings.Replace(good, `"part":1`, `"part":1e999`, 1),
		strings.Replace(good, "good", `\ud800`, 1), "\ufeff" + strings.Replace(good, "good", "bom", 1), strings.Replace(good, "good", "crlf", 1) + "\r\n",
		strings.Replace(good, "}\n", ",}\n", 1), strings.Replace(good, "{", `{"source-ref":"s3://factory/other.jpg",`, 1), string(utf16) + "\n",
		strings.Replace(good, "{", `{"__proto__":{"a":1},`, 1), "{" + strings.Repeat(" ", 8<<20) + "}\n", "\x00\n", "\xff\xfe\n",
	}
	var text strings.Builder
	for n, line := range lines {
		text.WriteString(line)
		for i := range 20 { // so that few enough lines are dropped
			text.WriteString(leaf(fmt.Sprintf("ok-%d-%d.jpg", n, i), "part"))
		}
	}
	upload(t, server, "kill.manifest", text.String())
	_, train := filled(t, server, "hostile")
	if c := contentOf(t, server, train); c.Entries < 20*len(lines) {
		t.Errorf("%d entries, want the %d good ones at least", c.Entries, 20*len(lines))
	}
	if memory, err := server.PeakMemory(); err != nil || memory > 1<<30 {
		t.Errorf("the server has held %d MB, %v", memory>>20, err)
	}
	lives(t, server)
}

// raw sends bytes on a connection of its own and returns the status line that
// comes back, "" if the connection was closed without one.
func raw(addr string, data []byte) (string, error) {
	c, err := net.DialTimeout("tcp", addr, time.Minute)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	c.Write(data)
	line, err := bufio.NewReader(c).ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "", err
	}
	return strings.TrimSpace(line), nil
}

// TestHostileConnections (T14): 300 connections that send a byte now and then,
// and others that send malformed chunks and heads, keep nobody else from being
// served within a second, and the process lives.
func TestHostileConnections(t *testing.T) {
	t.Parallel()
	server := serve(t)
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var slow sync.WaitGroup
	var ended atomic.Int64
	for n := range 300 {
		c, err := net.Dial("tcp", server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		slow.Go(func() {
			defer c.Close()
			head := "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\nX-Long: "
			if n%2 == 0 {
				head = "PUT /factory/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
			}
			io.WriteString(c, head)
			for ctx.Err() == nil {
				if _, err := c.Write([]byte("a")); err != nil {
					ended.Add(1)
					return
				}
				select {
				case <-time.After(200 * time.Millisecond):
				case <-ctx.Done():
				}
			}
		})
	}
	for name, data := range map[string]string{
		"huge head":            "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 1<<20) + "\r\n\r\n",
		"many headers":         "GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 100_000) + "\r\n",
		"negative length":      "PUT /factory/a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"two lengths":          "PUT /factory/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"length and chunked":   "PUT /factory/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"bad chunk":            "PUT /factory/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n",
		"not HTTP":             "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"no host":              "GET / HTTP/1.1\r\n\r\n",
		"broken credential":    "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=/////,SignedHeaders=;;,Signature=\r\n\r\n",
		"broken presigned":     "GET /factory/a?X-Amz-Signature=%zz&X-Amz-Credential=// HTTP/1.1\r\nHost: x\r\n\r\n",
		"path of nothing":      "GET //..//%00/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n",
		"absolute and strange": "GET http://169.254.169.254/latest HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		line, err := raw(server.Addr, []byte(data))
		if err != nil || strings.Contains(line, " 500 ") || strings.Contains(line, " 200 ") && name != "path of nothing" {
			t.Errorf("%s: %q, %v", name, line, err)
		}
	}
	for name, chunks := range map[string]string{
		"no signature":      "5\r\nhello\r\n0\r\n\r\n",
		"no size":           ";chunk-signature=0\r\n\r\n",
		"negative size":     "-5;chunk-signature=" + strings.Repeat("0", 64) + "\r\nhello\r\n",
		"size that wraps":   "ffffffffffffffff;chunk-signature=" + strings.Repeat("0", 64) + "\r\nhello\r\n",
		"endless size line": strings.Repeat("1", 100_000),
		"nothing":           "",
		"only line ends":    strings.Repeat("\r\n", 1000),
		"wrong signature":   "5;chunk-signature=" + strings.Repeat("0", 64) + "\r\nhello\r\n0;chunk-signature=" + strings.Repeat("0", 64) + "\r\n\r\n",
	} {
		req, err := http.NewRequestWithContext(t.Context(), "PUT", server.URL()+"/factory/chunked", bytes.NewReader([]byte(chunks)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Encoding", "aws-chunked")
		req.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
		req.Header.Set("X-Amz-Decoded-Content-Length", "5")
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		if err := signer.SignHTTP(t.Context(), server.Credentials(), req, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "s3", server.Region(), time.Now()); err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue // the server has hung up, which is an answer, too
		}
		resp.Body.Close()
		if resp.StatusCode < 400 || resp.StatusCode > 499 {
			t.Errorf("chunks with %s: status %d, want 4xx", name, resp.StatusCode)
		}
	}
	fastest := patience // the machine has other tests to run, too
	for n := 0; n < 5 || fastest > time.Second && ended.Load() < 150; n++ {
		began := time.Now()
		lives(t, server)
		fastest = min(fastest, time.Since(began))
	}
	if fastest > time.Second {
		t.Errorf("beside slow clients an answer took %v", fastest)
	}
	// Those that send the head of a request have 10 seconds for it.
	for deadline := time.Now().Add(patience); ended.Load() < 300 && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	if n := ended.Load(); n < 300 {
		t.Errorf("%d of 300 slow connections were ended", n)
	}
	stop()
	slow.Wait()
	lives(t, server)
}

// TestHostileNames (T03): keys, buckets and project names that try to leave
// the folder are refused or are only names, and nothing outside of it changes.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	canary := filepath.Join(outer, "canary")
	if err := os.WriteFile(canary, []byte("alive"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := running(t, filepath.Join(outer, "in", "data"))
	upload(t, server, "kill.manifest", leaf("1.jpg", "leaf"))
	names := []string{"../../../canary", "..%2f..%2f..%2fcanary", "..", ".", "a/../../../../canary", "%2e%2e/%2e%2e/canary", "/etc/passwd", "//etc/passwd",
		`..\..\canary`, `\\host\share`, `\\?\C:\x`, "C:/x", "file:%2f%2f%2fetc/passwd", "a%00b", "a/./b", strings.Repeat("a/", 400) + "b", "@tmp/x", "fovea.db"}
	for _, name := range names {
		path := "/factory/" + strings.NewReplacer(`\`, "%5C", "?", "%3F").Replace(name)
		for _, method := range []string{"PUT", "GET", "DELETE"} {
			resp, err := server.Do(t.Context(), "s3", method, path, nil, []byte("dead"))
			if err != nil {
				continue
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode >= 500 || bytes.Contains(body, []byte("root:")) || bytes.Contains(body, []byte("alive")) {
				t.Errorf("%s %s: %d %.100s", method, name, resp.StatusCode, body)
			}
		}
		if status := post(t, server, "CreateProject", []byte(fmt.Sprintf(`{"ProjectName":%q}`, name))); status >= 500 {
			t.Errorf("CreateProject %s: %d", name, status)
		}
		members := fmt.Sprintf(`{"ProjectArn":"arn:aws:rekognition:us-east-1:000000000000:project/p/1","DatasetType":"TRAIN",`+
			`"DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":%q}}}}`, name)
		if status := post(t, server, "CreateDataset", []byte(members)); status < 400 || status > 499 {
			t.Errorf("CreateDataset of %s: %d, want 4xx", name, status)
		}
	}
	if text, err := os.ReadFile(canary); string(text) != "alive" {
		t.Errorf("a file outside of the data folder: %q, %v", text, err)
	}
	entries, err := os.ReadDir(filepath.Join(outer, "in"))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the data folder there is %v, %v", entries, err)
	}
	lives(t, server)
}

// TestSourceRefsAreNotDialled (T01): what a source-ref names is never opened
// by an import or an update, whatever address is in it: a server that listens
// there hears nothing, and lines that are no S3 URI are not entries.
func TestSourceRefsAreNotDialled(t *testing.T) {
	t.Parallel()
	var heard atomic.Int64
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	go func() {
		for {
			c, err := trap.Accept()
			if err != nil {
				return
			}
			heard.Add(1)
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(trap.Addr().String())
	server := serve(t, "--limits", "none")
	var text strings.Builder
	refs := 0
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "2130706433", "017700000001", "0x7f000001", "127.1", "0"} {
		for _, scheme := range []string{"http", "https", "file", "gopher", "ftp"} {
			fmt.Fprintf(&text, `{"source-ref":"%s://%s:%s/a.jpg"}`+"\n", scheme, host, port)
			refs++
		}
	}
	fmt.Fprintf(&text, `{"source-ref":"http://169.254.169.254/latest/meta-data/"}`+"\n")
	hostile := text.String() + fmt.Sprintf(`{"source-ref":"s3://127.0.0.1:%s/a.jpg"}`, port)
	for n := range 20 * refs {
		text.WriteString(leaf(fmt.Sprintf("%d.jpg", n), "leaf"))
	}
	upload(t, server, "kill.manifest", text.String())
	project, err := makeProject(t.Context(), server, "p")
	if err != nil {
		t.Fatal(err)
	}
	if err := createDataset(t.Context(), server, project); err != nil {
		t.Fatal(err)
	}
	train := datasetOf(t, server, project)
	d := ended(t, server, train)
	if c := contentOf(t, server, train); d.Status != "CREATE_COMPLETE" || c.Entries != 20*refs {
		t.Errorf("the import became %s %s with %d entries, want %d", d.Status, d.StatusMessage, c.Entries, 20*refs)
	}
	if err := update(t.Context(), server, train, hostile); err != nil {
		t.Fatal(err)
	}
	ended(t, server, train)
	if c := contentOf(t, server, train); c.Entries != 20*refs {
		t.Errorf("after the update there are %d entries, want %d", c.Entries, 20*refs)
	}
	if n := heard.Load(); n > 0 {
		t.Errorf("the server has opened %d connections", n)
	}
	lives(t, server)
}
