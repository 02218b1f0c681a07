package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fovea/integration/process"
	"fovea/internal/awsjson"
	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"
)

// A scenario is a story that every client that can tells a server of its own.
type scenario struct {
	name  string
	texts map[string]string // variables it starts with; ${p} is its name
	brief bool              // also for the CLI, which takes most of a second a call
	steps []step
}

// A step is one call. Its texts are JSON in which ${NAME} stands for a
// variable. Without err the call must succeed.
type step struct {
	call   string // service.Operation
	in     string // input, with member names as on the wire
	want   string // pattern of the output, see match
	err    string // name of the error
	status int    // its HTTP status
	says   string // regular expression that its message contains
	fields string // pattern of its further members
	save   string // NAME=path of the output, separated by blanks
	while  string // pattern of outputs after which to ask again, as pollers do
	unless string // clients that cannot make the call, and so pass over it
}

// pollEvery is how often a step is asked again, for as long as patience lasts.
const pollEvery = 20 * time.Millisecond

// scenarios is the table that all clients run.
var scenarios = slices.Concat(s3Scenarios, customLabelsScenarios, changeScenarios, lookoutScenarios, lookoutChanges, trainingScenarios, tagScenarios)

// A maker makes a client for the time of a test, which tries a call so often.
type maker struct {
	name     string
	services []string
	make     func(t *testing.T, server *process.Server, attempts int) client
}

func ok(make func(*process.Server, int) (client, error)) func(*testing.T, *process.Server, int) client {
	return func(t *testing.T, server *process.Server, attempts int) client {
		t.Helper()
		c, err := make(server, attempts)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

var all = []string{"rekognition", "lookoutvision", "s3"}

var makers = []maker{
	{"go1", all, ok(newGoV1)},
	{"go2", []string{"rekognition", "s3"}, ok(newGoV2)},
	{"boto3", all, func(t *testing.T, s *process.Server, attempts int) client {
		return newBoto3(t, s, fmt.Sprint("DRIVER_ATTEMPTS=", attempts))
	}},
	{"js", all, func(t *testing.T, s *process.Server, attempts int) client {
		return newNode(t, s, fmt.Sprint("DRIVER_ATTEMPTS=", attempts))
	}},
	{"cli", all, func(t *testing.T, s *process.Server, _ int) client { return newCLI(t, s) }},
}

func TestScenarios(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t)
			c := m.make(t, server, 1)
			for _, s := range scenarios {
				if s.runsOn(m.services) && (s.brief || m.name != "cli") {
					t.Run(s.name, func(t *testing.T) { s.run(t, m.name, c) })
				}
			}
		})
	}
}

func (s scenario) runsOn(services []string) bool {
	for _, step := range s.steps {
		service, _, _ := strings.Cut(step.call, ".")
		if !slices.Contains(services, service) {
			return false
		}
	}
	return true
}

// run lets a client tell the scenario, and returns the variables at its end.
func (s scenario) run(t *testing.T, name string, c client) map[string]string {
	t.Helper()
	vars := map[string]string{"p": strings.ReplaceAll(s.name, " ", "-")}
	maps.Copy(vars, s.texts)
	for i, step := range s.steps {
		if slices.Contains(strings.Fields(step.unless), name) {
			continue
		}
		if err := step.run(t.Context(), c, vars); err != nil {
			t.Fatalf("step %d, %s %s: %v", i+1, step.call, step.in, err)
		}
	}
	return vars
}

// tell runs steps with the SDK for Go v1, which has both services, and returns
// the variables at their end; ${p} is p.
func tell(t *testing.T, server *process.Server, p string, steps ...step) map[string]string {
	t.Helper()
	c, err := newGoV1(server, 1)
	if err != nil {
		t.Fatal(err)
	}
	return scenario{name: p, steps: steps}.run(t, "go1", c)
}

