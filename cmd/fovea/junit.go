package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"fovea/internal/dataset"
)

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

// A junitSuite is a manifest: a test case for each rule that found something or
// was asked for, and one for whether a dataset can be made.
type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes what was found in the form of JUnit, which build servers
// show. What does not fail the check is the output of a test that passes.
func writeJUnit(ctx context.Context, w io.Writer, checked []checked, limit int) error {
	var all junitSuites
	for _, c := range checked {
		suite, err := junitOf(ctx, c, limit)
		if err != nil {
			return err
		}
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// junitOf returns the suite of a manifest, with at most limit findings of a
// rule.
func junitOf(ctx context.Context, c checked, limit int) (junitSuite, error) {
	sum := c.Summary()
	texts := map[string]*strings.Builder{}
	told := map[string]int{}
	err := c.Findings(ctx, func(f *dataset.Finding) error {
		if texts[f.Code] == nil {
			texts[f.Code] = &strings.Builder{}
		}
		if told[f.Code]++; limit == 0 || told[f.Code] <= limit {
			texts[f.Code].WriteString(findingText(sum.Manifest, f))
		}
		return nil
	})
	suite := junitSuite{Name: plainXML(sum.Manifest)}
	if f := sum.Fault; f != nil {
		suite.add("dataset", f.Code+": "+f.Message, f.Found, true)
	} else {
		suite.add("dataset", "", "", false)
	}
	codes := maps.Clone(c.gate.codes)
	for code := range sum.Codes {
		codes[code] = true
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		n, text := sum.Codes[code], ""
		if texts[code] != nil {
			text = texts[code].String()
		}
		suite.add(dataset.RuleName(code), fmt.Sprintf("%s: %s", code, count(n, "finding")), text, n > 0 && c.gate.fails(code))
	}
	return suite, err
}

// add adds a test case.
func (s *junitSuite) add(name, message, text string, failed bool) {
	c := junitCase{Class: s.Name, Name: name}
	s.Tests++
	if failed {
		s.Failures++
		c.Failure = &junitFailure{Message: plainXML(message), Text: plainXML(text)}
	} else {
		c.Output = plainXML(text)
	}
	s.Cases = append(s.Cases, c)
}

// plainXML replaces what XML cannot have.
func plainXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
