package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"fovea/internal/appraisal"
)

func modelReportCommand() *cobra.Command {
	var c config
	var output string
	var most int
	cmd := &cobra.Command{
		Use:   "report SERVICE/PROJECT/MODEL",
		Short: "Show what a model is worth, and which images it finds hard",
		Long: "Show what a training found out: each label with its threshold, precision and recall, on\n" +
			"the test images and, out of fold, on the training images; what is taken for what; the\n" +
			"test images that the model is most wrong about, and the training images whose label\n" +
			"it would not have given, which may be labelled wrong. As JSON it has the\n" +
			"precision-recall curves, too.",
		Example: "  fovea model report custom-labels/parts/v1\n" +
			"  fovea model report lookout/castings/1 --output json | jq -r '.doubtful_train_images[].source_ref'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			return c.modelReport(cmd, args[0], asJSON, most)
		},
	}
	c.dataFlags(cmd.Flags())
	outputFlag(cmd, &output)
	cmd.Flags().IntVarP(&most, "max-images", "n", 10, "how many images of each kind the table shows")
	configFlag(cmd)
	return cmd
}

func (c *config) modelReport(cmd *cobra.Command, name string, asJSON bool, most int) error {
	api, path, err := c.modelClient(name)
	if err != nil {
		return err
	}
	body, err := api.call(cmd.Context(), http.MethodGet, path+"/report", nil, nil)
	if err != nil {
		return err
	}
	defer body.Close()
	if asJSON {
		_, err := io.Copy(cmd.OutOrStdout(), body)
		return err
	}
	var r appraisal.Report
	if err := json.NewDecoder(body).Decode(&r); err != nil {
		return fmt.Errorf("the server's answer: %w", err)
	}
	return printModelReport(cmd.OutOrStdout(), &r, most)
}

// printModelReport writes a report for people.
func printModelReport(w io.Writer, r *appraisal.Report, most int) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "%s, trained with %d images, tested with %d\n", r.Kind, r.TrainImages, r.TestImages)
	if r.NormalOnly {
		fmt.Fprintln(t, "There were too few anomalies to learn from: it finds what looks unlike the normal images.")
	}
	printEvaluation(t, "On the test images", r.Test)
	printEvaluation(t, fmt.Sprintf("On the training images, in %d folds", r.Folds), r.Trained)
	if len(r.Areas) > 0 {
		fmt.Fprintln(t, "\nAREA\tTHRESHOLD\tPRECISION\tRECALL\tF1\tIOU")
		for _, a := range r.Areas {
			fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", a.Name, a.Threshold, a.Precision, a.Recall, a.F1, a.IoU)
		}
	}
	printImages(t, "Hardest test images", r.Hardest, most)
	printImages(t, "Doubtful training images", r.Doubtful, most)
	return t.Flush()
}

func printEvaluation(w io.Writer, title string, e *appraisal.Evaluation) {
	if e == nil {
		return
	}
	fmt.Fprintf(w, "\n%s\nLABEL\tCOUNT\tTHRESHOLD\tPRECISION\tRECALL\tF1\tAVERAGE PRECISION\n", title)
	for _, l := range e.Labels {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\n", l.Name, l.Count, l.Threshold, l.Precision, l.Recall, l.F1, l.AveragePrecision)
	}
	printConfusion(w, e)
}

// maxColumns is how many labels a confusion matrix has that a terminal shows.
const maxColumns = 12

func printConfusion(w io.Writer, e *appraisal.Evaluation) {
	if len(e.Confusion) == 0 || len(e.Confusion) > maxColumns {
		return
	}
	names := make([]string, len(e.Confusion))
	for i := range names {
		names[i] = "(nothing)" // the last of a detector
		if i < len(e.Labels) {
			names[i] = e.Labels[i].Name
		}
	}
	fmt.Fprintf(w, "\nTRUTH\\MODEL\t%s\n", strings.Join(names, "\t"))
	for i, row := range e.Confusion {
		fmt.Fprint(w, names[i])
		for _, n := range row {
			fmt.Fprintf(w, "\t%d", n)
		}
		fmt.Fprintln(w)
	}
}

func printImages(w io.Writer, title string, list []appraisal.Image, most int) {
	if len(list) == 0 {
		return
	}
	shown := list[:min(len(list), max(most, 0))]
	fmt.Fprintf(w, "\n%s (%d of %d)\nIMAGE\tLABELLED\tMODEL\tSCORE\n", title, len(shown), len(list))
	for _, x := range shown {
		labelled, found := x.Label, x.Suggested
		if !x.Has {
			labelled, found = "not "+x.Label, x.Label
		}
		if found == "" {
			found = "not sure"
			if x.By > 0 {
				found = "not " + x.Label
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.3f\n", x.SourceRef, labelled, found, x.Score)
	}
}
