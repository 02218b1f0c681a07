package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fovea"
	apiclient "fovea/internal/client"
	"fovea/internal/migrate"
	objects3 "fovea/internal/objects/s3"
)

// A migration is what the flags of fovea migrate set.
type migration struct {
	config
	source    sourceFlags
	to        string
	out       string
	service   string
	projects  []string
	name      string
	split     string
	manifests []string
	workers   int
	patience  time.Duration
	key       string
	offline   bool
}

// The flags of where data comes from.
type sourceFlags struct {
	endpoint   string
	s3Endpoint string
	region     string
	accessKey  string
	secretKey  string
	token      string
}

func migrateCommand() *cobra.Command {
	var m migration
	cmd := &cobra.Command{
		Use:   "migrate SOURCE",
		Short: "Move projects and datasets here, and prove that all has arrived",
		Long: "Move the projects and datasets of SOURCE to this server: images, masks, labels, boxes\n" +
			"and tags. SOURCE is\n\n" +
			"  a folder           with manifests and images, such as a copy of a console's bucket\n" +
			"  s3://BUCKET/PREFIX the same in S3: fovea's own, or that of --source-endpoint\n" +
			"  custom-labels      an account of Rekognition Custom Labels, through its API\n" +
			"  lookout            an account of Lookout for Vision, through its API\n\n" +
			"Nothing is changed in the source. Started again, it goes on where it was. At the end it\n" +
			"reads everything back and writes a certificate for each project, signed by the server,\n" +
			"which `fovea migrate verify` checks at any time. It ends with status 0 if everything is\n" +
			"equal, 1 if not, and 2 if it could not finish.",
		Example: "  fovea migrate ./lookoutvision-us-east-1-0a1b2c3d4e\n" +
			"  fovea migrate s3://old-bucket/export --source-endpoint aws --source-region eu-west-1\n" +
			"  fovea migrate custom-labels --source-region us-east-1 --projects parts,boards\n" +
			"  fovea migrate verify migration/custom-labels.parts.certificate.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return m.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	m.dataFlags(f)
	m.s3Flags(f)
	m.source.flags(f)
	f.StringVar(&m.to, "to", "", "s3://BUCKET/PREFIX for the images (default: s3://migrated, or where they are if the server has them)")
	f.StringVar(&m.out, "out", "migration", "folder for the certificates and the state of the run")
	f.StringVar(&m.service, "service", "", "custom-labels or lookout, of a folder or bucket (default: told by the labels)")
	f.StringSliceVar(&m.projects, "projects", nil, "only these projects of an account")
	f.StringVar(&m.name, "project", "", "name of the project here (default: that of the source)")
	f.StringVar(&m.split, "split", "", "train or test, of a folder or bucket (default: told by the names of the manifests)")
	f.StringSliceVar(&m.manifests, "manifest", nil, "only these manifests of a folder or bucket")
	f.IntVar(&m.workers, "workers", 8, "images that are copied at a time")
	f.DurationVar(&m.patience, "patience", 5*time.Minute, "how long to go on trying while a service or the network fails")
	configFlag(cmd)
	cmd.AddCommand(migrateVerifyCommand(), migrateKeyCommand())
	return cmd
}

func (s *sourceFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.endpoint, "source-endpoint", "", "URL of the source's API and S3, or aws (default: aws for an account, this server for a bucket)")
	f.StringVar(&s.s3Endpoint, "source-s3-endpoint", "", "URL of the source's S3, if it is another one")
	f.StringVar(&s.region, "source-region", "", "region of the source (default: AWS_REGION, or us-east-1)")
	f.StringVar(&s.accessKey, "source-access-key", "", "access key of the source (default: AWS_ACCESS_KEY_ID)")
	f.StringVar(&s.secretKey, "source-secret-key", "", "its secret (default: AWS_SECRET_ACCESS_KEY)")
	f.StringVar(&s.token, "source-session-token", "", "session token of temporary keys (default: AWS_SESSION_TOKEN)")
}

