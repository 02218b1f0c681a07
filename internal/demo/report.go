package demo

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"fovea/internal/sigv4"
)

// maxReport bounds an import report, in bytes.
const maxReport = 8 << 20

// A finding is a line of an import report.
type finding struct {
	Line      int64  `json:"line"`
	Column    int    `json:"column"`
	Severity  string `json:"severity"` // warning, error or fatal
	Code      string `json:"code"`
	Pointer   string `json:"pointer"`
	Found     string `json:"found"`
	Mend      string `json:"mend"`
	SourceRef string `json:"source_ref"`
}

// A report is what the server says of the lines of a manifest.
type report struct {
	Lines   int64 `json:"lines"`
	Dropped int64 `json:"dropped_lines"`
	Budget  *struct {
		Allowed float64 `json:"allowed_share"`
		Share   float64 `json:"dropped_share"`
	} `json:"budget"`

	findings []finding
}

// share says how many of the lines are dropped, and how many may be.
func (r *report) share() string {
	if r.Budget == nil {
		return fmt.Sprintf("They are %d of %d.", r.Dropped, r.Lines)
	}
	return fmt.Sprintf("They are %d of %d, %.1f %%; above %.0f %% the import would fail.",
		r.Dropped, r.Lines, 100*r.Budget.Share, 100*r.Budget.Allowed)
}

// importReport fetches the report of a dataset: fovea's own call, since AWS
// has none. service is custom-labels or lookout, split is train or test.
func (s *story) importReport(ctx context.Context, service, project, split string) (*report, error) {
	ctx, cancel := context.WithTimeout(ctx, waiting)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+reportPath(service, project, split), nil)
	if err != nil {
		return nil, err
	}
	empty := sha256.Sum256(nil)
	scope := sigv4.Scope{KeyID: s.AccessKey, Region: s.Region, Service: "fovea"}
	sigv4.Sign(r, scope, s.SecretKey, hex.EncodeToString(empty[:]), time.Now())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body := io.LimitReader(resp.Body, maxReport)
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(body, 512))
		return nil, fmt.Errorf("import report of %s %s: %s: %s", project, split, resp.Status, strings.TrimSpace(string(text)))
	}
	rep, err := readReport(body)
	if err != nil {
		return nil, fmt.Errorf("import report of %s %s: %w", project, split, err)
	}
	return rep, nil
}

func reportPath(service, project, split string) string {
	return "/fovea/v1/" + service + "/" + project + "/" + split + "/import-report"
}

// readReport reads JSON Lines: a summary, then findings.
func readReport(body io.Reader) (*report, error) {
	dec := json.NewDecoder(bufio.NewReader(body))
	rep := new(report)
	if err := dec.Decode(rep); err != nil {
		return nil, err
	}
	for dec.More() {
		var f finding
		if err := dec.Decode(&f); err != nil {
			return nil, err
		}
		rep.findings = append(rep.findings, f)
	}
	return rep, nil
}

// showFindings writes the findings: what is wrong and where, then what to do.
// fate says what became of a finding's line.
func (s *story) showFindings(rep *report, fate func(finding) string) {
	s.say("   %4s  %-12s  %-31s  %s", "line", "outcome", "code", "place")
	for _, f := range rep.findings {
		s.say("   %4d  %-12s  %-31s  %s", f.Line, fate(f), f.Code, f.place(lineWidth-56))
		s.text(9, f.advice())
	}
}

// place returns where in its line a finding is: the JSON pointer of the value
// at fault, or the end of it if it is longer than room, or the column.
func (f finding) place(room int) string {
	if f.Pointer == "" {
		return fmt.Sprintf("column %d", f.Column)
	}
	pointer := f.Pointer
	for len(pointer) > room-len("...") {
		_, rest, more := strings.Cut(pointer[1:], "/")
		if !more {
			break
		}
		pointer = "/" + rest
	}
	if pointer != f.Pointer {
		return "..." + pointer
	}
	return pointer
}

// advice returns what was found, and what to do about it.
func (f finding) advice() string {
	if f.Found == "" {
		return f.Mend
	}
	return "Found " + f.Found + ". " + f.Mend
}
