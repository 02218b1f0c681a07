package demo

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someReport = `{"report":"fovea.import/1","lines":32,"dropped_lines":3,"budget":{"allowed_share":0.2,"dropped_share":0.09375,"used":0.46},"findings":1}
{"line":8,"column":10,"severity":"error","code":"ERROR_INVALID_BOUNDING_BOX","pointer":"/parts/annotations/1/width","found":"517","mend":"Cut it.","source_ref":"s3://b/k"}
`

func TestReadReport(t *testing.T) {
	rep, err := readReport(strings.NewReader(someReport))
	if err != nil {
		t.Fatal(err)
	}
	want := []finding{{
		Line: 8, Column: 10, Severity: "error", Code: "ERROR_INVALID_BOUNDING_BOX",
		Pointer: "/parts/annotations/1/width", Found: "517", Mend: "Cut it.", SourceRef: "s3://b/k",
	}}
	if diff := cmp.Diff(want, rep.findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if got, want := rep.share(), "They are 3 of 32, 9.4 %; above 20 % the import would fail."; got != want {
		t.Errorf("share = %q, want %q", got, want)
	}
	for _, bad := range []string{"", "<html>", someReport + `{"line":`, `{"lines":"many"}`} {
		if _, err := readReport(strings.NewReader(bad)); err == nil {
			t.Errorf("no error of %q", bad)
		}
	}
}

func TestImportReportRefused(t *testing.T) {
	var signed string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("Authorization")
		http.Error(w, "no such dataset", http.StatusNotFound)
	}))
	defer server.Close()
	s := &story{Config: Config{Endpoint: server.URL, AccessKey: "KEY", SecretKey: "s", Region: "eu-west-1"}}
	_, err := s.importReport(t.Context(), "lookout", "flanges", "train")
	if err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "no such dataset") {
		t.Errorf("err = %v, want the status and the text of the answer", err)
	}
	if !strings.Contains(signed, "Credential=KEY/") || !strings.Contains(signed, "/eu-west-1/fovea/aws4_request") {
		t.Errorf("signed as %q", signed)
	}
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct{ pointer, want string }{
		{"", "column 7"},
		{"/parts", "/parts"},
		{"/anomaly-mask-ref-metadata/internal-color-map/1/hex-color", ".../internal-color-map/1/hex-color"},
		{"/" + strings.Repeat("x", 60), "/" + strings.Repeat("x", 60)},
	} {
		if got := (finding{Column: 7, Pointer: tt.pointer}).place(40); got != tt.want {
			t.Errorf("place of %q = %q, want %q", tt.pointer, got, tt.want)
		}
	}
}

func TestCollectErrors(t *testing.T) {
	got := make(map[string]bool)
	collectErrors(map[string]any{
		"cl-errors": []any{map[string]any{"code": "A"}, "odd"},
		"parts":     map[string]any{"annotations": []any{map[string]any{"cl-errors": []any{map[string]any{"code": "B"}}}}},
		"errors":    []any{map[string]any{"code": "C"}},
	}, got)
	if diff := cmp.Diff(map[string]bool{"A": true, "B": true}, got); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

func TestPrinterOnTerminal(t *testing.T) {
	var out bytes.Buffer
	p := &printer{out: &out, terminal: true}
	p.progress("   %d of 2", 1)
	p.progress("   %d of 2", 2)
	p.progress("%s", strings.Repeat("é", 200))
	p.say("done  ")
	if want := "   1 of 2\r\x1b[K   2 of 2\r\x1b[K" + strings.Repeat("é", 79) + "\r\x1b[Kdone\n"; out.String() != want {
		t.Errorf("wrote %q, want %q", out.String(), want)
	}
}

func TestPrinterWraps(t *testing.T) {
	var out bytes.Buffer
	p := &printer{out: &out}
	p.progress("not on a terminal")
	p.text(3, strings.Repeat("four ", 20)+strings.Repeat("x", 120))
	want := "   " + strings.TrimSpace(strings.Repeat("four ", 19)) + "\n   four\n   " + strings.Repeat("x", 120) + "\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

type fullDisk struct{}

var errFull = errors.New("the disk is full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestPrinterKeepsItsError(t *testing.T) {
	p := &printer{out: fullDisk{}}
	p.say("a")
	p.say("b")
	if !errors.Is(p.err, errFull) {
		t.Errorf("err = %v, want %v", p.err, errFull)
	}
}

func TestPoll(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := poll(ctx, func(context.Context) (bool, error) {
		if calls++; calls == 2 {
			cancel()
		}
		return false, nil
	})
	if !errors.Is(err, context.Canceled) || calls != 2 {
		t.Errorf("err = %v after %d calls, want %v after 2", err, calls, context.Canceled)
	}
}
