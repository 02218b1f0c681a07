package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func diffCommand() *cobra.Command {
	var c config
	var output string
	cmd := &cobra.Command{
		Use:   "diff SERVICE/PROJECT/SPLIT [A [B]]",
		Short: "Show what differs between two revisions of a dataset",
		Long: "Show what differs between revision A and revision B of a dataset: + is an entry that\n" +
			"only B has, - one that only A has, ~ one whose line is another; then the counts by\n" +
			"label. Without B it is the current revision, without A the one before that.\n" +
			"--output json gives the lines of both, too.",
		Example: "  fovea diff custom-labels/parts/train 3 7\n  fovea diff custom-labels/parts/train --output json | jq -c 'select(.change == \"changed\") | [.old, .new]'",
		Args:    cobra.RangeArgs(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			query, err := diffQuery(args[1:])
			if err != nil {
				return err
			}
			return c.diff(cmd, args[0], query, asJSON)
		},
	}
	c.dataFlags(cmd.Flags())
	outputFlag(cmd, &output)
	configFlag(cmd)
	return cmd
}

// diffQuery returns the query for the revisions that the arguments name.
func diffQuery(args []string) (url.Values, error) {
	query := url.Values{}
	for i, arg := range args {
		if _, err := revisionNumber(arg); err != nil {
			return nil, err
		}
		query.Set([]string{"from", "to"}[i], arg)
	}
	return query, nil
}

func revisionNumber(arg string) (int64, error) {
	n, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("%q is not the number of a revision, such as fovea log shows", arg)
	}
	return n, nil
}

func (c *config) diff(cmd *cobra.Command, name string, query url.Values, asJSON bool) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := datasetPath(name)
	if err != nil {
		return err
	}
	body, err := api.call(cmd.Context(), http.MethodGet, path+"/diff", query, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if asJSON {
		_, err := io.Copy(cmd.OutOrStdout(), body)
		return err
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	if err := printDiff(out, body); err != nil {
		return errors.Join(err, out.Flush())
	}
	return out.Flush()
}

// A diffLine is a line of the server's answer: a difference, or the summary.
type diffLine struct {
	Change    string
	SourceRef string `json:"source_ref"`

	Diff                    string
	From, To                revisionAnswer
	Added, Removed, Changed int64
	Labels                  []struct {
		Name                    string
		Added, Removed, Changed int64
	}
}

var diffMarks = map[string]string{"added": "+", "removed": "-", "changed": "~"}

// printDiff writes the server's answer for people.
func printDiff(w io.Writer, body io.Reader) error {
	for dec := json.NewDecoder(body); ; {
		var line diffLine
		if err := dec.Decode(&line); err != nil {
			return fmt.Errorf("the server's answer is not whole: %w", err)
		}
		if line.Diff != "" {
			return line.printSummary(w)
		}
		if _, err := fmt.Fprintf(w, "%s %s\n", diffMarks[line.Change], line.SourceRef); err != nil {
			return err
		}
	}
}

func (d *diffLine) printSummary(w io.Writer) error {
	fmt.Fprintf(w, "\nrevision %d to %d: %d added, %d removed, %d changed; %d entries, then %d\n",
		d.From.Revision, d.To.Revision, d.Added, d.Removed, d.Changed, d.From.Entries, d.To.Entries)
	if len(d.Labels) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "\nLABEL\tADDED\tREMOVED\tCHANGED")
	for _, l := range d.Labels {
		fmt.Fprintf(t, "%s\t+%d\t-%d\t~%d\n", l.Name, l.Added, l.Removed, l.Changed)
	}
	return t.Flush()
}
