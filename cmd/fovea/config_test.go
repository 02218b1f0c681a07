package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// run executes the program's command line and returns what it wrote.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	return out.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// loadConfig reads the settings of a server from flags and what else there is.
func loadConfig(t *testing.T, args ...string) (config, error) {
	t.Helper()
	var c config
	cmd := &cobra.Command{Use: "settings", RunE: func(*cobra.Command, []string) error { return nil }}
	c.serverFlags(cmd.Flags())
	configFlag(cmd)
	root := rootCommand()
	root.AddCommand(cmd)
	root.SetArgs(append([]string{"settings"}, args...))
	err := root.Execute()
	return c, err
}

// TestPrecedence: a flag wins, then the environment, then the file, then the
// default.
func TestPrecedence(t *testing.T) {
	file := write(t, "fovea.conf", "# a comment\n\nregion = file-1\nlisten=127.0.0.1:1\n  s3-domains = a.example,b.example \ncheck-images = true\nlimit = custom-labels.labels=1\n")
	key := []string{"--access-key", "FVKAEXAMPLE", "--secret-key", "0123456789"}
	region := func(args ...string) string {
		out, err := run(t, append(append([]string{"env"}, args...), key...)...)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(out, "AWS_REGION=")
		got, _, _ := strings.Cut(rest, "\n")
		return got
	}
	if got := region(); got != "us-east-1" {
		t.Errorf("default: %s", got)
	}
	if got := region("--config", file); got != "file-1" {
		t.Errorf("file: %s", got)
	}
	t.Setenv("FOVEA_REGION", "env-1")
	if got := region("--config", file); got != "env-1" {
		t.Errorf("environment: %s", got)
	}
	if got := region("--config", file, "--region", "flag-1"); got != "flag-1" {
		t.Errorf("flag: %s", got)
	}
	t.Setenv("FOVEA_CONFIG", file)
	os.Unsetenv("FOVEA_REGION")
	if got := region(); got != "file-1" {
		t.Errorf("file that the environment names: %s", got)
	}
}

// TestTwins: lists, maps and booleans have twins, too, and what they say takes
// the place of the default instead of coming after it.
func TestTwins(t *testing.T) {
	t.Setenv("FOVEA_CORS_ORIGINS", "https://a.example,https://b.example")
	t.Setenv("FOVEA_PUBLIC_PAGES", "")
	t.Setenv("FOVEA_CHECK_IMAGES", "true")
	t.Setenv("FOVEA_S3_PATH_STYLE", "false")
	t.Setenv("FOVEA_LIMIT", "custom-labels.labels=5,lookout.train-entries=0")
	t.Setenv("FOVEA_IMPORT_RANGE", "1048576")
	c, err := loadConfig(t)
	if err != nil {
		t.Fatal(err)
	}
	want := config{CORSOrigins: []string{"https://a.example", "https://b.example"}, PublicPages: []string{}, CheckImages: true,
		Limit: map[string]string{"custom-labels.labels": "5", "lookout.train-entries": "0"}, ImportRange: 1 << 20}
	got := config{CORSOrigins: c.CORSOrigins, PublicPages: c.PublicPages, CheckImages: c.CheckImages, S3PathStyle: c.S3PathStyle, Limit: c.Limit, ImportRange: c.ImportRange}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
}

