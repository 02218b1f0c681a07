package extension

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/dataset"
)

// How many findings a page has, if the request does not say, and at most.
const (
	defaultFindings = 100
	maxFindings     = 1000
)

// A findingPage is some of the findings of an import report.
type findingPage struct {
	Manifest string            `json:"manifest"`
	Codes    map[string]int64  `json:"codes"` // how often each of the rules was found, also what is not told
	Findings []json.RawMessage `json:"findings"`
	After    int64             `json:"after,omitempty"` // of the next page
}

// quality lists the findings of some rules in the report about a dataset's last
// change: of those of data quality, if the request names none.
func (s *Server) quality(r *http.Request, v *dataset.View, p *params) (any, error) {
	want := wanted(p.list("rule"))
	after := p.number("after", 0)
	n := int(min(max(p.number("max", defaultFindings), 1), maxFindings))
	if err := p.done(); err != nil {
		return nil, err
	}
	report, err := s.Datasets.Report(r.Context(), v)
	if err != nil {
		return nil, err
	}
	defer report.Close()
	return readFindings(report, want, after, n)
}

// wanted returns what tells whether a code is one of the rules.
func wanted(rules []string) func(code string) bool {
	if len(rules) == 0 {
		rules = dataset.QualityCodes()
	}
	return func(code string) bool {
		name := dataset.RuleName(code)
		return slices.ContainsFunc(rules, func(r string) bool { return r == code || strings.ToLower(r) == name })
	}
}

// readFindings reads up to n findings of wanted codes from a report, beginning
// after that many of its findings.
func readFindings(report fovea.Blob, wanted func(string) bool, after int64, n int) (*findingPage, error) {
	in := bufio.NewReaderSize(io.NewSectionReader(report, 0, report.Size()), 256<<10)
	page := &findingPage{Codes: map[string]int64{}, Findings: []json.RawMessage{}}
	for number := int64(-1); ; number++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return page, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the report: %w", err)
		}
		if number < 0 {
			if err := page.summary(line, wanted); err != nil {
				return nil, fmt.Errorf("read the report: %w", err)
			}
			continue
		}
		if number < after {
			continue
		}
		var f struct{ Code string }
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, fmt.Errorf("read the report: %w", err)
		}
		if !wanted(f.Code) {
			continue
		}
		if len(page.Findings) == n {
			page.After = number
			return page, nil
		}
		page.Findings = append(page.Findings, line[:len(line)-1])
	}
}

// summary reads the first line of a report.
func (p *findingPage) summary(line []byte, wanted func(string) bool) error {
	var sum dataset.Summary
	if err := json.Unmarshal(line, &sum); err != nil {
		return err
	}
	p.Manifest = sum.Manifest
	for code, n := range sum.Codes {
		if wanted(code) {
			p.Codes[code] = n
		}
	}
	return nil
}
