package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fovea"
	"fovea/internal/exchange"
	objects3 "fovea/internal/objects/s3"
	"fovea/internal/transfer"
)

// An importConfig is what the flags of import set.
type importConfig struct {
	config
	transferConfig
	Service string
	Project string
	Form    string
	Labels  string
	Bucket  string
	Prefix  string
	Split   string
	Update  bool
	Replace bool
	DryRun  bool
	Wait    time.Duration
}

// A transferConfig is what the flags of both import and export set.
type transferConfig struct {
	Jobs     int
	Attempts int
	Output   string
}

func (c *transferConfig) flags(f *pflag.FlagSet) {
	f.IntVar(&c.Jobs, "jobs", transfer.DefaultJobs, "files to move at a time")
	f.IntVar(&c.Attempts, "attempts", 8, "how often to try what fails because of the network or the server")
}

func importCommand() *cobra.Command {
	var c importConfig
	cmd := &cobra.Command{
		Use:   "import PATH --service custom-labels|lookout --project NAME",
		Short: "Make datasets of annotated images: folders, COCO, VOC, YOLO, CSV, or a zip of these",
		Long: "Upload the images that PATH holds, a folder or a zip archive, write their manifests, make\n" +
			"the project and its datasets, and print the import report.\n\n" +
			"Images that S3 has already are not sent again, so an import that was interrupted goes on\n" +
			"when it is started again. A dataset that exists with other content is left alone, unless\n" +
			"--update or --replace says otherwise.\n\n" +
			"The exit status is 0 if everything was imported, 1 if something was left out or no\n" +
			"dataset could be made, 2 if the import could not go on: then start it again.",
		Example: "  fovea import photos --service custom-labels --project parts\n" +
			"  fovea import castings.zip --service lookout --project castings --split 80/20\n" +
			"  fovea import coco --form coco --service custom-labels --project boards --dry-run",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&c.Service, "service", "", "custom-labels or lookout (required)")
	f.StringVar(&c.Project, "project", "", "name of the project, which is made if there is none (required)")
	f.StringVar(&c.Form, "form", string(exchange.Auto), "how the images are annotated: "+formNames(exchange.Forms()))
	f.StringVar(&c.Labels, "labels", "", "file of the annotations, or folder with them, if they are not found")
	f.StringVar(&c.Bucket, "bucket", transfer.DefaultBucket, "bucket for images and manifests, which is made if there is none")
	f.StringVar(&c.Prefix, "prefix", "", "what their keys begin with (default: SERVICE/PROJECT/)")
	f.StringVar(&c.Split, "split", "auto", "auto: as PATH says, else train; train or test: all images; 80/20: auto, but shares of images of which PATH does not say")
	f.BoolVar(&c.Update, "update", false, "change datasets that exist: add and replace entries, keep the others")
	f.BoolVar(&c.Replace, "replace", false, "remove datasets that exist with other content, and their history")
	f.BoolVar(&c.DryRun, "dry-run", false, "say what would be done, and what CreateDataset would find; needs no server")
	f.DurationVar(&c.Wait, "wait", transfer.DefaultWait, "how long to wait for a dataset")
	f.StringVar(&c.Limits, "limits", "aws", "of a dry run: aws, the quotas of AWS, or none")
	f.StringToStringVar(&c.Limit, "limit", nil, "of a dry run: single quotas, such as custom-labels.labels=500; 0 is none")
	c.transferConfig.flags(f)
	outputFlag(cmd, &c.Output)
	c.dataFlags(f)
	c.s3Flags(f)
	configFlag(cmd)
	return cmd
}

