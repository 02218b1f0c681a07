package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
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
	Images      bool
	ImagesDir   string
	FailOn      []string
	Fix         bool
	Fixed       string
}

func checkCommand() *cobra.Command {
	var c checkConfig
	cmd := &cobra.Command{
		Use:   "check MANIFEST|s3://BUCKET/KEY|- [TEST-MANIFEST]",
		Short: "Say what is wrong with a manifest, line by line",
		Long: "Say what CreateDataset would find in a manifest, by the same code: line, column, code,\n" +
			"what is there, what should be, and how to mend it. Needs no server.\n\n" +
			"With --images the images are decoded and compared, and the labels counted: copies, near\n" +
			"copies, outliers, rare labels and more, see docs/quality.md. A second manifest is that\n" +
			"of the test dataset, which should have no image of the first.\n\n" +
			"With --fix it writes a mended manifest beside the old one instead, and says what was\n" +
			"changed, and what was left alone and why. With --images it mends sizes and masks, too.\n\n" +
			"The exit status is 0 if a dataset could be made, 1 if not or if --fail-on says so, 2 if the manifest could not\n" +
			"be read. A manifest in S3 is read with --s3-endpoint and its keys, or with\n" +
			"AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION.",
		Example: "  fovea check train.manifest\n  fovea check --service lookout --format sarif s3://bucket/train.manifest > found.sarif\n" +
			"  fovea check --images --images-dir photos --fail-on image-in-both-splits,image-damaged train.manifest test.manifest",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.S3RegionSet = cmd.Flags().Changed("s3-region")
			return c.check(cmd, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Service, "service", string(fovea.CustomLabels), "whose rules: custom-labels or lookout")
	f.StringVar(&c.Split, "split", string(fovea.Train), "train or test")
	f.StringVar(&c.Format, "format", "text", "text, json (the import report, JSON Lines), sarif or junit")
	f.IntVar(&c.MaxFindings, "max-findings", 100, "how many findings to print as text; 0 for all that are kept")
	f.StringVar(&c.Limits, "limits", "aws", "aws: the quotas of AWS; none: no quotas")
	f.StringToStringVar(&c.Limit, "limit", nil, "single quotas, such as custom-labels.labels=500; 0 is none")
	f.BoolVar(&c.CheckImages, "check-images", false, "open the images, which are in S3, and warn of what is wrong with their headers and masks")
	f.BoolVar(&c.Images, "images", false, "decode the images too, compare them, and look at the labels of the whole")
	f.StringVar(&c.ImagesDir, "images-dir", "", "folder that has the images, as BUCKET/KEY, KEY or the end of KEY (default: S3)")
	f.StringSliceVar(&c.FailOn, "fail-on", nil, "rules whose findings fail the check, such as near-duplicate,label-rare, or any, quality, images")
	f.BoolVar(&c.Fix, "fix", false, "write a mended manifest beside the old one, as far as that needs no guess, and a list of what was changed")
	f.StringVar(&c.Fixed, "fixed", "", "file for the mended manifest (default: train.fixed.manifest for train.manifest)")
	f.IntVar(&c.ImportWorkers, "workers", 0, "ranges to check at a time (default: the number of processors)")
	c.s3Flags(f)
	configFlag(cmd)
	return cmd
}

// A checked is a manifest that was checked, and what of it fails the check.
type checked struct {
	*dataset.CheckResult
	gate *gate
}

func (c *checkConfig) check(cmd *cobra.Command, names []string) error {
	splits, err := c.splits(cmd, names)
	if err != nil {
		return err
	}
	switch {
	case c.Fix && len(names) > 1:
		return errors.New("--fix mends one manifest at a time")
	case c.Fix && len(c.FailOn) > 0:
		return errors.New("--fail-on is for a check without --fix: check the mended manifest")
	case c.Fix:
		return c.fix(cmd, names[0])
	case c.Fixed != "":
		return errors.New("--fixed names the file that --fix writes: add --fix")
	}
	write, ok := checkFormats[c.Format]
	if !ok {
		return fmt.Errorf("--format %s: it is text, json, sarif or junit", c.Format)
	}
	profile, err := c.profile()
	if err != nil {
		return err
	}
	gate, err := gateOf(c.FailOn, c.Images || c.CheckImages, c.Images)
	if err != nil {
		return err
	}
	images, err := c.images()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fovea-check-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var results []checked
	failed := false
	spec := dataset.CheckSpec{Profile: profile, Workers: c.ImportWorkers, Images: images}
	for i, name := range names {
		spec.Split = splits[i]
		r, done, err := c.checkOne(cmd.Context(), name, filepath.Join(dir, string(splits[i])), spec)
		if err != nil {
			return err
		}
		defer done()
		spec.Other = r.Earlier()
		results = append(results, checked{r, gate})
		failed = failed || r.Failed() || len(gate.failing(r.Summary())) > 0
	}
	if err := write(cmd.Context(), cmd.OutOrStdout(), results, c.MaxFindings); err != nil {
		return err
	}
	if failed {
		return errFailed
	}
	return nil
}

// profile returns whose rules are meant.
func (c *checkConfig) profile() (fovea.Profile, error) {
	profiles, err := c.profiles()
	if err != nil {
		return fovea.Profile{}, err
	}
	profile, ok := profiles[fovea.Service(c.Service)]
	if !ok {
		return profile, fmt.Errorf("--service %s: it is custom-labels or lookout", c.Service)
	}
	return profile, nil
}

// splits returns which dataset each manifest is for.
func (c *checkConfig) splits(cmd *cobra.Command, names []string) ([]fovea.Split, error) {
	switch {
	case c.Split != string(fovea.Train) && c.Split != string(fovea.Test):
		return nil, fmt.Errorf("--split %s: it is train or test", c.Split)
	case len(names) == 1:
		return []fovea.Split{fovea.Split(c.Split)}, nil
	case cmd.Flags().Changed("split"):
		return nil, errors.New("--split is for one manifest: of two, the first is for train and the second for test")
	}
	return []fovea.Split{fovea.Train, fovea.Test}, nil
}

// checkOne checks a manifest, and keeps what it needs for that in a folder. The
// result can be read until done is called.
func (c *checkConfig) checkOne(ctx context.Context, name, dir string, spec dataset.CheckSpec) (r *dataset.CheckResult, done func(), err error) {
	src, err := c.openManifest(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, nil, errors.Join(err, src.Close())
	}
	blobs, err := disk.OpenTemporary(dir)
	if err != nil {
		return nil, nil, errors.Join(err, src.Close())
	}
	done = func() { blobs.Close(); src.Close() }
	bar := newProgress(os.Stderr, "checking", src.info.Size)
	defer bar.done()
	spec.Manifest, spec.Source, spec.Blobs, spec.Progress = src.info, src, blobs, bar.add
	if r, err = dataset.Check(ctx, spec); err != nil {
		done()
	}
	return r, done, err
}

// images returns what opens the images, nil if they are not to be opened.
func (c *checkConfig) images() (*dataset.ImageCheck, error) {
	if !c.CheckImages && !c.Images {
		if c.ImagesDir != "" {
			return nil, errors.New("--images-dir says where the images are: add --images or --check-images to open them")
		}
		return nil, nil
	}
	objects, err := c.imageObjects()
	if err != nil {
		return nil, err
	}
	return &dataset.ImageCheck{Objects: objects, Quality: c.Images}, nil
}

// imageObjects returns where the images are.
func (c *checkConfig) imageObjects() (fovea.Objects, error) {
	if c.ImagesDir != "" {
		return openFolder(c.ImagesDir)
	}
	return c.openClientS3()
}

// checkFormats are the ways to write what was found.
var checkFormats = map[string]func(context.Context, io.Writer, []checked, int) error{
	"text":  each(writeText),
	"sarif": writeSARIF,
	"junit": writeJUnit,
	"json": each(func(ctx context.Context, w io.Writer, c checked, _ int) error {
		return c.WriteReport(ctx, w)
	}),
}

// each returns what writes what was found in one manifest after the other.
func each(write func(context.Context, io.Writer, checked, int) error) func(context.Context, io.Writer, []checked, int) error {
	return func(ctx context.Context, w io.Writer, all []checked, limit int) error {
		for _, c := range all {
			if err := write(ctx, w, c, limit); err != nil {
				return err
			}
		}
		return nil
	}
}

// writeText writes what was found for people, at most limit findings.
func writeText(ctx context.Context, w io.Writer, r checked, limit int) error {
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
	_, err = io.WriteString(w, summaryText(sum, r.Labels(), shown, limit)+r.gate.failingText(sum))
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
		fmt.Fprintf(&b, "    found %s; expected %s\n", foundText(f.Found), f.Expected)
	case f.Found != "":
		fmt.Fprintf(&b, "    found %s\n", foundText(f.Found))
	case f.Expected != "":
		fmt.Fprintf(&b, "    expected %s\n", f.Expected)
	}
	if f.Mend != "" {
		fmt.Fprintf(&b, "    → %s\n", f.Mend)
	}
	return b.String()
}

// foundText returns what was found as it follows the word found: sentences, which
// checks of images and labels write, without their capital and full stop.
func foundText(found string) string {
	sentence, ok := strings.CutSuffix(found, ".")
	if !ok || !strings.Contains(sentence, " ") {
		return found
	}
	for _, start := range []string{"It ", "Its ", "The ", "There "} {
		if strings.HasPrefix(sentence, start) {
			return "that " + strings.ToLower(sentence[:1]) + sentence[1:]
		}
	}
	if sentence[0] >= '0' && sentence[0] <= '9' {
		return "that " + sentence
	}
	return found
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
