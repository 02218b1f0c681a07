package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"fovea/internal/bundle"
	"fovea/internal/certificate"
	"fovea/internal/model"
)

func modelExportCommand() *cobra.Command {
	var c config
	var out string
	cmd := &cobra.Command{
		Use:   "export SERVICE/PROJECT/MODEL",
		Short: "Write a trained model to one signed file",
		Long: "Write a trained model to one file that another fovea can load: weights, settings, report,\n" +
			"files about its training, and where it comes from, signed with the server's key.",
		Example: "  fovea model export custom-labels/parts/v1 -o parts.fovea",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.exportModel(cmd, args[0], out) },
	}
	c.dataFlags(cmd.Flags())
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write, - for the standard output (required)")
	cmd.MarkFlagRequired("out")
	configFlag(cmd)
	return cmd
}

func (c *config) exportModel(cmd *cobra.Command, name, out string) error {
	api, path, err := c.modelClient(name)
	if err != nil {
		return err
	}
	body, err := api.call(cmd.Context(), http.MethodGet, path+"/bundle", nil, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if err := saveAnswer(cmd, body, out); err != nil || out == "-" {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: the model %s, %d bytes\n", out, name, info.Size())
	return err
}

// A modelImport is what the flags of fovea model import say.
type modelImport struct {
	config
	project, name, output string
	trust                 []string
	format                string
}

func modelImportCommand() *cobra.Command {
	var m modelImport
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a model of a file that fovea model export wrote",
		Long: "Make a model of a project of a file that `fovea model export` wrote, here or on another\n" +
			"server. The file has to be signed with this server's key, or with one that --trust names:\n" +
			"`fovea migrate key` prints the key of a server. The files about its training are written\n" +
			"to --output. The model is trained: start it as any other.",
		Example: "  fovea model import parts.fovea --project custom-labels/parts --name v1 --output s3://models/parts/ --trust KEY",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return m.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	m.dataFlags(f)
	f.StringVar(&m.project, "project", "", "SERVICE/PROJECT that it becomes a model of (required)")
	f.StringVar(&m.name, "name", "", "name of the model, for Custom Labels; models of Lookout for Vision have numbers")
	f.StringVar(&m.output, "output", "", "where the files about its training go: s3://bucket/prefix (required)")
	f.StringSliceVar(&m.trust, "trust", nil, "public key of another server that is trusted")
	f.StringVar(&m.format, "format", "text", "text or json: what to print")
	cmd.MarkFlagRequired("project")
	cmd.MarkFlagRequired("output")
	configFlag(cmd)
	return cmd
}

func (m *modelImport) run(cmd *cobra.Command, file string) error {
	if m.format != "text" && m.format != "json" {
		return fmt.Errorf("--format %s: it is text or json", m.format)
	}
	data, err := readFileUpTo(file, bundle.MaxBytes)
	if err != nil {
		return err
	}
	c, err := bundle.Peek(data)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	path, err := modelPath(m.project + "/x")
	if err != nil {
		return fmt.Errorf("--project %q is not of the form SERVICE/PROJECT, such as custom-labels/parts", m.project)
	}
	api, err := m.client()
	if err != nil {
		return err
	}
	query := url.Values{"output": {m.output}, "trust": m.trust}
	if m.name != "" {
		query.Set("name", m.name)
	}
	var text json.RawMessage
	if err := api.read(cmd.Context(), http.MethodPost, path[:len(path)-len("/x")], query, data, &text); err != nil {
		return err
	}
	if m.format == "json" {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
		return err
	}
	return m.tell(cmd, text, c)
}

// tell says what became of a bundle that was taken.
func (m *modelImport) tell(cmd *cobra.Command, text []byte, c certificate.File) error {
	var made struct {
		Model string  `json:"model"`
		F1    float64 `json:"f1"`
	}
	var from model.Passport
	if err := json.Unmarshal(text, &made); err != nil {
		return err
	}
	if err := json.Unmarshal(c.Statement, &from); err != nil {
		return err
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s/%s: %s, F1 %.3f; was %s/%s/%s, signed %s with the key %s\n",
		m.project, made.Model, from.Kind, made.F1, from.Service, from.Project, from.Model, c.Signature.Signed, c.Signature.KeyID)
	return err
}