// formNames returns the names of forms for people to read.
func formNames(forms []exchange.Form) string {
	names := make([]string, len(forms))
	for i, f := range forms {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// projectNames are the names that CreateProject takes of each service, so that
// a dry run tells what it would refuse.
var projectNames = map[fovea.Service]*regexp.Regexp{
	fovea.CustomLabels: regexp.MustCompile(`^[a-zA-Z0-9_.\-]{1,255}$`),
	fovea.Lookout:      regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_\-]{0,254}$`),
}

// task returns what the flags say, without collection, server and S3.
func (c *importConfig) task() (*transfer.ImportTask, error) {
	service := fovea.Service(c.Service)
	switch {
	case service != fovea.CustomLabels && service != fovea.Lookout:
		return nil, fmt.Errorf("--service %q: it is custom-labels or lookout", c.Service)
	case c.Project == "":
		return nil, errors.New("name the project with --project")
	case !projectNames[service].MatchString(c.Project):
		return nil, fmt.Errorf("--project %q: the name of a project has up to 255 letters, digits, _ and -, and for custom-labels also full stops; for lookout it begins with a letter or digit", c.Project)
	case c.Update && c.Replace:
		return nil, errors.New("--update and --replace exclude each other")
	case c.Jobs < 1 || c.Jobs > maxJobs || c.Attempts < 1 || c.Wait <= 0:
		return nil, fmt.Errorf("--jobs is from 1 to %d, --attempts 1 or more, and --wait a time such as 30m", maxJobs)
	}
	splitting, err := transfer.ParseSplitting(c.Split)
	if err != nil {
		return nil, fmt.Errorf("--split: %w", err)
	}
	t := &transfer.ImportTask{
		Service: service, Project: c.Project, Splitting: splitting,
		Bucket: c.Bucket, Prefix: c.Prefix, Region: c.s3Place(), Jobs: c.Jobs, Wait: c.Wait,
	}
	if c.Update {
		t.Exists = transfer.Update
	} else if c.Replace {
		t.Exists = transfer.Replace
	}
	return t, nil
}

// maxJobs bounds the connections of one command.
const maxJobs = 256

// s3Place returns the region of the S3.
func (c *config) s3Place() string {
	if c.S3Endpoint == "" {
		return c.Region
	}
	return c.S3Region
}

func (c *importConfig) run(cmd *cobra.Command, path string) error {
	asJSON, err := wantsJSON(c.Output)
	if err != nil {
		return err
	}
	form, err := exchange.ParseForm(c.Form)
	if err != nil {
		return fmt.Errorf("--form: %w", err)
	}
	task, err := c.task()
	if err != nil {
		return err
	}
	if !c.DryRun {
		if task.Server, task.S3, err = c.reach(c.Attempts); err != nil {
			return err
		}
	}
	task.Collection, err = exchange.Open(path, form, exchange.Options{Service: c.Service, Labels: c.Labels})
	if err != nil {
		return err
	}
	defer task.Collection.Close()
	told := newTeller(os.Stderr)
	task.Problem = func(err error, leftOut bool) { told.problem(err, leftOut) }
	task.Progress = told.progress
	if c.DryRun {
		return c.plan(cmd, task, told, asJSON)
	}
	result, err := task.Import(cmd.Context())
	told.done()
	if err == nil || result.Images > 0 {
		if err := c.printImport(cmd, task, result, asJSON); err != nil {
			return err
		}
	}
	return c.outcome(cmd.Context(), result, err)
}

// outcome returns how the command ends.
func (c *importConfig) outcome(ctx context.Context, r *transfer.Result, err error) error {
	var conflict *transfer.ConflictError
	switch {
	case errors.Is(err, transfer.ErrNothing), errors.As(err, &conflict):
		fmt.Fprintln(os.Stderr, "fovea:", err)
		return errFailed
	case err != nil:
		return goesOn(ctx, err)
	case r.LeftOut > 0:
		return errFailed
	}
	for i := range r.Datasets {
		if r.Datasets[i].Failed() || r.Datasets[i].Entries < r.Of(r.Datasets[i].Split) {
			return errFailed
		}
	}
	return nil
}

// reach returns the server and the S3 that the flags name: its own, unless they
// name another.
func (c *config) reach(attempts int) (*transfer.Server, *s3.Client, error) {
	key, err := c.existingKey()
	if err != nil {
		return nil, nil, err
	}
	server := &transfer.Server{URL: c.url(c.Listen), Region: c.Region, KeyID: key.ID, Secret: key.Secret, Attempts: attempts}
	to := objects3.Config{
		Endpoint: c.externalS3(), Region: c.S3Region, AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey, SessionToken: c.S3Token, PathStyle: c.S3PathStyle, Attempts: attempts,
	}
	if c.S3Endpoint == "" {
		to.Endpoint, to.Region, to.AccessKey, to.SecretKey, to.PathStyle = server.URL, c.Region, key.ID, key.Secret, true
	}
	client, err := objects3.NewClient(to)
	return server, client, err
}
