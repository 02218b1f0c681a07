package integration

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestReadmeModel runs the commands of the README that train a model of images
// that the demo draws, start it and ask it: all but the waiters, which look every
// two minutes.
func TestReadmeModel(t *testing.T) {
	t.Parallel()
	needs(t, awsCLI, "--version")
	server := serve(t)
	dir, env := migrationShell(t, server, server)
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, chapter, _ := strings.Cut(string(text), "\n## Train a model")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	script := "set -euo pipefail\n"
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(chapter, -1) {
		script += block[1]
	}
	await := func(status string) string {
		return "until fovea model list custom-labels/lids | grep -q '^v1 *" + status + " '; do sleep 0.2; done"
	}
	for _, change := range []struct{ pattern, to string }{
		{`\./fovea `, "fovea "},
		{`demo --exit`, "demo --exit --listen 127.0.0.1:0"},
		{`aws rekognition wait project-version-training-completed .*`, await("trained")},
		{`aws rekognition wait project-version-running .*`, await("running")},
	} {
		changed := regexp.MustCompile(change.pattern).ReplaceAllString(script, change.to)
		if changed == script {
			t.Fatalf("the README has no command %s:\n%s", change.pattern, script)
		}
		script = changed
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env = dir, env
	cmd.WaitDelay = 10 * time.Second // for what the shell has started
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the commands of the README: %v\n%s", err, out)
	}
	for _, want := range []string{"custom-labels/lids/train  created", `"CustomLabels"`, `"Name": "crack"`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands of the README did not print %q:\n%s", want, out)
		}
	}
}

// TestDemoLeavesNothing ends the demo as Ctrl-C does, and as a terminal that is
// closed.
func TestDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGHUP, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cmd := exec.CommandContext(t.Context(), binary, "demo", "--listen", "127.0.0.1:0")
			cmd.Env = append(os.Environ(), "TMPDIR="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for lines := bufio.NewScanner(out); lines.Scan() && !strings.HasPrefix(lines.Text(), "1  "); {
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("at work it has %v, %v; want a folder", left, err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
}
