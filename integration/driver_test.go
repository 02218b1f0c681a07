package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"fovea/integration/process"
)

// A driver is a process that runs calls: one line of JSON in, one out. It
// ends when its standard input does.
type driver struct {
	mu    sync.Mutex
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	fails process.Tail
}

// startDriver runs a driver for the time of a test, with a home of its own and
// no environment but the server's and what is added.
func startDriver(t *testing.T, server *process.Server, env []string, name string, args ...string) *driver {
	t.Helper()
	d := &driver{cmd: exec.Command(name, args...)}
	d.cmd.Env = append(cleanEnv(t, server), env...)
	d.cmd.Stderr = &d.fails
	in, err := d.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.in, d.out = in, bufio.NewReader(out)
	t.Cleanup(func() {
		in.Close()
		if err := d.cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, d.fails.String())
		}
	})
	return d
}

// cleanEnv returns an environment for a client that has been configured by
// nothing but fovea env.
func cleanEnv(t *testing.T, server *process.Server) []string {
	home := t.TempDir()
	return append(server.Environ(), "PATH="+os.Getenv("PATH"), "HOME="+home, "LANG=C.UTF-8", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_DEFAULT_REGION="+server.Region())
}

// ask sends a request and returns the answer.
func (d *driver) ask(request any) (answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	line, err := json.Marshal(request)
	if err != nil {
		return answer{}, err
	}
	if _, err := d.in.Write(append(line, '\n')); err != nil {
		return answer{}, fmt.Errorf("%w\n%s", err, d.fails.String())
	}
	line, err = d.out.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("%w\n%s", err, d.fails.String())
	}
	var reply struct {
		answer
		Fault string `json:"fault"`
	}
	if err := json.Unmarshal(line, &reply); err != nil {
		return answer{}, fmt.Errorf("the driver wrote %q: %w", line, err)
	}
	if reply.Fault != "" {
		return answer{}, errors.New(reply.Fault)
	}
	return reply.answer, nil
}

// call implements client.
func (d *driver) call(_ context.Context, service, operation string, in map[string]any) (answer, error) {
	if in == nil {
		in = map[string]any{}
	}
	return d.ask(map[string]any{"service": service, "operation": operation, "input": in})
}

// script runs a function of python/scripts.py.
func (d *driver) script(t *testing.T, name string, args map[string]any) (result any, printed string) {
	t.Helper()
	reply, err := d.ask(map[string]any{"script": name, "args": args})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	printed, _ = reply.Out["printed"].(string)
	return reply.Out["result"], printed
}

// newBoto3 starts Debian's boto3, the one that still has lookoutvision.
func newBoto3(t *testing.T, server *process.Server, env ...string) *driver {
	t.Helper()
	needs(t, python, "-c", "import boto3")
	return startDriver(t, server, env, python, "python/driver.py")
}

// newNode starts the SDK for JavaScript v3.
func newNode(t *testing.T, server *process.Server, env ...string) *driver {
	t.Helper()
	needs(t, "node", "js/driver.mjs")
	return startDriver(t, server, env, "node", "js/driver.mjs")
}
