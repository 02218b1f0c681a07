package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fovea"
	"fovea/internal/exchange"
	"fovea/internal/transfer"
)

// An exportConfig is what the flags of export set.
type exportConfig struct {
	config
	transferConfig
	To        string
	Form      string
	At        int64
	RewriteTo string
}

func exportCommand() *cobra.Command {
	var c exportConfig
	cmd := &cobra.Command{
		Use:   "export SERVICE/PROJECT[/SPLIT] --to DIR",
		Short: "Write datasets as files: a manifest with its images, folders, COCO, VOC or YOLO",
		Long: "Write a dataset, or without SPLIT both datasets of a project, to a folder.\n\n" +
			"The form manifest keeps the lines as they are: SPLIT.manifest, with the images in the\n" +
			"folder images and masks in the folder masks. With --rewrite-to the lines name the images\n" +
			"where you will upload the folder to.\n\n" +
			"Images that the folder has already are not fetched again, so an export that was\n" +
			"interrupted goes on when it is started again.\n\n" +
			"The exit status is 0 if everything was exported, 1 if something was left out, 2 if the\n" +
			"export could not go on: then start it again.",
		Example: "  fovea export custom-labels/parts/train --to parts\n" +
			"  fovea export lookout/castings --to castings --form folder\n" +
			"  fovea export custom-labels/parts/train --to parts --rewrite-to s3://elsewhere/parts",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&c.To, "to", "", "folder to write to, which is made if there is none (required)")
	f.StringVar(&c.Form, "form", string(transfer.Manifest), formNames(transfer.ExportForms))
	f.Int64Var(&c.At, "at", 0, "revision to export, as fovea log shows them (default: the current one)")
	f.StringVar(&c.RewriteTo, "rewrite-to", "", "S3 URI that the references of the manifest are to begin with")
	c.transferConfig.flags(f)
	outputFlag(cmd, &c.Output)
	c.dataFlags(f)
	c.s3Flags(f)
	configFlag(cmd)
	return cmd
}

// task returns what the flags and the name of the datasets say, without server
// and S3.
func (c *exportConfig) task(name string) (*transfer.ExportTask, error) {
	parts := strings.Split(name, "/")
	t := &transfer.ExportTask{
		Service: fovea.Service(parts[0]), Dir: c.To, Form: exchange.Form(strings.ToLower(c.Form)),
		Revision: c.At, RewriteTo: c.RewriteTo, Jobs: c.Jobs,
		Splits: []exchange.Split{exchange.Train, exchange.Test},
	}
	if len(parts) == 3 {
		t.Splits = []exchange.Split{exchange.Split(parts[2])}
	}
	switch {
	case len(parts) < 2 || len(parts) > 3 || parts[1] == "":
		return nil, fmt.Errorf("%q is not of the form SERVICE/PROJECT/SPLIT, such as custom-labels/parts/train", name)
	case t.Service != fovea.CustomLabels && t.Service != fovea.Lookout:
		return nil, fmt.Errorf("%q: the service is custom-labels or lookout", name)
	case len(parts) == 3 && t.Splits[0] != exchange.Train && t.Splits[0] != exchange.Test:
		return nil, fmt.Errorf("%q: the dataset is train or test", name)
	case c.To == "":
		return nil, errors.New("name the folder to write to with --to")
	case !slices.Contains(transfer.ExportForms, t.Form):
		return nil, fmt.Errorf("--form %s: it is %s", c.Form, formNames(transfer.ExportForms))
	case c.At < 0 || c.At > 0 && len(parts) != 3:
		return nil, errors.New("--at takes the number of a revision of one dataset: name it as SERVICE/PROJECT/SPLIT")
	case c.RewriteTo != "" && t.Form != transfer.Manifest:
		return nil, errors.New("--rewrite-to is about manifests: leave it out, or use --form manifest")
	case c.RewriteTo != "" && (!strings.HasPrefix(c.RewriteTo, "s3://") || strings.HasPrefix(c.RewriteTo, "s3:///") || c.RewriteTo == "s3://"):
		return nil, fmt.Errorf("--rewrite-to %s: it is an S3 URI, such as s3://bucket/folder", c.RewriteTo)
	case c.Jobs < 1 || c.Jobs > maxJobs || c.Attempts < 1:
		return nil, fmt.Errorf("--jobs is from 1 to %d, and --attempts 1 or more", maxJobs)
	}
	t.Project = parts[1]
	return t, nil
}

func (c *exportConfig) run(cmd *cobra.Command, name string) error {
	asJSON, err := wantsJSON(c.Output)
	if err != nil {
		return err
	}
	task, err := c.task(name)
	if err != nil {
		return err
	}
	if task.Server, task.S3, err = c.reach(c.Attempts); err != nil {
		return err
	}
	told := newTeller(os.Stderr)
	task.Problem = func(err error) { told.problem(err, true) }
	task.Progress = told.progress
	export, err := task.Export(cmd.Context())
	told.done()
	if err != nil {
		return goesOn(cmd.Context(), err)
	}
	if err := printExport(cmd.OutOrStdout(), export, asJSON); err != nil {
		return err
	}
	if export.LeftOut > 0 {
		return errFailed
	}
	return nil
}

// goesOn says of an error that ended a command that the command may be started
// again.
func goesOn(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("stopped; started again, the command goes on from there")
	}
	if !transfer.MayGoOn(err) {
		return err
	}
	return fmt.Errorf("%w\nStarted again, the command goes on from there", err)
}

func printExport(out io.Writer, e *transfer.Export, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(struct {
			Form string `json:"export"`
			*transfer.Export
		}{"fovea.exported/1", e})
	}
	for _, d := range e.Datasets {
		where := ""
		if d.Manifest != "" {
			where = ": " + d.Manifest
		}
		fmt.Fprintf(out, "%s, revision %d, %s%s\n", d.Split, d.Revision, count(d.Entries, "entry"), where)
	}
	_, err := fmt.Fprintf(out, "%s: %s, %s, %s; %s fetched (%s), %d were there already, %d left out\n", e.Dir,
		count(e.Entries, "image"), plural(e.Boxes, "box", "boxes"), count(e.Masks, "mask"), count(e.Fetched, "object"), size(e.Bytes), e.Unchanged, e.LeftOut)
	return err
}
