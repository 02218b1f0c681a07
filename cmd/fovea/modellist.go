package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

func modelListCommand() *cobra.Command {
	var c config
	var output string
	cmd := &cobra.Command{
		Use:   "list SERVICE/PROJECT",
		Short: "List the models of a project: how far their training is, and what they are worth",
		Long: "List the models of a project, the latest first: their status, how far a training is, what\n" +
			"it is at and how long it will take, about; the F1 score of those that are trained; the\n" +
			"inference units of those that run, and how many images each works on in a second, as\n" +
			"measured on the server that answers. With --output json also what made them.",
		Example: "  fovea model list custom-labels/parts\n  watch fovea model list lookout/castings",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			return c.modelList(cmd, args[0], asJSON)
		},
	}
	c.dataFlags(cmd.Flags())
	outputFlag(cmd, &output)
	configFlag(cmd)
	return cmd
}

// A listedModel is a model as the server lists it.
type listedModel struct {
	Name     string
	Status   string
	Message  string
	Progress float64
	Stage    string
	Left     *int64 `json:"seconds_left"`
	F1       *float64
	Units    int
	Speed    float64 `json:"unit_images_per_second"`
}

func (c *config) modelList(cmd *cobra.Command, name string, asJSON bool) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	path, err := modelsPath(name)
	if err != nil {
		return err
	}
	var all []json.RawMessage
	for query := (url.Values{}); ; {
		var page struct {
			Models []json.RawMessage
			Token  string
		}
		if err := api.read(cmd.Context(), http.MethodGet, path, query, nil, &page); err != nil {
			return err
		}
		all = append(all, page.Models...)
		if page.Token == "" {
			break
		}
		query.Set("token", page.Token)
	}
	if asJSON {
		for _, m := range all {
			if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", m); err != nil {
				return err
			}
		}
		return nil
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "MODEL\tSTATUS\tF1\tUNITS\tIMAGES/S\tDONE\tLEFT\tWHAT")
	for _, text := range all {
		var m listedModel
		if err := json.Unmarshal(text, &m); err != nil {
			return err
		}
		fmt.Fprintln(t, m.row())
	}
	return t.Flush()
}

// row returns the model as a row of the table.
func (m *listedModel) row() string {
	f1, done, left, units, speed := "", "", "", "", ""
	if m.F1 != nil {
		f1 = fmt.Sprintf("%.3f", *m.F1)
	}
	if m.Status == "running" {
		units = fmt.Sprint(m.Units)
	}
	if m.Speed > 0 {
		speed = fmt.Sprintf("%.3g", m.Speed)
	}
	if m.Status == "training" {
		done = fmt.Sprintf("%.0f %%", 100*m.Progress)
	}
	if m.Left != nil {
		left = (time.Duration(*m.Left) * time.Second).String()
	}
	what := strings.TrimSpace(m.Stage + " " + m.Message)
	return strings.Join([]string{m.Name, m.Status, f1, units, speed, done, left, what}, "\t")
}

func modelCancelCommand() *cobra.Command {
	var c config
	cmd := &cobra.Command{
		Use:   "cancel SERVICE/PROJECT/MODEL",
		Short: "Cancel the training or the copying of a model",
		Long: "Cancel the training or the copying of a model. It becomes one whose training, or copying,\n" +
			"failed, and can be deleted.",
		Example: "  fovea model cancel lookout/castings/3",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.modelCancel(cmd, args[0]) },
	}
	c.dataFlags(cmd.Flags())
	configFlag(cmd)
	return cmd
}

func (c *config) modelCancel(cmd *cobra.Command, name string) error {
	api, path, err := c.modelClient(name)
	if err != nil {
		return err
	}
	var m listedModel
	if err := api.read(cmd.Context(), http.MethodPost, path+"/cancel", nil, nil, &m); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", name, m.Message)
	return err
}

// modelsPath returns the path under which the models of a project are.
func modelsPath(name string) (string, error) {
	service, project, ok := strings.Cut(name, "/")
	if !ok || service == "" || project == "" || strings.Contains(project, "/") {
		return "", fmt.Errorf("%q is not of the form SERVICE/PROJECT, such as custom-labels/parts", name)
	}
	return "/fovea/v1/" + url.PathEscape(service) + "/" + url.PathEscape(project) + "/models", nil
}
