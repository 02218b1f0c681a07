package integration

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"fovea/integration/process"
)

// Debian's own programs, whatever else comes first in PATH: they are of the
// last releases that have lookoutvision.
const (
	awsCLI = "/usr/bin/aws"
	python = "/usr/bin/python3"
)

// binary is the program under test, built by TestMain.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "fovea-integration-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary, err = process.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// serve starts a server with further arguments of serve for the time of a
// test. A test that fails shows what the server printed.
func serve(t *testing.T, args ...string) *process.Server {
	t.Helper()
	server := &process.Server{Binary: binary, Data: t.TempDir(), Args: args}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server printed:\n%s", tail(server.Output(), 4000))
		}
	})
	return server
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

var (
	neededMu sync.Mutex
	needed   = map[string]string{}
)

// needs skips the test if a program that it needs does not run; with
// FOVEA_TEST_ALL it fails it.
func needs(t *testing.T, name string, args ...string) {
	t.Helper()
	neededMu.Lock()
	defer neededMu.Unlock()
	key := fmt.Sprint(name, args)
	fault, known := needed[key]
	if !known {
		cmd := exec.Command(name, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_REGION=us-east-1")
		if err := cmd.Run(); err != nil {
			fault = fmt.Sprintf("%s does not run (make tools installs it): %v %s", name, err, tail(stderr.String(), 400))
		}
		needed[key] = fault
	}
	switch {
	case fault == "":
	case os.Getenv("FOVEA_TEST_ALL") != "":
		t.Fatal(fault)
	default:
		t.Skip(fault)
	}
}
