package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fovea"
	"fovea/internal/blob/disk"
	"fovea/internal/dataset"
	"fovea/internal/exchange"
	"fovea/internal/transfer"
)

// maxShown is how many findings and problems are printed; all are counted.
const maxShown = 100

// printImport prints what an import came to, and the import reports.
func (c *importConfig) printImport(cmd *cobra.Command, task *transfer.ImportTask, r *transfer.Result, asJSON bool) error {
	out := cmd.OutOrStdout()
	if asJSON {
		if err := json.NewEncoder(out).Encode(struct {
			Form string `json:"import"`
			*transfer.Result
		}{"fovea.imported/1", r}); err != nil {
			return err
		}
	} else if err := writeImport(out, task, r); err != nil {
		return err
	}
	for _, d := range r.Datasets {
		name := string(task.Service) + "/" + task.Project + "/" + string(d.Split)
		if err := c.printReport(cmd, name, asJSON); err != nil {
			return err
		}
	}
	return nil
}

func writeImport(out io.Writer, task *transfer.ImportTask, r *transfer.Result) error {
	writeCounts(out, &r.Counts)
	if r.Sent+r.Unchanged > 0 {
		fmt.Fprintf(out, "s3://%s/%s: %s sent (%s), %d were there already\n", r.Bucket, r.Prefix, count(r.Sent, "object"), size(r.SentBytes), r.Unchanged)
	}
	if len(r.Datasets) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "\nDATASET\t\tSTATUS\tENTRIES\tLABELLED")
	for _, d := range r.Datasets {
		fmt.Fprintf(t, "%s/%s/%s\t%s\t%s\t%d\t%d\n", task.Service, task.Project, d.Split, d.Action, d.Status, d.Entries, d.Labeled)
	}
	return t.Flush()
}

// writeCounts prints what a collection has.
func writeCounts(out io.Writer, c *transfer.Counts) {
	fmt.Fprintf(out, "%s, %s: %d train, %d test; %s, %s, %d unlabelled\n", count(c.Images, "image"), size(c.Bytes),
		c.Train, c.Test, plural(c.Boxes, "box", "boxes"), count(c.Masks, "mask"), c.Unlabeled)
	if len(c.Labels) > 0 {
		names := slices.SortedFunc(maps.Keys(c.Labels), func(a, b string) int {
			if c.Labels[a] != c.Labels[b] {
				return int(c.Labels[b] - c.Labels[a])
			}
			return strings.Compare(a, b)
		})
		fmt.Fprintf(out, "%s:", count(int64(len(names)), "label"))
		for i, name := range names {
			if i == 20 {
				fmt.Fprintf(out, ", ... and %d more", len(names)-i)
				break
			}
			if i > 0 {
				fmt.Fprint(out, ",")
			}
			fmt.Fprintf(out, " %s %d", name, c.Labels[name])
		}
		fmt.Fprintln(out)
	}
	if c.LeftOut > 0 || c.Warnings > 0 {
		fmt.Fprintf(out, "%d left out, %s\n", c.LeftOut, count(c.Warnings, "warning"))
	}
}

// plural returns a number with its noun.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// printReport prints the import report of a dataset: as fovea report does, or
// for people.
func (c *config) printReport(cmd *cobra.Command, name string, asJSON bool) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := datasetPath(name)
	if err != nil {
		return err
	}
	body, err := api.call(cmd.Context(), http.MethodGet, path+"/import-report", nil, nil)
	if err != nil { // as of a dataset that was restored since, and is what it should be
		fmt.Fprintf(os.Stderr, "no import report of %s: %v\n", name, err)
		return nil
	}
	defer body.Close()
	if asJSON {
		_, err := io.Copy(cmd.OutOrStdout(), body)
		return err
	}
	dec := json.NewDecoder(body)
	var sum dataset.Summary
	if err := dec.Decode(&sum); err != nil {
		return fmt.Errorf("the import report of %s: %w", name, err)
	}
	return writeReport(cmd.OutOrStdout(), &sum, name, func() (*dataset.Finding, error) {
		if !dec.More() {
			return nil, io.EOF
		}
		f := new(dataset.Finding)
		return f, dec.Decode(f)
	})
}

