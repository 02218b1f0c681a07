package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"
)

func modelHeatmapCommand() *cobra.Command {
	var c config
	var out, label, format string
	cmd := &cobra.Command{
		Use:   "heatmap SERVICE/PROJECT/MODEL IMAGE",
		Short: "Show where in an image a running model sees a label",
		Long: "Show where in an image, a PNG or JPEG file, a model that is running sees a label: the\n" +
			"image in grey, and over it from yellow to red what speaks for the label. A model of\n" +
			"Lookout for Vision shows what is unusual. Models that find objects have no heat map.",
		Example: "  fovea model heatmap custom-labels/parts/v1 part.jpg -o heat.png --label scratch\n" +
			"  fovea model heatmap lookout/castings/1 casting.jpg --format json -o -",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.modelHeatmap(cmd, args[0], args[1], out, url.Values{"label": {label}, "format": {format}})
		},
	}
	c.dataFlags(cmd.Flags())
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write, - for the standard output (required)")
	cmd.Flags().StringVar(&label, "label", "", "label to show (default: the one that the model gives the image)")
	cmd.Flags().StringVar(&format, "format", "png", "png, or json for the numbers")
	cmd.MarkFlagRequired("out")
	configFlag(cmd)
	return cmd
}

// maxImageFile is more than the server takes of an image, in bytes.
const maxImageFile = 64 << 20

func (c *config) modelHeatmap(cmd *cobra.Command, name, image, out string, query url.Values) error {
	api, path, err := c.modelClient(name)
	if err != nil {
		return err
	}
	data, err := readFileUpTo(image, maxImageFile)
	if err != nil {
		return err
	}
	body, err := api.call(cmd.Context(), http.MethodPost, path+"/heatmap", query, data)
	if err != nil {
		return err
	}
	defer body.Close()
	return saveAnswer(cmd, body, out)
}

// readFileUpTo returns a file that has no more than most bytes.
func readFileUpTo(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s has more than %d bytes", name, most)
	}
	return data, err
}

// saveAnswer writes an answer to a file, whole or not at all, or to the standard
// output.
func saveAnswer(cmd *cobra.Command, body io.Reader, out string) error {
	if out == "-" {
		_, err := io.Copy(cmd.OutOrStdout(), body)
		return err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return writeFile(out, data, 0o644)
}
