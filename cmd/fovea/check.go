package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"fovea"
	"fovea/internal/blob/disk"
	"fovea/internal/dataset"
)

// A checkConfig is what the flags of check set.
type checkConfig struct {
	config
	Service     string
	Split       string
	Format      string
	MaxFindings int
}

func checkCommand() *cobra.Command {
	var c checkConfig
	cmd := &cobra.Command{
		Use:   "check MANIFEST|s3://BUCKET/KEY|-",
		Short: "Say what is wrong with a manifest, line by line",
		Long: "Say what CreateDataset would find in a manifest, by the same code: line, column, code,\n" +
			"what is there, what should be, and how to mend it. Needs no server.\n\n" +
			"The exit status is 0 if a dataset could be made, 1 if not, 2 if the manifest could not\n" +
			"be read. A manifest in S3 is read with --s3-endpoint and its keys, or with\n" +
			"AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION.",
		Example: "  fovea check train.manifest\n  fovea check --service lookout --format sarif s3://bucket/train.manifest > found.sarif",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.S3RegionSet = cmd.Flags().Changed("s3-region")
			return c.check(cmd, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Service, "service", string(fovea.CustomLabels), "whose rules: custom-labels or lookout")
	f.StringVar(&c.Split, "split", string(fovea.Train), "train or test")
	f.StringVar(&c.Format, "format", "text", "text, json (the import report, JSON Lines) or sarif")
	f.IntVar(&c.MaxFindings, "max-findings", 100, "how many findings to print as text; 0 for all that are kept")
	f.StringVar(&c.Limits, "limits", "aws", "aws: the quotas of AWS; none: no quotas")
	f.StringToStringVar(&c.Limit, "limit", nil, "single quotas, such as custom-labels.labels=500; 0 is none")
	f.BoolVar(&c.CheckImages, "check-images", false, "open the images, which are in S3, and warn of what is wrong with them")
	f.IntVar(&c.ImportWorkers, "workers", 0, "ranges to check at a time (default: the number of processors)")
	c.s3Flags(f)
	configFlag(cmd)
	return cmd
}

func (c *checkConfig) check(cmd *cobra.Command, name string) error {
	profiles, err := c.profiles()
	if err != nil {
		return err
	}
	profile, ok := profiles[fovea.Service(c.Service)]
	if !ok {
		return fmt.Errorf("--service %s: it is custom-labels or lookout", c.Service)
	}
	if c.Split != string(fovea.Train) && c.Split != string(fovea.Test) {
		return fmt.Errorf("--split %s: it is train or test", c.Split)
	}
	write, ok := checkFormats[c.Format]
	if !ok {
		return fmt.Errorf("--format %s: it is text, json or sarif", c.Format)
	}
	ctx := cmd.Context()
	images, err := c.images()
	if err != nil {
		return err
	}
	src, err := c.openManifest(ctx, name)
	if err != nil {
		return err
	}
	defer src.Close()
	dir, err := os.MkdirTemp("", "fovea-check-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	blobs, err := disk.OpenTemporary(dir)
	if err != nil {
		return err
	}
	defer blobs.Close()
	bar := newProgress(os.Stderr, "checking", src.info.Size)
	result, err := dataset.Check(ctx, dataset.CheckSpec{
		Profile: profile, Split: fovea.Split(c.Split), Manifest: src.info, Source: src,
		Blobs: blobs, Workers: c.ImportWorkers, Images: images, Progress: bar.add,
	})
	bar.done()
	if err != nil {
		return err
	}
	if err := write(ctx, cmd.OutOrStdout(), result, c.MaxFindings); err != nil {
		return err
	}
	if result.Failed() {
		return errFailed
	}
	return nil
}

// images returns what opens the images, nil if they are not to be opened.
func (c *checkConfig) images() (*dataset.ImageCheck, error) {
	if !c.CheckImages {
		return nil, nil
	}
	objects, err := c.openClientS3()
	if err != nil {
		return nil, err
	}
	return &dataset.ImageCheck{Objects: objects}, nil
}

// checkFormats are the ways to write what was found.
var checkFormats = map[string]func(context.Context, io.Writer, *dataset.CheckResult, int) error{
	"text":  writeText,
	"sarif": writeSARIF,
	"json": func(ctx context.Context, w io.Writer, r *dataset.CheckResult, _ int) error {
		return r.WriteReport(ctx, w)
	},
}

// writeText writes what was found for people, at most limit findings.
func writeText(ctx context.Context, w io.Writer, r *dataset.CheckResult, limit int) error {
	sum := r.Summary()
	shown := 0
	err := r.Findings(ctx, func(f *dataset.Finding) error {
		if shown++; limit > 0 && shown > limit {
			return nil
		}
		_, err := io.WriteString(w, findingText(sum.Manifest, f))
		return err
	})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, summaryText(sum, r.Labels(), shown, limit))
	return err
}

// findingText returns a finding as text: where, what, and what to do.
func findingText(file string, f *dataset.Finding) string {
	var b strings.Builder
	severity := f.Severity
	if severity == "fatal" {
		severity = "dropped" // what it does to the line
	}
	fmt.Fprintf(&b, "%s:%d:%d: %s: %s", file, f.Line, f.Column, severity, f.Code)
	if f.Pointer != "" {
		fmt.Fprintf(&b, " at %s", f.Pointer)
	}
	fmt.Fprintf(&b, "\n    %s\n", f.Message)
	switch {
	case f.Found != "" && f.Expected != "":
		fmt.Fprintf(&b, "    found %s; expected %s\n", f.Found, f.Expected)
	case f.Found != "":
		fmt.Fprintf(&b, "    found %s\n", f.Found)
	case f.Expected != "":
		fmt.Fprintf(&b, "    expected %s\n", f.Expected)
	}
	if f.Mend != "" {
		fmt.Fprintf(&b, "    → %s\n", f.Mend)
	}
	return b.String()
}

// summaryText returns what the whole came to.
func summaryText(sum *dataset.Summary, labels []fovea.LabelCount, shown, limit int) string {
	var b strings.Builder
	if limit > 0 && shown > limit {
		fmt.Fprintf(&b, "... and %d findings more: see --max-findings\n", int64(shown-limit)+sum.Left)
	} else if sum.Left > 0 {
		fmt.Fprintf(&b, "... and %d findings more that are only counted\n", sum.Left)
	}
	if b.Len() > 0 || shown > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "%s: %s, %s\n", sum.Manifest, count(sum.Lines, "line"), size(sum.Bytes))
	fmt.Fprintf(&b, "  %s: %d labelled, %d with errors, %s\n", count(sum.Entries, "entry"), sum.Labeled, sum.Errors, count(int64(len(labels)), "label"))
	if sum.Dropped > 0 || sum.Blank > 0 {
		fmt.Fprintf(&b, "  %s dropped, %d of them repeat an image; %d blank\n", count(sum.Dropped, "line"), sum.Copies, sum.Blank)
	}
	if sum.Budget != nil {
		fmt.Fprintf(&b, "  %.1f %% of the lines are dropped of the %.0f %% that may be\n", 100*sum.Budget.Share, 100*sum.Budget.Allowed)
	}
	if sum.Fault == nil {
		b.WriteString("A dataset can be made of it.\n")
	} else {
		fmt.Fprintf(&b, "No dataset can be made of it: %s\n  %s", sum.Fault.Message, sum.Fault.Code)
		if sum.Fault.Found != "" {
			fmt.Fprintf(&b, ": found %s", sum.Fault.Found)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// count returns a number with its noun.
func count(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// size returns a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return count(n, "byte")
}