// resolve takes what the flags do not say from the variables of AWS clients.
// Those that fovea env has set are of this server and not of the source.
func (s *sourceFlags) resolve(own keyPair) error {
	if s.accessKey == "" {
		s.accessKey, s.secretKey, s.token = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")
		if s.accessKey == own.ID {
			return errors.New("AWS_ACCESS_KEY_ID is this server's own key, perhaps of `fovea env`; give the source's with --source-access-key and --source-secret-key, or in FOVEA_SOURCE_ACCESS_KEY and FOVEA_SOURCE_SECRET_KEY")
		}
	}
	if s.accessKey == "" || s.secretKey == "" {
		return errors.New("the source needs keys: --source-access-key and --source-secret-key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	s.region = cmp.Or(s.region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), defaultRegion)
	for _, e := range []*string{&s.endpoint, &s.s3Endpoint} {
		if *e == "aws" {
			*e = ""
		} else if u, err := url.Parse(*e); *e != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("the endpoint %q of the source is not an http or https URL, nor aws", *e)
		}
	}
	s.s3Endpoint = cmp.Or(s.s3Endpoint, s.endpoint)
	return nil
}

// sourceAPI returns the API of the source.
func (m *migration) sourceAPI() *migrate.API {
	s := m.source
	return &migrate.API{Endpoint: apiclient.Endpoint{URL: s.endpoint, Region: s.region, KeyID: s.accessKey, Secret: s.secretKey, Token: s.token}, Patience: m.patience, Tell: again}
}

// sourceS3 returns the S3 of the source.
func (m *migration) sourceS3() (*migrate.Bucketer, error) {
	s := m.source
	return migrate.NewBucketer(objects3.Config{
		Endpoint: s.s3Endpoint, Region: s.region, AccessKey: s.accessKey, SecretKey: s.secretKey, SessionToken: s.token,
		PathStyle: s.s3Endpoint != "", Attempts: m.s3Attempts(),
	})
}

// s3Pause is about how long S3 is left alone between two tries.
const s3Pause = 5 * time.Second

// s3Attempts returns how often a request to S3 is tried.
func (m *migration) s3Attempts() int { return 4 + int(m.patience/s3Pause) }

// destination returns the server, and the S3 that it reads.
func (m *migration) destination() (*migrate.API, *migrate.Bucketer, error) {
	key, err := m.existingKey()
	if err != nil {
		return nil, nil, err
	}
	api := &migrate.API{Endpoint: apiclient.Endpoint{URL: m.url(m.Listen), Region: m.Region, KeyID: key.ID, Secret: key.Secret}, Patience: m.patience, Tell: again}
	store := objects3.Config{Endpoint: api.URL, Region: m.Region, AccessKey: key.ID, SecretKey: key.Secret, PathStyle: true, Attempts: m.s3Attempts()}
	if m.S3Endpoint != "" {
		store = objects3.Config{Endpoint: m.externalS3(), Region: m.S3Region, AccessKey: m.S3AccessKey, SecretKey: m.S3SecretKey, SessionToken: m.S3Token, PathStyle: m.S3PathStyle, Attempts: m.s3Attempts()}
	}
	s3, err := migrate.NewBucketer(store)
	return api, s3, err
}

// projectName is what both services take for the name of a project (LV-1.42,
// CL-2.1).
var projectName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$`)

// run migrates.
func (m *migration) run(cmd *cobra.Command, from string) (err error) {
	if m.name != "" && !projectName.MatchString(m.name) {
		return fmt.Errorf("--project %q: a name has letters, digits, hyphens and underscores, and begins with none of the latter two", m.name)
	}
	server, s3, err := m.destination()
	if err != nil {
		return err
	}
	if err := m.reach(cmd.Context(), server); err != nil {
		return err
	}
	run := &migrate.Migration{Server: server, S3: s3, Dir: m.out, Workers: m.workers, Program: "fovea " + version()}
	if run.Source, run.SameS3, err = m.open(from, s3); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, run.Source.Close()) }()
	if run.To, err = m.target(from, run.SameS3); err != nil {
		return err
	}
	p := &counting{}
	run.Log = func(text string) { p.end(); fmt.Fprintln(os.Stderr, text) }
	run.Bar = p.show
	results, err := run.Run(cmd.Context())
	p.end()
	if err != nil {
		return m.wayOn(err)
	}
	return m.print(cmd, results)
}

// wayOn adds to an error how to go on, if something was done that is kept.
func (m *migration) wayOn(err error) error {
	stopped := (*migrate.StoppedError)(nil)
	switch {
	case !errors.As(err, &stopped):
		return err
	case stopped.Passes:
		return fmt.Errorf("%w\nWhat is done is kept in %s: run the same command again to go on", err, m.out)
	}
	return fmt.Errorf("%w\nWhat is done is kept in %s: once the reason is gone, the same command goes on there", err, m.out)
}

// reachPatience is how long a command waits for a server to answer at all.
const reachPatience = 2 * time.Second

// reach reports whether the server answers, without trying long: who starts a
// command before the server should be told at once.
func (m *migration) reach(ctx context.Context, server *migrate.API) error {
	probe := *server
	probe.Patience = min(m.patience, reachPatience)
	_, err := migrate.PublicKey(ctx, &probe)
	if apiclient.CodeOf(err) == "" && err != nil {
		return fmt.Errorf("no server answers at %s: start it with `fovea serve`, or name its address with --listen: %w", server.URL, err)
	}
	return err
}

// again says that a call is tried again.
func again(err error) { fmt.Fprintf(os.Stderr, "trying again: %v\n", err) }

// print says what came of the projects.
func (m *migration) print(cmd *cobra.Command, results []migrate.Result) error {
	equal := true
	for _, r := range results {
		text, err := os.ReadFile(strings.TrimSuffix(r.Certificate, ".json") + ".txt")
		if err != nil {
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
		equal = equal && r.Statement.Equal
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d %s in %s\n", len(results), map[bool]string{true: "certificate", false: "certificates"}[len(results) == 1], m.out)
	if !equal {
		return errFailed
	}
	return nil
}

// open returns the source that an argument names, and whether its images are
// in the S3 of this server.
func (m *migration) open(from string, own *migrate.Bucketer) (migrate.Source, bool, error) {
	options := migrate.TreeOptions{Manifests: m.manifests, Service: fovea.Service(m.service), Project: m.name, Split: fovea.Split(m.split)}
	switch {
	case m.service != "" && options.Service != fovea.CustomLabels && options.Service != fovea.Lookout:
		return nil, false, fmt.Errorf("--service %s: it is %s or %s", m.service, fovea.CustomLabels, fovea.Lookout)
	case m.split != "" && options.Split != fovea.Train && options.Split != fovea.Test:
		return nil, false, fmt.Errorf("--split %s: it is %s or %s", m.split, fovea.Train, fovea.Test)
	case from == string(fovea.CustomLabels), from == string(fovea.Lookout):
		if err := m.sourceKeys(); err != nil {
			return nil, false, err
		}
		s3, err := m.sourceS3()
		return &migrate.Live{Service: fovea.Service(from), API: m.sourceAPI(), S3: s3, Projects: m.projects, Name: m.name}, false, err
	case len(m.projects) > 0:
		return nil, false, errors.New("--projects is for an account; a folder or bucket has --manifest and --project")
	case strings.HasPrefix(strings.ToLower(from), "s3://"):
		return m.openBucket(from[len("s3://"):], own, options)
	}
	tree, err := migrate.NewFolder(from, options)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("there is no folder %s: SOURCE is a folder, s3://BUCKET, %s or %s", from, fovea.CustomLabels, fovea.Lookout)
	}
	if err != nil {
		return nil, false, err
	}
	return tree, false, nil
}

func (m *migration) sourceKeys() error {
	key, err := m.existingKey()
	if err != nil {
		return err
	}
	return m.source.resolve(key)
}

// openBucket opens a bucket of this server's S3, or of the source's if an
// endpoint is given.
func (m *migration) openBucket(name string, own *migrate.Bucketer, o migrate.TreeOptions) (migrate.Source, bool, error) {
	bucket, prefix, _ := strings.Cut(name, "/")
	if bucket == "" {
		return nil, false, fmt.Errorf("s3://%s names no bucket: s3://BUCKET or s3://BUCKET/PREFIX", name)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if m.source.endpoint == "" && m.source.s3Endpoint == "" {
		return migrate.NewBucket(own, bucket, prefix, o), true, nil
	}
	if err := m.sourceKeys(); err != nil {
		return nil, false, err
	}
	s3, err := m.sourceS3()
	if err != nil {
		return nil, false, err
	}
	return migrate.NewBucket(s3, bucket, prefix, o), false, nil
}

// defaultTarget is the bucket of what is migrated.
const defaultTarget = "s3://migrated"

// target returns where images go: what --to says, else for a bucket of this
// server's S3 that bucket, where they stay.
func (m *migration) target(from string, same bool) (fovea.ObjectRef, error) {
	to := m.to
	if to == "" {
		if to = defaultTarget; same {
			bucket, _, _ := strings.Cut(from[len("s3://"):], "/")
			to = "s3://" + bucket + "/" + migrate.InPlace
		}
	}
	rest, ok := strings.CutPrefix(to, "s3://")
	bucket, prefix, _ := strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return fovea.ObjectRef{}, fmt.Errorf("--to %s: it is s3://BUCKET or s3://BUCKET/PREFIX", to)
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return fovea.ObjectRef{Bucket: bucket, Key: prefix}, nil
}

// counting tells how far work is: on a terminal on one line, ten times a second
// at most, and elsewhere in lines of their own, twice a minute.
type counting struct {
	last  time.Time
	shown bool
}

func (c *counting) show(what string, n, of int64) {
	st, err := os.Stderr.Stat()
	terminal := err == nil && st.Mode()&os.ModeCharDevice != 0
	if c.last.IsZero() {
		c.last = time.Now()
	}
	if wait := map[bool]time.Duration{true: 100 * time.Millisecond, false: 30 * time.Second}[terminal]; time.Since(c.last) < wait {
		return
	}
	text := fmt.Sprintf("%s: %d", what, n)
	if of > 0 {
		text += fmt.Sprintf(" of %d", of)
	}
	if c.last, c.shown = time.Now(), terminal; terminal {
		fmt.Fprintf(os.Stderr, "\r\033[K%s", text)
	} else {
		fmt.Fprintln(os.Stderr, text)
	}
}

// end ends the line that show is on.
func (c *counting) end() {
	if c.shown {
		fmt.Fprintln(os.Stderr)
		c.shown = false
	}
}
