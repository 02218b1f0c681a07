// Package pgtest gives tests databases of a PostgreSQL: of the server that
// FOVEA_TEST_POSTGRES names, else of one that it starts from Debian's packages
// for the process of the test. That one listens on loopback only, forgets what
// it was told when the machine crashes, and ends with the process.
package pgtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"fovea/internal/freeport"
)

// serverEnv names the URL of a database of the server to use; its user may make
// schemas in it. Processes that a test starts inherit it, and so the server.
const serverEnv = "FOVEA_TEST_POSTGRES"

// New returns the URL of what looks like a new, empty database: a schema, which
// is made faster. It does not outlive the tests of the process. Without
// PostgreSQL the test is skipped, or fails if FOVEA_TEST_ALL is set.
func New(t testing.TB) string {
	t.Helper()
	return create(t, fmt.Sprintf("%016x", rand.Uint64()))
}

// Named returns the URL of the database for a name, which it makes if it is not
// there. The processes of one test so meet in one database.
func Named(t testing.TB, name string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	return create(t, hex.EncodeToString(sum[:8]))
}

func create(t testing.TB, id string) string {
	t.Helper()
	server := serverURL(t)
	name := "fovea_test_" + id
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", serverEnv, err)
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	var there bool
	err = with(server, func(db *sql.DB) error {
		if err := db.QueryRow(`SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)`, name).Scan(&there); err != nil || there {
			return err
		}
		_, err := db.Exec(`CREATE SCHEMA ` + name)
		return err
	})
	if err != nil {
		t.Fatalf("create a schema: %v", err)
	}
	if !there && server != private { // that one goes as a whole
		t.Cleanup(func() {
			err := with(server, func(db *sql.DB) error {
				_, err := db.Exec(`DROP SCHEMA ` + name + ` CASCADE`)
				return err
			})
			if err != nil {
				t.Errorf("drop a schema: %v", err)
			}
		})
	}
	return u.String()
}

// with runs fn on the database of the server.
func with(server string, fn func(*sql.DB) error) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	return fn(db)
}

// private is the URL of the server that this process has started for its tests,
// and lifelines what ends such servers when they are closed: when this process
// ends. mu keeps tests from starting a second one.
var (
	mu        sync.Mutex
	private   string
	lifelines []io.Closer
)

// serverURL returns the URL of the server, which it starts for the first test
// that wants it.
func serverURL(t testing.TB) string {
	t.Helper()
	server, err := Server()
	switch {
	case err == nil:
		return server
	case errors.Is(err, errMissing) && os.Getenv("FOVEA_TEST_ALL") == "":
		t.Skip(err)
	}
	t.Fatal(err)
	return ""
}

// Server returns the URL of a database on the server: programs that are no
// tests call it.
func Server() (string, error) {
	mu.Lock()
	defer mu.Unlock()
	if server := os.Getenv(serverEnv); server != "" {
		return server, nil
	}
	server, err := startServer("fsync=off", "full_page_writes=off")
	if err != nil {
		return "", err
	}
	private = server
	return server, os.Setenv(serverEnv, server)
}

// Durable returns the URL of a database on a new server that syncs what it
// commits, for measurements.
func Durable() (string, error) {
	mu.Lock()
	defer mu.Unlock()
	return startServer()
}

var errMissing = errors.New("PostgreSQL is not installed: apt-get install postgresql, or set " + serverEnv + " to the URL of a database")

// startServer makes a cluster and starts its server with the given settings.
func startServer(settings ...string) (server string, err error) {
	bin, err := newestBin()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "fovea-postgres")
	if err != nil {
		return "", err
	}
	as, err := serverUser(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "fovea", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, as
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	port, err := freeport.Choose()
	if err != nil {
		return "", err
	}
	settings = append(settings, "listen_addresses=127.0.0.1", "max_connections=200", "shared_buffers=32MB", "jit=off")
	args := []string{"-c", `"$@" & read end; sleep 1; kill -QUIT $!; wait; rm -rf "$0"`, dir,
		filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(port), "-k", dir}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	// The shell outlives this process, however that ends, by as long as it
	// takes to stop the server and to remove its files. A server that has
	// just begun ignores the signal, so it gets a moment.
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir, cmd.SysProcAttr = dir, as
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	end, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	lifelines = append(lifelines, end)
	if err := cmd.Start(); err != nil {
		return "", err
	}
	server = fmt.Sprintf("postgres://fovea@127.0.0.1:%d/postgres?sslmode=disable", port)
	return server, awaitServer(server)
}

// newestBin returns the folder of the programs of the newest version.
func newestBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// lookupID returns the numbers of a user and its group.
func lookupID(name string) (uid, gid uint32, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	id, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return 0, 0, err
	}
	group, err := strconv.ParseUint(u.Gid, 10, 32)
	return uint32(id), uint32(group), err
}

// awaitServer waits until the server answers.
func awaitServer(server string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not start: %w", err)
		}
	}
}
