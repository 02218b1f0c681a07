// Package process runs fovea as its users do: as a process of its own, which
// can be asked nicely to stop, or killed.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"fovea/internal/freeport"
)

// Waits for a server to answer and to stop. They end what hangs: a machine that
// has much else to do is waited for.
const (
	startTimeout = 5 * time.Minute
	stopTimeout  = 2 * time.Minute
)

// Build compiles fovea into dir, with further flags of go build, and returns
// the path of the program.
func Build(ctx context.Context, dir string, flags ...string) (string, error) {
	binary := filepath.Join(dir, "fovea")
	args := append(append([]string{"build", "-o", binary}, flags...), "fovea/cmd/fovea")
	out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build fovea: %w\n%s", err, out)
	}
	return binary, nil
}

// A Server is a fovea that may be running. Its folder and address stay the
// same from start to start. The methods are not safe to call side by side,
// but for those that make requests.
type Server struct {
	Binary string   // path of the program
	Data   string   // its data folder
	Args   []string // further arguments of serve
	Addr   string   // host:port; chosen by Start if empty

	env    map[string]string
	cmd    *exec.Cmd
	done   chan error
	output Tail
}

// Start runs `fovea serve` and returns once it is ready to serve. If somebody
// else has got its address meanwhile, it tries again: elsewhere the first time,
// and later a while after.
func (s *Server) Start(ctx context.Context) error {
	if s.cmd != nil {
		return errors.New("the server is running already")
	}
	choose := s.Addr == ""
	for try := 1; ; try++ {
		if choose {
			port, err := freeport.Choose()
			if err != nil {
				return err
			}
			s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		}
		err := s.start(ctx)
		if err == nil || try == maxStarts || !strings.Contains(s.Output(), "address already in use") {
			return err
		}
		time.Sleep(time.Second)
	}
}

// maxStarts is how often a server is started whose address is in use.
const maxStarts = 10

// start is Start with an address, once.
func (s *Server) start(ctx context.Context) error {
	s.output.Reset()
	args := append([]string{"serve", "--listen", s.Addr, "--data", s.Data}, s.Args...)
	cmd := exec.Command(s.Binary, args...)
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start fovea: %w", err)
	}
	s.cmd, s.done = cmd, make(chan error, 1)
	go func() { s.done <- cmd.Wait() }()
	if err := s.awaitReady(ctx); err != nil {
		s.Kill()
		return err
	}
	if s.env == nil {
		return s.readEnv(ctx)
	}
	return nil
}

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL()+"/readyz", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-s.done:
			s.done <- err
			return fmt.Errorf("fovea ended before it was ready: %v\n%s", err, s.Output())
		case <-ctx.Done():
			return fmt.Errorf("fovea was not ready in time: %w\n%s", ctx.Err(), s.Output())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// readEnv reads what `fovea env` prints for a shell to evaluate.
func (s *Server) readEnv(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, s.Binary, "env", "--data", s.Data, "--listen", s.Addr).Output()
	if err != nil {
		return fmt.Errorf("fovea env: %w", err)
	}
	env := map[string]string{}
	for line := range strings.Lines(string(out)) {
		assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		name, value, found := strings.Cut(assignment, "=")
		if !ok || !found {
			return fmt.Errorf("fovea env printed %q, not export NAME=value", line)
		}
		env[name] = strings.Trim(value, `'"`)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		if env[name] == "" {
			return fmt.Errorf("fovea env did not print %s:\n%s", name, out)
		}
	}
	s.env = env
	return nil
}

// URL returns where the server listens.
func (s *Server) URL() string { return "http://" + s.Addr }

// Endpoint returns what fovea env prints as the endpoint.
func (s *Server) Endpoint() string { return s.env["AWS_ENDPOINT_URL"] }

// KeyID returns the root access key.
func (s *Server) KeyID() string { return s.env["AWS_ACCESS_KEY_ID"] }

// Secret returns the secret of the root access key.
func (s *Server) Secret() string { return s.env["AWS_SECRET_ACCESS_KEY"] }

// Region returns the server's region.
func (s *Server) Region() string { return s.env["AWS_REGION"] }

// Environ returns what fovea env prints, as an environment.
func (s *Server) Environ() []string {
	var env []string
	for name, value := range s.env {
		env = append(env, name+"="+value)
	}
	return env
}

// Output returns what the server has printed since it was last started, the
// latest 64 KB of it.
func (s *Server) Output() string { return s.output.String() }

// Kill ends the server with SIGKILL and waits until it is gone.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	<-s.done
	s.cmd = nil
}

// Stop ends the server with SIGTERM. It fails if that is not heeded with exit
// status 0 in good time, and then kills it.
func (s *Server) Stop() error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.Kill()
		return err
	}
	select {
	case err := <-s.done:
		s.cmd = nil
		if err != nil {
			return fmt.Errorf("fovea stopped: %w\n%s", err, s.Output())
		}
		return nil
	case <-time.After(stopTimeout):
		s.Kill()
		return fmt.Errorf("fovea did not stop within %v of SIGTERM\n%s", stopTimeout, s.Output())
	}
}

// PID returns the number of the process, 0 while none runs.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// PeakMemory returns the most memory that the running server has held, in
// bytes: VmHWM of Linux.
func (s *Server) PeakMemory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kb << 10, err
		}
	}
	return 0, errors.New("no VmHWM in /proc/PID/status")
}

// A Tail keeps the end of what is written to it. It is safe for several
// goroutines.
type Tail struct {
	mu   sync.Mutex
	data []byte
}

const keptOutput = 64 << 10

// Write implements io.Writer.
func (b *Tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	if n := len(b.data); n > 2*keptOutput {
		b.data = append(b.data[:0], b.data[n-keptOutput:]...)
	}
	return len(p), nil
}

// Reset forgets everything.
func (b *Tail) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = nil
}

// String returns the latest 64 KB.
func (b *Tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(bytes.Clone(b.data[max(0, len(b.data)-keptOutput):]))
}
