package main

import (
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

func reportCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "report SERVICE/PROJECT/SPLIT",
		Short: "Print the import report of a dataset",
		Long: "Print what an import found, line by line, as JSON Lines: first a summary, then the\n" +
			"findings. Also of an import that failed.",
		Example: "  fovea report custom-labels/parts/train\n  fovea report lookout/castings/test | jq -r 'select(.line) | \"\\(.line): \\(.mend)\"'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.report(cmd, args[0])
		},
	}
	c.dataFlags(cmd.Flags())
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
