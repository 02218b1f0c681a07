package integration

import (
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fovea/integration/process"
	"fovea/internal/pgtest"
)

// TestBackupInterrupted: a backup that is killed leaves a folder that no server
// takes for a backup; run again it goes on and is whole.
func TestBackupInterrupted(t *testing.T) {
	t.Parallel()
	m := &machine{t: t, server: running(t, t.TempDir(), "--limits", "none", "--import-range", "65536")}
	m.work("a")
	cut, whole := 0, 0
	for cut < 3 {
		if whole == 100 {
			t.Fatalf("%d of %d backups were interrupted", cut, cut+whole)
		}
		to := filepath.Join(t.TempDir(), "copy")
		cmd := exec.Command(binary, "backup", "--data", m.server.Data, "--to", to)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		mark := filepath.Join(to, "unfinished-backup")
		gone := make(chan error, 1)
		go func() { gone <- cmd.Wait() }()
		for len(gone) == 0 {
			if _, err := os.Stat(mark); err == nil {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
		time.Sleep(rand.N(20 * time.Millisecond / time.Duration(1+whole))) // sooner after those that came too late
		cmd.Process.Kill()
		<-gone
		if _, err := os.Stat(mark); err != nil {
			whole++ // it was faster
			continue
		}
		cut++
		for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0", "--data", to}, {"verify", "--data", to}} {
			if status, out := command(t, args...); status != 2 || !strings.Contains(out, "interrupted") {
				t.Fatalf("fovea %v of half a backup ended with %d: %s", args, status, out)
			}
		}
		mustCommand(t, "backup", "--data", m.server.Data, "--to", to)
		if out := mustCommand(t, "verify", "--data", to); !strings.HasSuffix(out, " 0 damaged\n") {
			t.Errorf("verify: %s", out)
		}
		copied := &machine{t: t, server: running(t, to)}
		if err := copied.dataset("a", workEntries+1, "UPDATE_COMPLETE")(); err != nil {
			t.Errorf("in the backup the dataset: %v", err)
		}
		copied.server.Kill()
	}
	t.Logf("%d of %d backups were interrupted", cut, cut+whole)
}

// pgProgram returns the path of a program of PostgreSQL.
func pgProgram(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if path, e := exec.LookPath(name); err == nil && len(found) == 0 && e == nil {
		found = []string{path}
	}
	if len(found) == 0 {
		t.Skipf("there is no %s here", name)
	}
	return found[len(found)-1]
}

// TestBackupPostgres: the backup and the restore of several nodes as
// docs/running.md tells it: pg_dump while they work, then the bucket.
func TestBackupPostgres(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	schema := query.Get("search_path")
	query.Del("search_path") // which the programs of PostgreSQL do not know
	u.RawQuery = query.Encode()

	bucket := running(t, t.TempDir())
	if err := bucket.MakeBucket(t.Context(), "segments"); err != nil {
		t.Fatal(err)
	}
	upload(t, bucket, "kill.manifest", manyLines(300))
	node := running(t, t.TempDir(), "--database", database, "--blobs", "s3://segments/one", "--s3-endpoint", bucket.URL(),
		"--s3-access-key", bucket.KeyID(), "--s3-secret-key", bucket.Secret(), "--limits", "none")
	_, train := filled(t, node, "p")
	if err := change(t.Context(), node, train, labeled("more", "nut")); err != nil {
		t.Fatal(err)
	}
	want := contentOf(t, node, train)

	dump, copied := filepath.Join(t.TempDir(), "fovea.sql"), filepath.Join(t.TempDir(), "bucket")
	if out, err := exec.Command(pgProgram(t, "pg_dump"), "--dbname", u.String(), "--schema", schema, "--file", dump).CombinedOutput(); err != nil {
		t.Fatalf("pg_dump: %v %s", err, out)
	}
	if err := change(t.Context(), node, train, labeled("between the two", "nut")); err != nil { // not in the backup
		t.Fatal(err)
	}
	mustCommand(t, "backup", "--data", bucket.Data, "--to", copied) // the bucket is that of another fovea

	// Then everything is lost.
	for _, s := range []*process.Server{node, bucket} {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(pgProgram(t, "psql"), "--dbname", u.String(), "-c", "DROP SCHEMA "+schema+" CASCADE").CombinedOutput(); err != nil {
		t.Fatalf("psql: %v %s", err, out)
	}
	if out, err := exec.Command(pgProgram(t, "psql"), "--dbname", u.String(), "--set", "ON_ERROR_STOP=1", "--single-transaction", "--file", dump).CombinedOutput(); err != nil {
		t.Fatalf("psql: %v %s", err, out)
	}
	bucket.Data, node.Data = copied, t.TempDir()
	if err := bucket.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, out := command(t, "verify", "--database", database, "--blobs", "s3://segments/one", "--s3-endpoint", bucket.URL(),
		"--s3-access-key", bucket.KeyID(), "--s3-secret-key", bucket.Secret()); status != 0 || !strings.HasSuffix(out, " 0 damaged\n") {
		t.Errorf("verify ended with %d: %s", status, out)
	}
	if err := node.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := contentOf(t, node, train); got.Digest != want.Digest || got.Labels != want.Labels {
		t.Errorf("after the restore\n%+v, want\n%+v", got, want)
	}
	if err := change(t.Context(), node, train, labeled("after", "nut")); err != nil {
		t.Errorf("an update after the restore: %v", err)
	}
}
