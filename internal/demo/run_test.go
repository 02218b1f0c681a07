package demo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fovea/integration/process"
)

// startServer runs fovea as a user does, on a folder of its own.
func startServer(t *testing.T) *process.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs fovea")
	}
	binary, err := process.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := &process.Server{Binary: binary, Data: t.TempDir()}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func configFor(server *process.Server, out *bytes.Buffer) Config {
	return Config{
		Endpoint: server.Endpoint(), AccessKey: server.KeyID(), SecretKey: server.Secret(), Region: server.Region(),
		Out: out, Data: server.Data,
	}
}

func TestRun(t *testing.T) {
	server := startServer(t)
	var out bytes.Buffer
	c := configFor(server, &out)
	c.KeepImages = t.TempDir()
	// A user's own profile must not matter.
	t.Setenv("AWS_PROFILE", "nobody")
	t.Setenv("AWS_REGION", "nowhere-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	if err := Run(t.Context(), c); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), server.Output())
	}
	t.Log("\n" + out.String())
	checkShape(t, out.String())
	for _, want := range []string{
		"plates       TRAIN s3://demo-plates/train.manifest CREATE_COMPLETE      29      29      3      2",
		"plates       TEST  s3://demo-plates/test.manifest  CREATE_COMPLETE       8       8      3      0",
		"plates-copy  TRAIN a copy of plates TRAIN          CREATE_COMPLETE      29      29      3      2",
		"plates-copy  TEST  nothing, to be filled later     CREATE_COMPLETE       0       0      0      0",
		"flanges      train s3://demo-flanges/train.manifest CREATE_COMPLETE      20      20     12      8",
		"flanges      test  s3://demo-flanges/test.manifest CREATE_COMPLETE      20      20     10     10",
		"lids         train s3://demo-lids/train.manifest   CREATE_COMPLETE      80      80     48     32",
		"lids         test  s3://demo-lids/test.manifest    CREATE_COMPLETE      40      40     24     16",
		"s3://demo-flanges/bad.manifest CREATE_FAILED         0       0      0      0",
		"CreateModel TRAINED in", "from the 80 images of lids train", "StartModel HOSTED",
		"DetectAnomalies on 40 that it has not seen, 16 of them spoiled",
		"fovea import photos --service lookout --project mine", "aws lookoutvision create-model --project-name mine",
		"ERROR_INVALID_BOUNDING_BOX", "ERROR_MISSING_CLASS_MAP_ID", "ERROR_INVALID_JSON_LINE",
		"ERROR_MISSING_SOURCE_REF", "ERROR_DUPLICATE_SOURCE_REF",
		"ERROR_MISSING_METADATA", "ERROR_INVALID_HEX_COLOR",
		`eval "$(fovea env --data ` + server.Data,
	} {
		if !strings.Contains(squeeze(out.String()), squeeze(want)) {
			t.Errorf("the output lacks %q", want)
		}
	}
	for _, name := range []string{"demo-plates/images/plate-40.jpg", "demo-flanges/masks/flange-13.png", "lids/good/lid-001.jpg", "lids/crack/lid-004.jpg", "unseen/lid-124.jpg"} {
		if st, err := os.Stat(filepath.Join(c.KeepImages, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s was not kept: %v", name, err)
		}
	}
	checkScores(t, out.String())
	// It can be told once: the second time names what is in the way.
	out.Reset()
	if err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "plates") {
		t.Errorf("a second run says %v, want what is there already", err)
	}
}

// checkScores checks that the model is worth showing. Each training draws
// other random numbers, so that the scores differ a little from run to run.
func checkScores(t *testing.T, text string) {
	t.Helper()
	scores := regexp.MustCompile(`F1 ([01]\.[0-9]{2})`).FindAllStringSubmatch(text, -1)
	if len(scores) != 2 {
		t.Fatalf("F1 is told %d times, want of the test dataset and of what was not seen", len(scores))
	}
	for _, score := range scores {
		if f1, err := strconv.ParseFloat(score[1], 64); err != nil || f1 < 0.9 || f1 > 1 {
			t.Errorf("%s, want at least 0.9", score[0])
		}
	}
}

// squeeze returns text with one blank for each run of them.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// checkShape checks that the text fits on a screen.
func checkShape(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > 82 { // one of them about kept images
		t.Errorf("%d lines, want at most 82", len(lines))
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > lineWidth && !strings.Contains(l, " env --data ") {
			t.Errorf("%d columns: %s", n, l)
		}
		if strings.TrimRight(l, " ") != l || strings.ContainsAny(l, "\x1b\r\t") || strings.Contains(l, "%!") {
			t.Errorf("odd line: %q", l)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var out bytes.Buffer
	c := Config{Endpoint: "http://127.0.0.1:1", AccessKey: "a", SecretKey: "b", Region: "us-east-1", Out: &out}
	start := time.Now()
	if err := Run(ctx, c); err == nil {
		t.Error("no error without a server")
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v to end", d)
	}
}