func (s step) run(ctx context.Context, c client, vars map[string]string) error {
	service, operation, _ := strings.Cut(s.call, ".")
	parts := map[string]any{}
	for name, text := range map[string]string{"in": s.in, "want": s.want, "fields": s.fields, "while": s.while} {
		v, err := expand(text, vars)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		parts[name] = v
	}
	in, _ := parts["in"].(map[string]any)
	for deadline := time.Now().Add(patience); ; {
		got, err := c.call(ctx, service, operation, in)
		if err != nil {
			return fmt.Errorf("the client: %w", err)
		}
		if got.Error == nil && s.while != "" && match(parts["while"], normal(got.Out)) == "" {
			if time.Now().After(deadline) {
				return fmt.Errorf("for %v it stayed %s", patience, show(got.Out))
			}
			time.Sleep(pollEvery)
			continue
		}
		return s.judge(got, c, parts, vars)
	}
}

// judge says what is wrong with an answer, and saves what later steps need.
func (s step) judge(got answer, c client, parts map[string]any, vars map[string]string) error {
	if _, isCLI := c.(*cli); !isCLI && !strings.HasPrefix(s.call, "s3.") && got.RequestID == "" {
		return fmt.Errorf("no request id in the answer %s", show(got.Out))
	}
	if s.err != "" {
		return s.judgeError(got, parts)
	}
	if got.Error != nil {
		return fmt.Errorf("failed: %w", got.Error)
	}
	out := normal(got.Out)
	if s.want != "" {
		if diff := match(parts["want"], out); diff != "" {
			return fmt.Errorf("answered otherwise: %s", diff)
		}
	}
	for _, saving := range strings.Fields(s.save) {
		name, path, _ := strings.Cut(saving, "=")
		v, found := lookup(out, path)
		text, isText := v.(string)
		if !found || !isText {
			return fmt.Errorf("no text at %s of %s", path, show(out))
		}
		vars[name] = text
	}
	return nil
}

func (s step) judgeError(got answer, parts map[string]any) error {
	e := got.Error
	switch {
	case e == nil:
		return fmt.Errorf("succeeded with %s, want %s", show(got.Out), s.err)
	case e.Code != s.err, e.Status != 0 && e.Status != s.status:
		return fmt.Errorf("failed with %w, want %s (%d)", e, s.err, s.status)
	case e.Class != "" && s.modelled() && e.Class != s.err:
		return fmt.Errorf("failed with %w, which is a %s and not the SDK's own class", e, e.Class)
	case !regexp.MustCompile(s.says).MatchString(e.Message):
		return fmt.Errorf("failed with %w, want a message with %s", e, s.says)
	case s.fields != "" && e.Fields != nil:
		if diff := match(parts["fields"], normal(e.Fields)); diff != "" {
			return fmt.Errorf("failed with %w, and %s", e, diff)
		}
	}
	return nil
}

// modelled reports whether the description of the service has the step's error,
// so that SDKs have a class of its name.
func (s step) modelled() bool {
	switch service, _, _ := strings.Cut(s.call, "."); service {
	case "rekognition":
		return slices.ContainsFunc(rekognition.Description.Errors, s.is)
	case "lookoutvision":
		return slices.ContainsFunc(lookout.Description.Errors, s.is)
	}
	return false
}

func (s step) is(e *awsjson.ErrorShape) bool { return e.Name == s.err }

// normal returns v as JSON would bring it, an absent output as an empty one.
func normal(v map[string]any) map[string]any {
	if v == nil {
		return map[string]any{}
	}
	return v
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// expand puts the variables into a JSON text and parses it; nil for none. The
// value of a variable may have variables of its own.
func expand(text string, vars map[string]string) (any, error) {
	if text == "" {
		return nil, nil
	}
	var missing string
	put := func(text string, escape bool) string {
		return variable.ReplaceAllStringFunc(text, func(name string) string {
			value, ok := vars[name[2:len(name)-1]]
			if !ok {
				missing = name
			}
			if !escape {
				return value
			}
			quoted, _ := json.Marshal(value)
			return string(quoted[1 : len(quoted)-1])
		})
	}
	inner := map[string]string{}
	for name, value := range vars {
		inner[name] = put(value, false)
	}
	vars = inner
	text = put(text, true)
	if missing != "" {
		return nil, fmt.Errorf("no variable %s", missing)
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("%w in %s", err, text)
	}
	return v, nil
}
