package integration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"fovea/integration/process"
)

// tmpfs mounts a file system of a size in memory for the time of a test.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no file system can be mounted here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// running starts a server with a data folder for the time of a test.
func running(t *testing.T, data string, args ...string) *process.Server {
	t.Helper()
	server := &process.Server{Binary: binary, Data: data, Args: args}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Kill()
		if t.Failed() {
			t.Logf("the server printed:\n%s", tail(server.Output(), 4000))
		}
	})
	return server
}

// readiness returns what /readyz answers.
func readiness(t *testing.T, server *process.Server) (int, string) {
	t.Helper()
	resp, err := http.Get(server.URL() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// awaitReadiness waits until /readyz answers with a status.
func awaitReadiness(t *testing.T, server *process.Server, want int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		got, body := readiness(t, server)
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("/readyz answers %d %s, want %d", got, body, want)
		}
	}
}

// fails reports an error that is not an answer that blames the server.
func fails(t *testing.T, what string, err error) {
	t.Helper()
	if answer := (*process.AnswerError)(nil); !errors.As(err, &answer) || answer.Status < 500 {
		t.Errorf("%s: %v, want an answer of status 5xx", what, err)
	}
}

// filled makes a project with a complete dataset and returns their ARNs.
func filled(t *testing.T, server *process.Server, name string) (project, train string) {
	t.Helper()
	project, train, _ = killProject(t, server, name, false)
	return project, train
}

func update(ctx context.Context, server *process.Server, arn string, lines string) error {
	return server.Rekognition(ctx, "UpdateDatasetEntries", map[string]any{"DatasetArn": arn, "Changes": map[string]any{"GroundTruth": []byte(lines)}}, nil)
}

// ended waits until a dataset is not in progress.
func ended(t *testing.T, server *process.Server, arn string) description {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		d := describe(t, server, arn)
		if !strings.HasSuffix(d.Status, "_IN_PROGRESS") {
			return d
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s stays %s", arn, d.Status)
		}
	}
}

// TestDiskFull (T19): on a full disk what changes anything is answered with an
// error of the server, what reads works, and /readyz tells. When there is room
// again everything works without a restart, and what was acknowledged is there.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	disk := tmpfs(t, "48m")
	server := running(t, filepath.Join(disk, "data"))
	upload(t, server, "kill.manifest", leaf("1.jpg", "leaf")+leaf("2.jpg", "thorn"))
	_, train := filled(t, server, "full")
	filler := filepath.Join(disk, "filler")
	for n := range 3 {
		before := contentOf(t, server, train)
		fillDisk(t, filler)
		awaitReadiness(t, server, http.StatusServiceUnavailable)
		big := strings.Repeat(leaf(fmt.Sprintf("%d-%s.jpg", n, strings.Repeat("x", 200)), "bud"), 200)
		fails(t, "an update on a full disk", update(t.Context(), server, train, big))
		fails(t, "an upload to a full disk", server.Put(t.Context(), "factory", "big", strings.NewReader(big), int64(len(big))))
		if after := contentOf(t, server, train); after.Digest != before.Digest || after.Labels != before.Labels {
			t.Errorf("on a full disk the dataset is %+v, want %+v", after, before)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		awaitReadiness(t, server, http.StatusOK)
		if err := update(t.Context(), server, train, leaf(fmt.Sprintf("%d.jpg", 10+n), "leaf")); err != nil {
			t.Fatal(err)
		}
		if d := ended(t, server, train); d.Status != "UPDATE_COMPLETE" {
			t.Fatalf("after that the update is %+v", d)
		}
		if after := contentOf(t, server, train); after.Entries != before.Entries+1 {
			t.Errorf("after that there are %d entries, want %d", after.Entries, before.Entries+1)
		}
	}
	want := contentOf(t, server, train)
	server.Kill()
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, server, train); got.Digest != want.Digest {
		t.Errorf("after a kill the dataset is %+v, want %+v", got, want)
	}
}

// fillDisk writes a file until the disk is full.
func fillDisk(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		err = nil
	}
}

// TestReadOnlyFolder (T19): a server does not start on a data folder that it
// cannot write, and says which; when it can, everything is there.
func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	disk := tmpfs(t, "32m")
	server := running(t, filepath.Join(disk, "data"))
	upload(t, server, "kill.manifest", leaf("1.jpg", "leaf"))
	_, train := filled(t, server, "p")
	want := contentOf(t, server, train)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	remount := func(how string) {
		if out, err := exec.Command("mount", "-o", "remount,"+how, disk).CombinedOutput(); err != nil {
			t.Fatalf("remount: %v %s", err, out)
		}
	}
	remount("ro")
	err := server.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), disk) || strings.Contains(err.Error(), "goroutine") {
		t.Errorf("starting on a read-only folder: %v, want an error that names %s", err, disk)
	}
	remount("rw")
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, server, train); got.Digest != want.Digest {
		t.Errorf("the dataset is %+v, want %+v", got, want)
	}
}

