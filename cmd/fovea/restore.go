package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"
)

func restoreCommand() *cobra.Command {
	var c config
	var output string
	cmd := &cobra.Command{
		Use:   "restore SERVICE/PROJECT/SPLIT REVISION",
		Short: "Take a dataset back to an older revision",
		Long: "Make what a dataset held at an older revision its newest revision. Nothing is lost:\n" +
			"the revisions in between stay in the history, and can be restored in turn.",
		Example: "  fovea restore custom-labels/parts/train 3",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			number, err := revisionNumber(args[1])
			if err != nil {
				return err
			}
			return c.restore(cmd, args[0], number, asJSON)
		},
	}
	c.dataFlags(cmd.Flags())
	outputFlag(cmd, &output)
	configFlag(cmd)
	return cmd
}

func (c *config) restore(cmd *cobra.Command, name string, number int64, asJSON bool) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := datasetPath(name)
	if err != nil {
		return err
	}
	body := fmt.Appendf(nil, `{"revision":%d}`, number)
	var text json.RawMessage
	if err := api.read(cmd.Context(), http.MethodPost, path+"/restore", nil, body, &text); err != nil {
		return err
	}
	if asJSON {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
		return err
	}
	var r revisionAnswer
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is as it was at revision %d: revision %d, %d entries\n", name, number, r.Revision, r.Entries)
	return err
}
