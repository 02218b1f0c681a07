package extension_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"fovea/internal/blob/mem"
)

// TestQuality: the findings of the rules that are asked for come page by page.
func TestQuality(t *testing.T) {
	h := newSite(t, new(mem.Blobs), io.Discard)
	for _, tt := range []struct {
		query string
		lines []int64 // of the findings
		codes int
		after bool
	}{
		{"", nil, 0, false},
		{"?rule=missing-source-ref", []int64{1}, 1, false},
		{"?rule=ERROR_MISSING_SOURCE_REF&rule=Invalid-JSON-line", []int64{1, 2}, 2, false},
		{"?rule=missing-source-ref&rule=invalid-json-line&max=1", []int64{1}, 2, true},
		{"?rule=missing-source-ref&rule=invalid-json-line&max=1&after=1", []int64{2}, 2, false},
		{"?rule=missing-source-ref&max=0&after=7", nil, 1, false},
		{"?rule=no-such-rule", nil, 0, false},
	} {
		resp := get(h, "GET", "/fovea/v1/custom-labels/parts/train/quality"+tt.query, "us-east-1")
		var page struct {
			Manifest string
			Codes    map[string]int64
			Findings []struct{ Line int64 }
			After    int64
		}
		if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || resp.StatusCode != 200 {
			t.Fatalf("%s: %v, %v", tt.query, resp.Status, err)
		}
		same := len(page.Findings) == len(tt.lines)
		for i := 0; same && i < len(tt.lines); i++ {
			same = page.Findings[i].Line == tt.lines[i]
		}
		if !same || len(page.Codes) != tt.codes || (page.After > 0) != tt.after || page.Manifest != "s3://b/k" {
			t.Errorf("%s: %+v", tt.query, page)
		}
	}
	for path, want := range map[string]int{"custom-labels/parts/train/quality?max=-1": 400, "custom-labels/parts/train/quality?rules=x": 400, "custom-labels/parts/test/quality": 404, "lookout/nuts/train/quality": 404} {
		resp := get(h, "GET", "/fovea/v1/"+path, "us-east-1")
		if text, _ := io.ReadAll(resp.Body); resp.StatusCode != want || !strings.Contains(string(text), "Message") {
			t.Errorf("%s: %s %s", path, resp.Status, text)
		}
	}
}