// TestNewerData (T22): a data folder that a newer fovea has changed is refused,
// with the way out, and left as it is.
func TestNewerData(t *testing.T) {
	t.Parallel()
	server := running(t, t.TempDir())
	upload(t, server, "kill.manifest", leaf("1.jpg", "leaf"))
	_, train := filled(t, server, "p")
	want := contentOf(t, server, train)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	change := func(query string) {
		db, err := sql.Open("sqlite", "file:"+filepath.Join(server.Data, "fovea.db"))
		if err == nil {
			_, err = db.Exec(query)
		}
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	change("UPDATE schema_version SET version = version + 1")
	err := server.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "newer fovea") {
		t.Errorf("starting on newer data: %v", err)
	}
	change("UPDATE schema_version SET version = version - 1")
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, server, train); got.Digest != want.Digest {
		t.Errorf("the dataset is %+v, want %+v", got, want)
	}
}

// TestDatabaseLocked (T19): while another process holds the database, reads go
// on, and a change waits and then happens.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	server := serve(t)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(server.Data, "fovea.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	const held = 4 * time.Second // longer than SQLite itself waits
	for n := range 2 {
		if _, err := db.Exec("BEGIN IMMEDIATE"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		asked := make(chan error, 1)
		go func() {
			_, err := makeProject(context.WithoutCancel(t.Context()), server, fmt.Sprintf("waits-%d", n))
			asked <- err
		}()
		for reads := 0; reads < 3 || time.Since(began) < held; reads++ { // a read that waits for the lock waits in vain
			if err := server.Rekognition(t.Context(), "DescribeProjects", map[string]any{}, nil); err != nil {
				t.Fatalf("a read beside the lock: %v after %v", err, time.Since(began))
			}
			time.Sleep(100 * time.Millisecond)
		}
		if len(asked) > 0 {
			t.Errorf("a change was answered beside the lock: %v", <-asked)
		}
		if _, err := db.Exec("ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := <-asked; err != nil {
			t.Errorf("a change that waited: %v", err)
		}
	}
}

// TestFewDescriptors (T19): a server that has run out of file descriptors lives
// on and serves again when clients are gone.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "few")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nulimit -n 80\nexec "+binary+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	server := &process.Server{Binary: script, Data: t.TempDir()}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	upload(t, server, "kill.manifest", leaf("1.jpg", "leaf"))
	_, train := filled(t, server, "p")
	want := contentOf(t, server, train)
	for range 3 {
		var conns []net.Conn
		for range 200 {
			c, err := net.DialTimeout("tcp", server.Addr, 10*time.Second)
			if err != nil {
				break
			}
			conns = append(conns, c)
		}
		time.Sleep(300 * time.Millisecond)
		if len(conns) < 80 {
			t.Errorf("only %d connections: the limit was not reached", len(conns))
		}
		asked := make(chan error, 1)
		go func() { asked <- update(t.Context(), server, train, leaf("1.jpg", "leaf")) }()
		time.Sleep(500 * time.Millisecond)
		for _, c := range conns {
			c.Close()
		}
		t.Logf("with %d connections an update: %v", len(conns), <-asked) // whatever came of it
		awaitReadiness(t, server, http.StatusOK)
		ended(t, server, train)
		if got := contentOf(t, server, train); got.Digest != want.Digest {
			t.Errorf("the dataset is %+v, want %+v", got, want)
		}
	}
}

// A faulty is a proxy in front of an S3 that lets a fault answer in its place.
type faulty struct {
	*httptest.Server
	fault atomic.Pointer[func(n int64, w http.ResponseWriter, r *http.Request) bool] // true: it has answered
	calls atomic.Int64
}