// TestConfigErrors: an error names the file or variable, and what is wrong.
func TestConfigErrors(t *testing.T) {
	for _, tt := range []struct{ name, file, env, want string }{
		{name: "not of the form", file: "region us\n", want: `fovea.conf:1: "region us" is not of the form name = value`},
		{name: "unknown", file: "listne = x\n", want: `fovea.conf sets "listne", which no command has; did you mean listen?`},
		{name: "unknown, and near none", file: "\ufeffcolour = x\n", want: `fovea.conf sets "colour", which no command has` + "\n"},
		{name: "bad value", file: "import-workers = many\n", want: `fovea.conf sets import-workers to "many"`},
		{name: "long line", file: "region = " + strings.Repeat("x", 70_000), want: "fovea.conf: "},
		{name: "bad value in the environment", env: "many", want: `the environment sets import-workers to "many"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{}
			if tt.file != "" {
				args = append(args, "--config", write(t, "fovea.conf", tt.file))
			}
			if tt.env != "" {
				t.Setenv("FOVEA_IMPORT_WORKERS", tt.env)
			}
			if _, err := loadConfig(t, args...); err == nil || !strings.Contains(err.Error()+"\n", tt.want) {
				t.Errorf("err = %v, want %q in it", err, tt.want)
			}
		})
	}
	if _, err := loadConfig(t, "--config", "/nowhere/fovea.conf"); err == nil || !strings.Contains(err.Error(), "/nowhere/fovea.conf") {
		t.Errorf("err = %v", err)
	}
	// A file serves all commands: settings of others are passed over.
	if _, err := loadConfig(t, "--config", write(t, "fovea.conf", "max-findings = 5\nservice = lookout\n")); err != nil {
		t.Error(err)
	}
}

// TestValidate: what would make a server that no client can use is refused.
func TestValidate(t *testing.T) {
	for flag, want := range map[string]string{
		"--account=12":         "12 digits",
		"--region=US East":     "--region",
		"--region=":            "--region",
		"--partition=a:b":      "--partition",
		"--regions=all":        "one or scope",
		"--tls-cert=c.pem":     "go together",
		"--import-range=-1":    "not negative",
		"--import-range=1":     "--import-range 1",
		"--limits=some":        "aws or none",
		"--limit=labels=1":     "custom-labels. or lookout.",
		"--access-key=a/b":     "go together",
		"--database=mysql://x": "mysql",
	} {
		c, err := loadConfig(t, flag, "--data", filepath.Join(t.TempDir(), "d"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := openNode(context.Background(), &c, slog.New(slog.DiscardHandler))
		n.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: err = %v, want %q in it", flag, err, want)
		}
	}
	c := config{AccessKey: "a/b", SecretKey: "0123456789"}
	if _, err := c.rootKey(); err == nil {
		t.Error("an access key with a slash is taken, and no request can be signed with it")
	}
}

// TestRootKey (T16): the first start makes a random key pair, in a file that
// only its owner reads; the next one uses it.
func TestRootKey(t *testing.T) {
	c := config{Data: t.TempDir()}
	first, err := c.ensureRootKey()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(c.Data, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode = %v, want 0600", info.Mode())
	}
	if len(first.Secret) != 40 || len(first.ID) != 20 || strings.Trim(first.ID, keyLetters) != "" {
		t.Errorf("key = %+v", first)
	}
	if again, err := c.ensureRootKey(); err != nil || again != first {
		t.Errorf("second start: %+v, %v", again, err)
	}
	other := config{Data: t.TempDir()}
	if k, err := other.ensureRootKey(); err != nil || k == first {
		t.Errorf("two installations have one key: %v", err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, keyFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ensureRootKey(); err == nil || !strings.Contains(err.Error(), keyFile) {
		t.Errorf("damaged file: err = %v", err)
	}
}

// TestEnv: a shell reads back what was set, whatever characters it has.
func TestEnv(t *testing.T) {
	if _, err := run(t, "env", "--data", t.TempDir()); err == nil || !strings.Contains(err.Error(), "fovea serve") {
		t.Errorf("without a server: err = %v", err)
	}
	const secret = `it's $HOME; "rm -rf" \ & more`
	out, err := run(t, "env", "--access-key", "FVKAEXAMPLE", "--secret-key", secret, "--listen", "[::]:7460", "--tls-cert", "c.pem")
	if err != nil {
		t.Fatal(err)
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	got, err := exec.Command(sh, "-c", out+"\nprintf '%s|%s|%s|%s|%s' \"$AWS_ENDPOINT_URL\" \"$AWS_ACCESS_KEY_ID\" \"$AWS_SECRET_ACCESS_KEY\" \"$AWS_REGION\" \"$AWS_DEFAULT_REGION\"").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := "https://localhost:7460|FVKAEXAMPLE|" + secret + "|us-east-1|us-east-1"; string(got) != want {
		t.Errorf("a shell reads %q, want %q", got, want)
	}
}

// TestGreet: what is to be typed next names what is not by default.
func TestGreet(t *testing.T) {
	c := config{Data: "/a b", Listen: "127.0.0.1:0", Region: "eu-west-1", TLSCert: "c.pem"}
	var out bytes.Buffer
	c.greet(&out, "127.0.0.1:7460", keyPair{ID: "FVKAEXAMPLE", Secret: "the secret"})
	if want := " env --data '/a b' --listen 127.0.0.1:7460 --region eu-west-1 --tls-cert c.pem)"; !strings.Contains(out.String(), want) {
		t.Errorf("%s\nwant %q in it", out.String(), want)
	}
	if strings.Contains(out.String(), "the secret") {
		t.Error("the secret is shown")
	}
}

// TestPair: a server does not start with the segments of another database,
// which its sweep would remove.
func TestPair(t *testing.T) {
	data := t.TempDir()
	start := func(args ...string) error {
		c, err := loadConfig(t, append(args, "--data", data)...)
		if err != nil {
			t.Fatal(err)
		}
		n, err := openNode(context.Background(), &c, slog.New(slog.DiscardHandler))
		if e := n.Close(); e != nil {
			t.Error(e)
		}
		return err
	}
	for range 2 {
		if err := start(); err != nil {
			t.Fatal(err)
		}
	}
	other := "sqlite:" + filepath.Join(t.TempDir(), "other.db")
	if err := start("--database", other); err == nil || !strings.Contains(err.Error(), data) {
		t.Errorf("with another database: err = %v", err)
	}
}

// TestByteOrderMark: a file that a Windows editor has written is read.
func TestByteOrderMark(t *testing.T) {
	c, err := loadConfig(t, "--config", write(t, "fovea.conf", "\ufeffregion = file-1\r\nlisten = 127.0.0.1:1\r\n"))
	if err != nil || c.Region != "file-1" || c.Listen != "127.0.0.1:1" {
		t.Errorf("%q %q, %v", c.Region, c.Listen, err)
	}
}

// TestMisspeltVariables: a variable of fovea's that sets nothing is told with the
// nearest that does, and does no harm.
func TestMisspeltVariables(t *testing.T) {
	var out bytes.Buffer
	names := settingNames(rootCommand())
	warnOfVariables(&out, []string{"FOVEA_LISTNE=x", "FOVEA_S3_REGIONS=x", "FOVEA_COLOUR=x", "FOVEA_LISTEN=x", "FOVEA_KEEP_DAYS=1", "FOVEA_CONFIG=x",
		"FOVEA_TEST_DATA=x", "FOVEAL=x", "PATH=/bin"}, names)
	want := "fovea: the variable FOVEA_COLOUR sets nothing\n" +
		"fovea: the variable FOVEA_LISTNE sets nothing; did you mean FOVEA_LISTEN?\n" +
		"fovea: the variable FOVEA_S3_REGIONS sets nothing; did you mean FOVEA_S3_REGION?\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	t.Setenv("FOVEA_LISTNE", "127.0.0.1:1")
	text, err := run(t, "env", "--access-key", "FVKAEXAMPLE", "--secret-key", "0123456789")
	if err != nil || !strings.Contains(text, "did you mean FOVEA_LISTEN?") || !strings.Contains(text, "AWS_REGION=us-east-1") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestClientDefaults: what AWS clients read stands in for what the flags do not
// say about S3, and for nothing else. A session token goes with its keys.
func TestClientDefaults(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "SK", "AWS_SESSION_TOKEN": "ST",
		"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-2", "AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://s3",
	} {
		t.Setenv(name, value)
	}
	env := config{S3Endpoint: "http://s3", S3Region: "eu-west-1", S3AccessKey: "AK", S3SecretKey: "SK", S3Token: "ST"}
	for _, tt := range []struct {
		name   string
		change func(given, want *config)
	}{
		{"nothing given", func(given, want *config) {}},
		{"the region that is the default", func(given, want *config) {
			given.S3RegionSet, want.S3RegionSet, want.S3Region = true, true, "us-east-1"
		}},
		{"an endpoint", func(given, want *config) { given.S3Endpoint, want.S3Endpoint = "http://own", "http://own" }},
		{"keys", func(given, want *config) {
			given.S3AccessKey, given.S3SecretKey = "AK2", "SK2"
			want.S3AccessKey, want.S3SecretKey, want.S3Token = "AK2", "SK2", ""
		}},
		{"keys with a token", func(given, want *config) {
			given.S3AccessKey, given.S3SecretKey, given.S3Token = "AK2", "SK2", "ST2"
			want.S3AccessKey, want.S3SecretKey, want.S3Token = "AK2", "SK2", "ST2"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given, want := config{S3Region: defaultRegion}, env
			tt.change(&given, &want)
			for range 2 { // a second time changes nothing
				given.clientDefaults()
				if diff := cmp.Diff(want, given); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
	cmd := checkCommand()
	if err := cmd.Flags().Set("s3-region", defaultRegion); err != nil || !cmd.Flags().Changed("s3-region") {
		t.Error("a flag that is given its default is not known to be given")
	}
}

// What is shown to be typed works where the program was started.
func TestTyped(t *testing.T) {
	for _, tt := range []struct{ path, called, want string }{
		{"/usr/bin/fovea", "fovea", "fovea"},
		{"/home/me/fovea", "./fovea", "./fovea"},
		{"/home/me/a b/fovea", "/home/me/a b/fovea", "'/home/me/a b/fovea'"},
		{"/tmp/go-build123/b001/exe/fovea", "/tmp/go-build123/b001/exe/fovea", "go run ./cmd/fovea"},
		{"", "fovea", "fovea"},
	} {
		if got := typed(tt.path, tt.called); got != tt.want {
			t.Errorf("%s at %s: %q, want %q", tt.called, tt.path, got, tt.want)
		}
	}
}
