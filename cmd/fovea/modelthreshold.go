package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func modelThresholdCommand() *cobra.Command {
	var c config
	var output string
	var reset bool
	cmd := &cobra.Command{
		Use:   "threshold SERVICE/PROJECT/MODEL [LABEL=VALUE…]",
		Short: "Show and change from which score on a model assumes its labels",
		Long: "Show from which score on, 0 to 1, a model assumes its labels; with LABEL=VALUE change\n" +
			"it, with LABEL= take it back to what the training chose, with --reset all of them. A\n" +
			"model that is running goes by it at once. Where a label of Lookout for Vision has areas,\n" +
			"mask:LABEL is the threshold of its pixels, and anomaly that of whole images.",
		Example: "  fovea model threshold custom-labels/parts/v1\n  fovea model threshold custom-labels/parts/v1 scratch=0.7 dent=\n" +
			"  fovea model threshold lookout/castings/1 anomaly=0.3 mask:crack=0.6",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			return c.modelThreshold(cmd, args[0], args[1:], reset, asJSON)
		},
	}
	c.dataFlags(cmd.Flags())
	outputFlag(cmd, &output)
	cmd.Flags().BoolVar(&reset, "reset", false, "take all thresholds back to what the training chose")
	configFlag(cmd)
	return cmd
}

func (c *config) modelThreshold(cmd *cobra.Command, name string, changes []string, reset, asJSON bool) error {
	api, path, err := c.modelClient(name)
	if err != nil {
		return err
	}
	method, body, err := thresholdCall(changes, reset)
	if err != nil {
		return err
	}
	var text json.RawMessage
	if err := api.read(cmd.Context(), method, path+"/thresholds", nil, body, &text); err != nil {
		return err
	}
	if asJSON {
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
		return err
	}
	var answer struct {
		Thresholds []struct {
			Label     string   `json:"label"`
			Threshold float64  `json:"threshold"`
			Chosen    float64  `json:"chosen"`
			Set       *float64 `json:"set"`
		} `json:"thresholds"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "LABEL\tTHRESHOLD\tCHOSEN BY TRAINING\tSET")
	for _, l := range answer.Thresholds {
		set := ""
		if l.Set != nil {
			set = "yes"
		}
		fmt.Fprintf(t, "%s\t%.4g\t%.4g\t%s\n", l.Label, l.Threshold, l.Chosen, set)
	}
	return t.Flush()
}

// thresholdCall returns the call for changes of the form LABEL=VALUE. The value
// follows the last equals sign: labels may have some.
func thresholdCall(changes []string, reset bool) (method string, body []byte, err error) {
	switch {
	case reset && len(changes) > 0:
		return "", nil, errors.New("--reset takes all thresholds back: name no labels with it, or LABEL= for one of them without it")
	case reset:
		return http.MethodDelete, nil, nil
	case len(changes) == 0:
		return http.MethodGet, nil, nil
	}
	set := map[string]*float64{}
	for _, text := range changes {
		at := strings.LastIndexByte(text, '=')
		if at <= 0 {
			return "", nil, fmt.Errorf("%q is not of the form LABEL=VALUE", text)
		}
		label, value := text[:at], text[at+1:]
		if value == "" {
			set[label] = nil
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !(v >= 0 && v <= 1) {
			return "", nil, fmt.Errorf("the threshold of %s, %q, is not a number from 0 to 1", label, value)
		}
		set[label] = &v
	}
	body, err = json.Marshal(set)
	return http.MethodPut, body, err
}
