package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"fovea/internal/imaging"
	"fovea/internal/ml/onnx"
)

// A backboneCheck is what the flags of fovea backbone say.
type backboneCheck struct {
	settings map[string]*string
	out      string
	layers   bool
	output   string
}

func backboneCommand() *cobra.Command {
	c := backboneCheck{settings: map[string]*string{}}
	cmd := &cobra.Command{
		Use:   "backbone FILE",
		Short: "Look at an ONNX file that is to be a backbone, and set how images are shown to it",
		Long: "Tell whether the network in an ONNX file can be a backbone: what it takes and says, its\n" +
			"hash, and how long it takes for an image on one processor. What it cannot do is told with\n" +
			"the node and the operator. No server is needed.\n\n" +
			"How images are shown to it, and which layers count, are settings in the file itself, so\n" +
			"that its hash stands for all of it. --out writes the file with other settings; without\n" +
			"--out they are only tried.",
		Example: "  fovea backbone resnet50.onnx --layers\n" +
			"  fovea backbone resnet50.onnx --outputs /layer2/Relu_7,/layer3/Relu_11 --out parts.onnx\n" +
			"  fovea serve --backbone parts.onnx",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	for name, usage := range map[string]string{
		"name":     "name of the backbone (default: that of the file)",
		"mean":     "of red, green and blue from 0 to 1, taken off: one number or three (default 0.485,0.456,0.406)",
		"std":      "deviation, divided by: one number or three (default 0.229,0.224,0.225)",
		"size":     "pixels of the longer side that images have, or WIDTHxHEIGHT if it takes only one size (default 224)",
		"multiple": "what both sides must be multiples of if it takes any size (default 32, or 14)",
		"outputs":  "layers that count, with commas between (default: the outputs of the network)",
	} {
		c.settings[name] = f.String(name, "", usage)
	}
	f.StringVarP(&c.out, "out", "o", "", "write the file with these settings to that file")
	f.BoolVar(&c.layers, "layers", false, "list all layers that can be outputs")
	outputFlag(cmd, &c.output)
	return cmd
}

func (c *backboneCheck) run(cmd *cobra.Command, path string) error {
	asJSON, err := wantsJSON(c.output)
	if err != nil {
		return err
	}
	file, err := readBackbone(path)
	if err != nil {
		return err
	}
	if c.layers {
		return listLayers(cmd.Context(), cmd.OutOrStdout(), path, file, asJSON)
	}
	set := map[string]string{}
	for name, value := range c.settings {
		if cmd.Flags().Changed(name) {
			set[name] = *value
		}
	}
	if len(set) > 0 {
		if file, err = onnx.Set(file, set); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	named := path
	if c.out != "" {
		named = c.out
	}
	b, err := tryBackbone(cmd.Context(), named, file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if c.out != "" {
		if err := writeFile(c.out, file, 0o644); err != nil {
			return err
		}
	}
	seen, err := look(cmd.Context(), b)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(seen)
	}
	return seen.print(cmd.Context(), cmd.OutOrStdout(), file)
}

// A seenBackbone is what fovea backbone tells.
type seenBackbone struct {
	*onnx.Description
	Milliseconds float64 `json:"milliseconds"` // for an image, on one processor
}

// look returns what is known about a backbone, its time being the shortest of a
// second.
func look(ctx context.Context, b *onnx.Backbone) (*seenBackbone, error) {
	d, err := b.Describe(ctx)
	if err != nil {
		return nil, err
	}
	image := imaging.New(d.Side, d.Side)
	fastest, began := time.Duration(0), time.Now()
	for n := 0; n == 0 || time.Since(began) < time.Second && n < 100; n++ {
		start := time.Now()
		if _, err := b.Global(ctx, image); err != nil {
			return nil, err
		}
		if took := time.Since(start); n == 0 || took < fastest {
			fastest = took
		}
	}
	return &seenBackbone{d, float64(fastest.Microseconds()) / 1000}, nil
}

func (s *seenBackbone) print(ctx context.Context, w io.Writer, file []byte) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	size := fmt.Sprintf("any; images are shown with %d pixels on the longer side", s.Side)
	if s.Width > 0 {
		size = fmt.Sprintf("%d x %d pixels", s.Width, s.Height)
	}
	fmt.Fprintf(t, "name\t%s\nSHA-256\t%s\ninput\t%s\n", s.Name, s.Hash, size)
	fmt.Fprintf(t, "colours\tmean %v, deviation %v\n", s.Mean, s.Std)
	fmt.Fprintf(t, "network\t%d nodes, %d weights, %.2f billion multiplications for an image\n", s.Nodes, s.Weights, float64(s.Work)/1e9)
	for _, l := range s.Outputs {
		fmt.Fprintf(t, "output\t%s\n", describeLayer(l))
	}
	fmt.Fprintf(t, "time\t%.1f ms for an image, on one processor\n", s.Milliseconds)
	fmt.Fprintf(t, "Custom Labels\t%d numbers of an image\n", s.Numbers)
	if s.Cells > 0 {
		fmt.Fprintf(t, "Lookout\t%d numbers of each cell\n", s.Cells)
	} else {
		fmt.Fprintf(t, "Lookout\tnot with this one: it has no maps\n")
		if layers, err := onnx.Layers(ctx, file); err == nil {
			for _, l := range onnx.Last(layers) {
				fmt.Fprintf(t, "possible\t%s\n", describeLayer(l))
			}
		}
	}
	return t.Flush()
}

func describeLayer(l onnx.Layer) string {
	if l.Stride == 0 {
		return fmt.Sprintf("%s: %d numbers", printableName(l.Name), l.Channels)
	}
	return fmt.Sprintf("%s: map of %d numbers every %d pixels", printableName(l.Name), l.Channels, l.Stride)
}

// printableName returns a name that a file gives, quoted where it has what a
// terminal would not show or would obey.
func printableName(name string) string {
	if utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return name
	}
	return strconv.Quote(name)
}

// listLayers prints all layers of a network.
func listLayers(ctx context.Context, w io.Writer, path string, file []byte, asJSON bool) error {
	ctx, cancel := context.WithTimeout(ctx, backboneTime)
	defer cancel()
	layers, err := onnx.Layers(ctx, file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if asJSON {
		return json.NewEncoder(w).Encode(layers)
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "LAYER\tOPERATOR\tNUMBERS\tEVERY")
	for _, l := range layers {
		every := ""
		if l.Stride > 0 {
			every = fmt.Sprintf("%d pixels", l.Stride)
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\n", printableName(l.Name), printableName(l.Operator), l.Channels, every)
	}
	return t.Flush()
}
