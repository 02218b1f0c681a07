package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
)

func reportCommand() *cobra.Command {
	var c config
	var rules []string
	cmd := &cobra.Command{
		Use:   "report SERVICE/PROJECT/SPLIT",
		Short: "Print the import report of a dataset",
		Long: "Print what an import found, line by line, as JSON Lines: first a summary, then the\n" +
			"findings. Also of an import that failed. With --rule only the findings of some rules, such as\n" +
			"near-duplicate or WARNING_LABEL_RARE; quality stands for all of docs/quality.md.",
		Example: "  fovea report custom-labels/parts/train\n  fovea report custom-labels/parts/train --rule near-duplicate,duplicate-image\n  fovea report lookout/castings/test | jq -r 'select(.line) | \"\\(.line): \\(.mend)\"'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(rules) > 0 {
				return c.findings(cmd, args[0], rules)
			}
			return c.report(cmd, args[0])
		},
	}
	c.dataFlags(cmd.Flags())
	cmd.Flags().StringSliceVar(&rules, "rule", nil, "print the findings of these rules only")
	configFlag(cmd)
	return cmd
}

func (c *config) report(cmd *cobra.Command, name string) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := datasetPath(name)
	if err != nil {
		return err
	}
	body, err := api.call(cmd.Context(), http.MethodGet, path+"/import-report", nil, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(cmd.OutOrStdout(), body)
	return err
}

// findings prints the findings of some rules, page by page.
func (c *config) findings(cmd *cobra.Command, name string, rules []string) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := datasetPath(name)
	if err != nil {
		return err
	}
	query := url.Values{"max": {"1000"}}
	for _, r := range rules {
		codes, err := codesOfRule(r)
		switch {
		case err != nil:
			return fmt.Errorf("--rule %w", err)
		case len(codes) == 0:
			return c.report(cmd, name)
		}
		for _, code := range codes {
			query.Add("rule", code)
		}
	}
	for {
		var page struct {
			Findings []json.RawMessage `json:"findings"`
			After    int64             `json:"after"`
		}
		if err := api.read(cmd.Context(), http.MethodGet, path+"/quality", query, nil, &page); err != nil {
			return err
		}
		for _, f := range page.Findings {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", f); err != nil {
				return err
			}
		}
		if page.After == 0 {
			return nil
		}
		query.Set("after", strconv.FormatInt(page.After, 10))
	}
}
