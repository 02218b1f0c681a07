package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCLIFiles moves files with the high-level commands of the AWS CLI.
func TestCLIFiles(t *testing.T) {
	t.Parallel()
	c := newCLI(t, serve(t))
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(c.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("up/a.jpg", "a")
	write("up/deep/b.jpg", "b")
	write("up/c d.txt", "c")
	large := strings.Repeat("0123456789abcdef", 17<<20/16) // above the CLI's threshold for parts
	write("large", large)

	for _, tt := range []struct {
		name   string
		args   string // separated by single blanks
		prints []string
		lacks  []string
	}{
		{name: "make", args: "s3 mb s3://files", prints: []string{"make_bucket: files"}},
		{name: "sync up", args: "s3 sync up s3://files/img", prints: []string{"s3://files/img/a.jpg", "s3://files/img/deep/b.jpg", "c d.txt"}},
		{name: "sync again", args: "s3 sync up s3://files/img", lacks: []string{"upload"}},
		{name: "list", args: "s3 ls s3://files/img/", prints: []string{"PRE deep/", "a.jpg", "c d.txt"}},
		{name: "copy up in parts", args: "s3 cp large s3://files/large --no-progress", prints: []string{"upload: "}},
		{name: "copy down", args: "s3 cp s3://files/large down-large --no-progress", prints: []string{"download: "}},
		{name: "copy within", args: "s3 cp s3://files/img/a.jpg s3://files/copy.jpg", prints: []string{"copy: "}},
		{name: "sync down", args: "s3 sync s3://files/img down --exclude *.txt", prints: []string{"down/a.jpg", "down/deep/b.jpg"}, lacks: []string{"c d.txt"}},
		{name: "move", args: "s3 mv s3://files/copy.jpg s3://files/moved.jpg", prints: []string{"move: "}},
		{name: "presign", args: "s3 presign s3://files/moved.jpg", prints: []string{"X-Amz-Signature="}},
		{name: "remove one", args: "s3 rm s3://files/moved.jpg", prints: []string{"delete: "}},
		{name: "remove all", args: "s3 rm s3://files --recursive", prints: []string{"files/img/a.jpg", "files/large"}},
		{name: "is empty", args: "s3 ls s3://files --recursive --summarize", prints: []string{"Total Objects: 0"}},
		{name: "remove bucket", args: "s3 rb s3://files", prints: []string{"remove_bucket: files"}},
	} {
		stdout, stderr, err := c.run(t.Context(), strings.Split(tt.args, " ")...)
		if err != nil && tt.name != "is empty" { // ls of nothing has exit status 1
			t.Fatalf("%s: aws %s: %v\n%s", tt.name, tt.args, err, stderr)
		}
		for _, text := range tt.prints {
			if !strings.Contains(stdout, text) {
				t.Errorf("%s: aws %s printed no %q:\n%s", tt.name, tt.args, text, stdout)
			}
		}
		for _, text := range tt.lacks {
			if strings.Contains(stdout, text) {
				t.Errorf("%s: aws %s printed %q:\n%s", tt.name, tt.args, text, stdout)
			}
		}
	}
	for name, want := range map[string]string{"down/a.jpg": "a", "down/deep/b.jpg": "b", "down-large": large} {
		if got, err := os.ReadFile(filepath.Join(c.dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %d bytes, %v; want %d", name, len(got), err, len(want))
		}
	}
}
