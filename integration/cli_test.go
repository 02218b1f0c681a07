package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"fovea/integration/process"
)

// A cli is Debian's AWS CLI. Every call is a process of its own.
type cli struct {
	server  *process.Server
	program []string // and the arguments before all others
	dir     string   // where it runs
	env     []string
}

// cliConfig makes the CLI show dates as they came and never ask or page.
const cliConfig = `[default]
cli_timestamp_format = wire
cli_binary_format = raw-in-base64-out
cli_pager =
parameter_validation = false
max_attempts = 1
s3 =
  addressing_style = path
`

func newCLI(t *testing.T, server *process.Server) *cli {
	t.Helper()
	needs(t, awsCLI, "--version")
	dir := t.TempDir()
	config := filepath.Join(dir, "config")
	if err := os.WriteFile(config, []byte(cliConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	return &cli{server: server, program: []string{awsCLI}, dir: dir, env: append(cleanEnv(t, server), "AWS_CONFIG_FILE="+config)}
}

// run runs the CLI with the server as its endpoint.
func (c *cli) run(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	args = slices.Concat(c.program, []string{"--endpoint-url", c.server.Endpoint()}, args)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Dir = c.env, c.dir
	var out, fails bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fails
	err = cmd.Run()
	return out.String(), fails.String(), err
}

// call implements client.
func (c *cli) call(ctx context.Context, service, operation string, in map[string]any) (answer, error) {
	in = maps.Clone(in)
	command := service
	if service == "s3" {
		command = "s3api"
	}
	args := []string{command, dashed(operation), "--output", "json"}
	if strings.HasPrefix(operation, "List") {
		args = append(args, "--no-paginate")
	}
	file := filepath.Join(c.dir, "body")
	if body, ok := in["Body"].(string); ok {
		if err := os.WriteFile(file, blob(body), 0o600); err != nil {
			return answer{}, err
		}
		delete(in, "Body")
		args = append(args, "--body", file)
	}
	switch {
	case operation == "GetObject": // takes no JSON beside the name of a file
		for name, value := range in {
			args = append(args, "--"+dashed(name), fmt.Sprint(value))
		}
		args = append(args, file)
	case len(in) > 0:
		input, err := json.Marshal(in)
		if err != nil {
			return answer{}, err
		}
		args = append(args, "--cli-input-json", string(input))
	}
	stdout, stderr, err := c.run(ctx, args...)
	if err != nil {
		return failedCLI(stderr, err)
	}
	var got answer
	if stdout != "" {
		if err := json.Unmarshal([]byte(stdout), &got.Out); err != nil {
			return answer{}, fmt.Errorf("aws %s printed %q: %w", strings.Join(args, " "), stdout, err)
		}
	}
	if operation == "GetObject" {
		body, err := os.ReadFile(file)
		got.Out["Body"] = string(body)
		return got, err
	}
	return got, nil
}

// dashed returns the CLI's name of an operation: ListDatasetEntries is
// list-dataset-entries.
func dashed(operation string) string {
	var b strings.Builder
	for i, r := range operation {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

var cliError = regexp.MustCompile(`An error occurred \(([^)]*)\) when calling the \w+ operation(?: \(reached max retries: \d+\))?: ?(.*)`)

func failedCLI(stderr string, err error) (answer, error) {
	if m := cliError.FindStringSubmatch(stderr); m != nil {
		return answer{Error: &callError{Code: m[1], Message: m[2]}}, nil
	}
	return answer{}, errors.Join(err, errors.New(stderr))
}
