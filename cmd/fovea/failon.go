package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"fovea/internal/dataset"
	"fovea/internal/lint"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
)

// A gate is which findings fail a check, besides what fails an import.
type gate struct {
	codes map[string]bool
	any   bool
}

// Groups of codes that --fail-on takes by one name.
const (
	anyFinding     = "any"
	qualityFinding = "quality"
	imageFinding   = "images"
)

// gateOf reads the rules of --fail-on: codes, in full or as dataset.RuleName
// writes them, and groups. opened and decoded say whether images are.
func gateOf(rules []string, opened, decoded bool) (*gate, error) {
	g := &gate{codes: map[string]bool{}}
	needOpened, needDecoded := codeSet(dataset.ImageCodes()), codeSet(dataset.QualityCodes())
	for _, rule := range rules {
		codes, err := codesOfRule(rule)
		if err != nil {
			return nil, fmt.Errorf("--fail-on %w", err)
		}
		for _, c := range codes {
			switch {
			case needDecoded[c] && !decoded:
				return nil, fmt.Errorf("--fail-on %s: it is only found with --images", rule)
			case needOpened[c] && !opened:
				return nil, fmt.Errorf("--fail-on %s: it is only found with --images or --check-images", rule)
			}
			g.codes[c] = true
		}
		g.any = g.any || rule == anyFinding
	}
	return g, nil
}

func codeSet(codes []string) map[string]bool {
	set := map[string]bool{}
	for _, c := range codes {
		set[c] = true
	}
	return set
}

// codesOfRule returns the codes that a rule stands for, none for any.
func codesOfRule(rule string) ([]string, error) {
	switch rule {
	case anyFinding:
		return nil, nil
	case qualityFinding:
		return dataset.QualityCodes(), nil
	case imageFinding:
		return dataset.ImageCodes(), nil
	}
	var found []string
	all := slices.Concat(dataset.QualityCodes(), dataset.ImageCodes(), lint.Codes(), rekognition.Codes(), lookout.Codes(), []string{dataset.DuplicateLine})
	for _, c := range all {
		if c == rule || dataset.RuleName(c) == strings.ToLower(rule) {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: there is no such rule; see docs/quality.md and docs/manifests.md, or take %s, %s or %s", rule, anyFinding, qualityFinding, imageFinding)
	}
	return found, nil
}

// fails tells whether a code fails the check.
func (g *gate) fails(code string) bool { return g.any || g.codes[code] }

// failing returns the codes of findings that fail the check, sorted.
func (g *gate) failing(sum *dataset.Summary) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(sum.Codes)), func(c string) bool { return sum.Codes[c] == 0 || !g.fails(c) })
}

// failingText says which findings fail the check, "" for none.
func (g *gate) failingText(sum *dataset.Summary) string {
	var list []string
	for _, c := range g.failing(sum) {
		list = append(list, fmt.Sprintf("%s (%d)", dataset.RuleName(c), sum.Codes[c]))
	}
	if len(list) == 0 {
		return ""
	}
	return "It fails, as --fail-on says: " + strings.Join(list, ", ") + ".\n"
}
