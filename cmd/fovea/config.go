package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fovea/internal/dataset"
	"fovea/internal/lint"
)

// A config is what flags, their environment twins and the config file set.
type config struct {
	Listen   string
	Data     string
	Database string
	Blobs    string
	TLSCert  string
	TLSKey   string

	S3Endpoint  string
	S3Region    string
	S3AccessKey string
	S3SecretKey string
	S3Token     string
	S3PathStyle bool
	S3Domains   []string
	S3RegionSet bool // by a flag, the environment or the file

	AccessKey string
	SecretKey string
	Account   string
	Region    string
	Partition string
	Regions   string

	Limits        string
	Limit         map[string]string
	RateLimits    map[string]string
	CORSOrigins   []string
	PublicPages   []string
	CheckImages   bool
	ImportRange   int64
	ImportWorkers int
	SegmentCache  int64
	TrainingCores int
	TrainingTime  time.Duration
	ModelMemory   int64
	Backbones     []string
	KeepRevisions int64
	KeepDays      int64
	LogFormat     string
	LogLevel      string
}

const (
	defaultListen = "127.0.0.1:7373"
	defaultRegion = "us-east-1"
)

// dataFlags are the flags that say which installation is meant.
func (c *config) dataFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Listen, "listen", defaultListen, "address and port of the server")
	f.StringVar(&c.Data, "data", "./fovea-data", "folder that holds everything")
	f.StringVar(&c.AccessKey, "access-key", "", "access key of the root user (default: one made at first start)")
	f.StringVar(&c.SecretKey, "secret-key", "", "secret key of the root user")
	f.StringVar(&c.Region, "region", defaultRegion, "AWS region that resources are in")
	f.StringVar(&c.TLSCert, "tls-cert", "", "certificate file; with it the server speaks HTTPS")
}

// s3Flags are the flags that name an external S3.
func (c *config) s3Flags(f *pflag.FlagSet) {
	f.StringVar(&c.S3Endpoint, "s3-endpoint", "", "URL of the S3 that holds manifests and images (default: fovea's own; \"aws\" for Amazon's)")
	f.StringVar(&c.S3Region, "s3-region", defaultRegion, "region of that S3")
	f.StringVar(&c.S3AccessKey, "s3-access-key", "", "access key for that S3")
	f.StringVar(&c.S3SecretKey, "s3-secret-key", "", "secret key for that S3")
	f.StringVar(&c.S3Token, "s3-session-token", "", "session token of temporary keys for that S3")
	f.BoolVar(&c.S3PathStyle, "s3-path-style", true, "bucket in the path and not in the host name")
}

// storeFlags are the flags that say where datasets are.
func (c *config) storeFlags(f *pflag.FlagSet) {
	f.StringVar(&c.Database, "database", "", "URL of the database (default: sqlite: in the data folder)")
	f.StringVar(&c.Blobs, "blobs", "", "s3://bucket/prefix for segments, reports and the weights of models (default: the data folder)")
}

// serverFlags are the flags of a server.
func (c *config) serverFlags(f *pflag.FlagSet) {
	c.dataFlags(f)
	c.s3Flags(f)
	c.storeFlags(f)
	f.StringVar(&c.TLSKey, "tls-key", "", "key file of the certificate")
	f.StringSliceVar(&c.S3Domains, "s3-domains", []string{"localhost"}, "domains under which fovea's own S3 takes bucket.domain")
	f.StringVar(&c.Account, "account", "000000000000", "AWS account id that resources belong to, 12 digits")
	f.StringVar(&c.Partition, "partition", "aws", "partition of ARNs")
	f.StringVar(&c.Regions, "regions", "one", "one: all regions that clients sign for are this server's; scope: keep them apart")
	f.StringVar(&c.Limits, "limits", "aws", "aws: the quotas of AWS; none: no quotas")
	f.StringToStringVar(&c.Limit, "limit", nil, "single quotas, such as custom-labels.labels=500,lookout.train-entries=0; 0 is none")
	f.StringToStringVar(&c.RateLimits, "rate-limits", nil, "requests a second of each operation, such as custom-labels=50,lookout=5 (default: no limit)")
	f.StringSliceVar(&c.CORSOrigins, "cors-origins", []string{"*"}, "origins whose web pages may call the APIs")
	f.StringSliceVar(&c.PublicPages, "public-pages", []string{"/", "/healthz", "/readyz", "/metrics"}, "pages that need no signature")
	f.BoolVar(&c.CheckImages, "check-images", false, "open the images of every import and report what is wrong with them")
	f.Int64Var(&c.ImportRange, "import-range", 0, "bytes of a manifest that are one unit of work (default 8 MiB)")
	f.IntVar(&c.ImportWorkers, "import-workers", 0, "units of one import that are worked on at a time (default: the number of processors)")
	f.Int64Var(&c.SegmentCache, "segment-cache", 0, "bytes of datasets to keep in memory (default 256 MiB)")
	f.IntVar(&c.TrainingCores, "training-cores", 0, "processors that a training may use (default: all but one)")
	f.DurationVar(&c.TrainingTime, "training-time", 0, "how long a training may take, such as 90m (default 24h)")
	f.Int64Var(&c.ModelMemory, "model-memory", 0, "bytes of running models to keep in memory (default 1 GiB)")
	f.StringSliceVar(&c.Backbones, "backbone", nil, "ONNX file of a network that new models look through instead of the one in the program; further ones serve models that were trained with them")
	f.Int64Var(&c.KeepRevisions, "keep-revisions", dataset.DefaultRetention.Revisions, "how many revisions of a dataset to keep, the current one included; 0 for all")
	f.Int64Var(&c.KeepDays, "keep-days", int64(dataset.DefaultRetention.Age/day), "days to keep a revision that was replaced; 0 for ever")
	f.StringVar(&c.LogFormat, "log-format", "text", "text or json")
	f.StringVar(&c.LogLevel, "log-level", "info", "debug, info, warn or error")
}

