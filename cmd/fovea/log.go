package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"
)

// A revisionAnswer is a revision as the server describes it.
type revisionAnswer struct {
	Revision int64     `json:"revision"`
	Created  time.Time `json:"created"`
	Cause    string    `json:"cause"`
	Caller   string    `json:"caller"`
	Current  bool      `json:"current"`
	Entries  int64     `json:"entries"`
	Labeled  int64     `json:"labeled_entries"`
	Errors   int64     `json:"error_entries"`
	Added    *int64    `json:"added"`
	Removed  *int64    `json:"removed"`
}

// outputFlag adds the flag that chooses between a table for people and JSON.
func outputFlag(cmd *cobra.Command, output *string) {
	cmd.Flags().StringVar(output, "output", "table", "table or json")
}

// wantsJSON tells what the output flag asks for.
func wantsJSON(output string) (bool, error) {
	if output != "table" && output != "json" {
		return false, fmt.Errorf("--output %s: it is table or json", output)
	}
	return output == "json", nil
}

func logCommand() *cobra.Command {
	var c config
	var output string
	var count int
	cmd := &cobra.Command{
		Use:   "log SERVICE/PROJECT/SPLIT",
		Short: "Show the history of a dataset",
		Long: "Show the revisions of a dataset, the latest first: when, why and by whom it was\n" +
			"changed, and what it held. An asterisk marks the current one. + and - are the\n" +
			"entries that came and went; `fovea diff` tells which.",
		Example: "  fovea log custom-labels/parts/train\n  fovea log lookout/castings/test --output json | jq -r .cause",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			show := newRevisionTable(cmd.OutOrStdout())
			if asJSON {
				show = revisionLines(cmd.OutOrStdout())
			}
			return c.eachRevision(cmd, args[0], count, show)
		},
	}
	c.dataFlags(cmd.Flags())
	outputFlag(cmd, &output)
	cmd.Flags().IntVarP(&count, "max-count", "n", 0, "how many revisions to show (default: all)")
	configFlag(cmd)
	return cmd
}

// eachRevision gives show the pages of the history, until there are count, then
// nil.
func (c *config) eachRevision(cmd *cobra.Command, name string, count int, show func([]json.RawMessage) error) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := datasetPath(name)
	if err != nil {
		return err
	}
	for before, left := int64(0), count; ; {
		query := url.Values{}
		if before > 0 {
			query.Set("before", strconv.FormatInt(before, 10))
		}
		if count > 0 {
			query.Set("max", strconv.Itoa(left))
		}
		var page struct {
			Revisions []json.RawMessage
			Before    int64
		}
		if err := api.read(cmd.Context(), http.MethodGet, path+"/revisions", query, nil, &page); err != nil {
			return err
		}
		if err := show(page.Revisions); err != nil {
			return err
		}
		before = page.Before
		if left -= len(page.Revisions); before == 0 || count > 0 && left <= 0 {
			return show(nil)
		}
	}
}

// revisionLines returns what writes revisions as JSON Lines.
func revisionLines(w io.Writer) func([]json.RawMessage) error {
	return func(list []json.RawMessage) error {
		for _, r := range list {
			if _, err := fmt.Fprintf(w, "%s\n", r); err != nil {
				return err
			}
		}
		return nil
	}
}

// newRevisionTable returns what writes revisions for people, page by page: two
// lines each, since why and by whom would not fit beside the numbers on a
// terminal of 80 columns.
func newRevisionTable(w io.Writer) func([]json.RawMessage) error {
	const row = "%-8s  %-19s  %16s  %9v %8v %8v\n"
	began := false
	return func(list []json.RawMessage) error {
		if !began {
			began = true
			if _, err := fmt.Fprintf(w, row, "REVISION", "TIME", "CHANGE", "ENTRIES", "LABELLED", "ERRORS"); err != nil {
				return err
			}
		}
		for _, text := range list {
			var r revisionAnswer
			if err := json.Unmarshal(text, &r); err != nil {
				return err
			}
			mark := " "
			if r.Current {
				mark = "*"
			}
			_, err := fmt.Fprintf(w, row+"  %s, by %s\n", mark+strconv.FormatInt(r.Revision, 10), r.Created.Local().Format(time.DateTime),
				r.change(), r.Entries, r.Labeled, r.Errors, r.Cause, r.Caller)
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// change returns how many entries came and went, as far as that is known.
func (r revisionAnswer) change() string {
	switch {
	case r.Added == nil || r.Removed == nil:
		return "?"
	case *r.Removed == 0:
		return fmt.Sprintf("+%d", *r.Added)
	case *r.Added == 0:
		return fmt.Sprintf("-%d", *r.Removed)
	}
	return fmt.Sprintf("+%d -%d", *r.Added, *r.Removed)
}
