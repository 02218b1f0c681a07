package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"
)

func modelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Aliases: []string{"models"},
		Short:   "List models and cancel trainings, look into models, tune them and carry them elsewhere",
		Args:    cobra.NoArgs,
	}
	cmd.AddCommand(modelListCommand(), modelCancelCommand(), modelReportCommand(), modelThresholdCommand(), modelHeatmapCommand(), modelExportCommand(), modelImportCommand())
	return cmd
}

// modelPath returns the path under which the calls of a model are.
func modelPath(name string) (string, error) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return "", fmt.Errorf("%q is not of the form SERVICE/PROJECT/MODEL, such as custom-labels/parts/v1 or lookout/castings/3", name)
	}
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/fovea/v1/" + parts[0] + "/" + parts[1] + "/models/" + parts[2], nil
}

// modelClient returns what a command about one model needs: a client of the
// server, and the path under which the calls of the model are.
func (c *config) modelClient(name string) (api *client, path string, err error) {
	if api, err = c.client(); err != nil {
		return nil, "", err
	}
	path, err = modelPath(name)
	return api, path, err
}