// load gives flags that the command line does not set the value that the
// environment or the config file has for them.
func load(cmd *cobra.Command, _ []string) error {
	flags := cmd.Flags()
	path, _ := flags.GetString("config")
	if v, ok := os.LookupEnv("FOVEA_CONFIG"); ok && !flags.Changed("config") {
		path = v
	}
	file, err := readConfig(path)
	if err != nil {
		return err
	}
	names := settingNames(cmd.Root())
	for _, name := range slices.Sorted(maps.Keys(file)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s sets %q, which no command has%s", path, name, didYouMean(name, names, func(n string) string { return n }))
		}
	}
	warnOfVariables(cmd.ErrOrStderr(), os.Environ(), names)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || err != nil || f.Name == "config" || f.Name == "help" {
			return
		}
		source, value, ok := "the environment", "", false
		if value, ok = os.LookupEnv(twin(f.Name)); !ok {
			source = path
			value, ok = file[f.Name]
		}
		if !ok {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = fmt.Errorf("%s sets %s to %q: %w", source, f.Name, value, e)
		}
	})
	return err
}

// twin returns the environment variable that stands for a flag.
func twin(flag string) string {
	return "FOVEA_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settingNames returns the names of the flags of a command and of all below it,
// sorted: one file, and one environment, serves them all.
func settingNames(cmd *cobra.Command) (names []string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	for _, c := range cmd.Commands() {
		names = append(names, settingNames(c)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// didYouMean returns the question whether the nearest of some settings was
// meant, as show writes it; "" if none is near.
func didYouMean(name string, names []string, show func(string) string) string {
	if meant := lint.Meant(name, names...); meant != "" {
		return "; did you mean " + show(meant) + "?"
	}
	return ""
}

// warnOfVariables writes a line for every variable of fovea's that sets nothing,
// but for those of its tests.
func warnOfVariables(w io.Writer, environ, names []string) {
	for _, assignment := range slices.Sorted(slices.Values(environ)) {
		variable, _, _ := strings.Cut(assignment, "=")
		name, ours := strings.CutPrefix(variable, "FOVEA_")
		if !ours || strings.HasPrefix(name, "TEST_") || slices.ContainsFunc(names, func(n string) bool { return twin(n) == variable }) {
			continue
		}
		fmt.Fprintf(w, "fovea: the variable %s sets nothing%s\n", variable, didYouMean(name, names, twin))
	}
}

// readConfig reads lines of the form `name = value`. Empty lines and lines that
// begin with # say nothing. No path is an empty file.
func readConfig(path string) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	settings := map[string]string{}
	sc := bufio.NewScanner(f)
	for n := 1; sc.Scan(); n++ {
		text := sc.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // Windows editors write a byte order mark
		}
		line := strings.TrimSpace(text)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%s:%d: %q is not of the form name = value", path, n, line)
		}
		settings[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return settings, nil
}

// configFlag adds the flag that names the file, and loads it before the command
// runs.
func configFlag(cmd *cobra.Command) {
	cmd.Flags().String("config", "", "file of lines `name = value` that set flags")
	cmd.PreRunE = load
}
