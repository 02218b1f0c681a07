package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"

	"fovea/internal/dataset"
)

// sarifLevels translate severities.
var sarifLevels = map[string]string{"warning": "warning", "error": "error", "fatal": "error"}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	} `json:"physicalLocation"`
	Logical []sarifLogical `json:"logicalLocations,omitempty"`
}

// A sarifRegion is where a finding is. The column counts bytes, so behind
// characters that are not ASCII it is beyond that of an editor; the offset is
// exact.
type sarifRegion struct {
	StartLine   int64 `json:"startLine"`
	StartColumn int   `json:"startColumn,omitempty"`
	ByteOffset  int64 `json:"byteOffset,omitempty"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
}

// writeSARIF writes what was found in SARIF 2.1.0, which code hosts and editors
// show.
func writeSARIF(ctx context.Context, w io.Writer, all []checked, _ int) error {
	results := []sarifResult{}
	for _, c := range all {
		var err error
		if results, err = appendSARIF(ctx, results, c); err != nil {
			return err
		}
	}
	type rule struct {
		ID string `json:"id"`
	}
	rules := []rule{}
	ids := map[string]bool{}
	for _, r := range results {
		ids[r.RuleID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		rules = append(rules, rule{id})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{map[string]any{
			"tool":    map[string]any{"driver": map[string]any{"name": "fovea check", "version": version(), "rules": rules}},
			"results": results,
		}},
	})
}

// appendSARIF appends what was found in a manifest. What fails the check is an
// error.
func appendSARIF(ctx context.Context, results []sarifResult, c checked) ([]sarifResult, error) {
	sum := c.Summary()
	if f := sum.Fault; f != nil {
		results = append(results, sarifFinding(sum.Manifest, sarifRegion{StartLine: f.Line}, "", sarifResult{RuleID: f.Code, Level: "error", Message: sarifText{f.Message}}))
	}
	err := c.Findings(ctx, func(f *dataset.Finding) error {
		text, level := f.Message, sarifLevels[f.Severity]
		if c.gate.fails(f.Code) {
			level = "error"
		}
		if f.Mend != "" {
			text += " " + f.Mend
		}
		results = append(results, sarifFinding(sum.Manifest, sarifRegion{f.Line, f.Column, f.Offset}, f.Pointer, sarifResult{RuleID: f.Code, Level: level, Message: sarifText{text}}))
		return nil
	})
	return results, err
}

// sarifFinding gives a result its place.
func sarifFinding(file string, region sarifRegion, pointer string, r sarifResult) sarifResult {
	var l sarifLocation
	l.Physical.Artifact.URI = file
	if region.StartLine > 0 {
		l.Physical.Region = &region
	}
	if pointer != "" {
		l.Logical = []sarifLogical{{pointer}}
	}
	r.Locations = []sarifLocation{l}
	return r
}