// newFaulty returns a proxy for an S3. The host stays as it was signed.
func newFaulty(t *testing.T, store *process.Server) *faulty {
	t.Helper()
	to, err := url.Parse(store.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	f := &faulty{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := f.fault.Load()
		if fault == nil || !(*fault)(f.calls.Add(1), w, r) {
			proxy.ServeHTTP(w, r)
			return
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// set changes the fault; nil is none.
func (f *faulty) set(fault func(n int64, w http.ResponseWriter, r *http.Request) bool) {
	f.calls.Store(0)
	if fault == nil {
		f.fault.Store(nil)
	} else {
		f.fault.Store(&fault)
	}
}

func slowDown(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
}

// TestS3Faults (T20) imports through an S3 that fails in every way. What passes
// is waited for and comes to its end without a restart; what the user has done,
// to replace the manifest while it is read, is a CLIENT_ERROR; and a call that
// cannot reach S3 at all is answered as the server's fault.
func TestS3Faults(t *testing.T) {
	t.Parallel()
	const lines = 4000
	var text strings.Builder
	for n := range lines {
		text.WriteString(leaf(fmt.Sprint(n), "part"))
	}
	store := serve(t)
	upload(t, store, "kill.manifest", text.String())
	proxy := newFaulty(t, store)
	server := serve(t, "--limits", "none", "--import-range", "200000", "--s3-endpoint", proxy.URL, "--s3-access-key", store.KeyID(), "--s3-secret-key", store.Secret())
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000000")
		w.WriteHeader(http.StatusPartialContent)
		io.WriteString(w, `{"source-ref":"s3://fact`)
		panic(http.ErrAbortHandler)
	}
	var back atomic.Int64 // when S3 is back, in the outage
	for _, tt := range []struct {
		name   string
		fault  func(n int64, w http.ResponseWriter, r *http.Request) bool
		status string
		code   string
	}{
		{"no fault", nil, "CREATE_COMPLETE", "SUCCESS"},
		{"one answer in three is 503 SlowDown", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n%3 == 0 {
				slowDown(w)
			}
			return n%3 == 0
		}, "CREATE_COMPLETE", "SUCCESS"},
		{"every other body breaks off", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == "GET" && n%2 == 0 {
				cut(w)
			}
			return false
		}, "CREATE_COMPLETE", "SUCCESS"},
		{"every answer is slow", func(int64, http.ResponseWriter, *http.Request) bool {
			time.Sleep(200 * time.Millisecond)
			return false
		}, "CREATE_COMPLETE", "SUCCESS"},
		{"gone for two seconds", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == "HEAD" {
				return false
			}
			back.CompareAndSwap(0, time.Now().Add(2*time.Second).UnixNano())
			if time.Now().UnixNano() < back.Load() {
				panic(http.ErrAbortHandler)
			}
			return false
		}, "CREATE_COMPLETE", "SUCCESS"},
		{"replaced while it is read", func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if r.Method == "GET" && n == 4 {
				other := text.String() + leaf("more", "part")
				if err := store.Put(context.WithoutCancel(r.Context()), "factory", "kill.manifest", strings.NewReader(other), int64(len(other))); err != nil {
					t.Error(err)
				}
			}
			return false
		}, "CREATE_FAILED", "CLIENT_ERROR"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			upload(t, store, "kill.manifest", text.String())
			project, err := makeProject(t.Context(), server, strings.ReplaceAll(tt.name, " ", "-"))
			if err != nil {
				t.Fatal(err)
			}
			proxy.set(tt.fault)
			defer proxy.set(nil)
			if err := createDataset(t.Context(), server, project); err != nil {
				t.Fatal(err)
			}
			arn := datasetOf(t, server, project)
			ended(t, server, arn)
			var found struct {
				DatasetDescription struct {
					Status, StatusMessage, StatusMessageCode string
					DatasetStats                             struct{ TotalEntries int }
				}
			}
			if err := server.Rekognition(t.Context(), "DescribeDataset", map[string]any{"DatasetArn": arn}, &found); err != nil {
				t.Fatal(err)
			}
			d := found.DatasetDescription
			if d.Status != tt.status || d.StatusMessageCode != tt.code {
				t.Errorf("the dataset is %+v, want %s with %s", d, tt.status, tt.code)
			}
			if d.Status == "CREATE_COMPLETE" && d.DatasetStats.TotalEntries != lines {
				t.Errorf("the dataset has %d entries, want %d", d.DatasetStats.TotalEntries, lines)
			}
			t.Logf("%d requests to S3", proxy.calls.Load())
		})
	}
	t.Run("503 at the call", func(t *testing.T) {
		project, err := makeProject(t.Context(), server, "at-the-call")
		if err != nil {
			t.Fatal(err)
		}
		proxy.set(func(n int64, w http.ResponseWriter, r *http.Request) bool { slowDown(w); return true })
		fails(t, "CreateDataset without S3", createDataset(t.Context(), server, project))
		proxy.set(nil)
		if arn := datasetOf(t, server, project); arn != "" {
			t.Errorf("the call that failed has made %s", arn)
		}
		if err := createDataset(t.Context(), server, project); err != nil {
			t.Errorf("once S3 is back: %v", err)
		}
	})
}
