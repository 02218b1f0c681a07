package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fovea/internal/sigv4"
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
			key, err := c.existingKey()
			if err != nil {
				return err
			}
			return c.report(cmd, key, args[0])
		},
	}
	c.dataFlags(cmd.Flags())
	configFlag(cmd)
	return cmd
}

func (c *config) report(cmd *cobra.Command, key keyPair, name string) error {
	if strings.Count(name, "/") != 2 {
		return fmt.Errorf("%q is not of the form SERVICE/PROJECT/SPLIT, such as custom-labels/parts/train", name)
	}
	url := c.url(c.Listen) + "/fovea/v1/" + name + "/import-report"
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of no body
	sigv4.Sign(req, sigv4.Scope{KeyID: key.ID, Region: c.Region, Service: "fovea"}, key.Secret, empty, time.Now())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var e struct{ Message string }
		if err := json.NewDecoder(resp.Body).Decode(&e); err != nil || e.Message == "" {
			return fmt.Errorf("the server answered %s", resp.Status)
		}
		return errors.New(e.Message)
	}
	_, err = io.Copy(cmd.OutOrStdout(), resp.Body)
	return err
}