// writeReport writes an import report for people.
func writeReport(out io.Writer, sum *dataset.Summary, name string, next func() (*dataset.Finding, error)) error {
	fmt.Fprintf(out, "\n%s: %s of %s: %s, %d labelled, %d with errors; %d dropped\n", name, count(sum.Lines, "line"), sum.Manifest,
		count(sum.Entries, "entry"), sum.Labeled, sum.Errors, sum.Dropped)
	if sum.Fault != nil {
		fmt.Fprintf(out, "It failed: %s (%s)\n", sum.Fault.Message, sum.Fault.Code)
	}
	for shown := 0; ; shown++ {
		f, err := next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case shown == maxShown:
			_, err := fmt.Fprintf(out, "... and %d findings more: fovea report %s\n", sum.Findings+sum.Left-maxShown, name)
			return err
		}
		if _, err := io.WriteString(out, findingText(sum.Manifest, f)); err != nil {
			return err
		}
	}
}

// plan prints what an import would do.
func (c *importConfig) plan(cmd *cobra.Command, task *transfer.ImportTask, told *teller, asJSON bool) error {
	dir, err := os.MkdirTemp("", "fovea-plan-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plan, err := task.Plan(cmd.Context(), dir)
	told.done()
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if asJSON {
		err = json.NewEncoder(out).Encode(struct {
			Form string `json:"plan"`
			*transfer.Counts
		}{"fovea.plan/1", &plan.Counts})
	} else {
		fmt.Fprintln(out, "This is what would be imported; nothing was changed.")
		writeCounts(out, &plan.Counts)
	}
	if err != nil {
		return err
	}
	failed := plan.LeftOut > 0 || plan.Images == 0
	for _, split := range []exchange.Split{exchange.Train, exchange.Test} {
		if plan.Manifests[split] == "" {
			continue
		}
		bad, err := c.checkPlan(cmd.Context(), out, plan, split, asJSON)
		if err != nil {
			return err
		}
		failed = failed || bad
	}
	if failed {
		return errFailed
	}
	return nil
}

// checkPlan prints what CreateDataset would find in a manifest, and reports
// whether that is bad.
func (c *importConfig) checkPlan(ctx context.Context, out io.Writer, plan *transfer.Plan, split exchange.Split, asJSON bool) (bool, error) {
	profiles, err := c.profiles()
	if err != nil {
		return false, err
	}
	f, err := os.Open(plan.Manifests[split])
	if err != nil {
		return false, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "fovea-check-*")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	blobs, err := disk.OpenTemporary(dir)
	if err != nil {
		return false, err
	}
	defer blobs.Close()
	result, err := dataset.Check(ctx, dataset.CheckSpec{
		Profile: profiles[fovea.Service(c.Service)], Split: fovea.Split(split), Source: f, Blobs: blobs,
		Manifest: fovea.ObjectInfo{Ref: plan.Places[split], Size: st.Size(), Modified: st.ModTime()},
	})
	if err != nil {
		return false, err
	}
	sum := result.Summary()
	bad := result.Failed() || sum.Dropped > 0
	if asJSON {
		return bad, result.WriteReport(ctx, out)
	}
	return bad, writeChecked(ctx, out, c.Service+"/"+c.Project+"/"+string(split), result)
}

// writeChecked writes for people what a check found.
func writeChecked(ctx context.Context, out io.Writer, name string, result *dataset.CheckResult) error {
	sum := result.Summary()
	var kept []*dataset.Finding
	err := result.Findings(ctx, func(f *dataset.Finding) error {
		if len(kept) <= maxShown {
			copied := *f
			kept = append(kept, &copied)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return writeReport(out, sum, name, func() (*dataset.Finding, error) {
		if len(kept) == 0 {
			return nil, io.EOF
		}
		f := kept[0]
		kept = kept[1:]
		return f, nil
	})
}
