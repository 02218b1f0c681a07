package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The table fits a terminal of 80 columns, also for the numbers of a dataset at
// its limits and the keys that the server makes.
func TestLogFits80Columns(t *testing.T) {
	var out bytes.Buffer
	show := newRevisionTable(&out)
	for _, page := range [][]json.RawMessage{
		{[]byte(`{"revision":12345,"created":"2026-11-22T19:27:23Z","cause":"update of 5000 lines","caller":"FVKAL37YLOS4NQD6IPIZ","current":true,` +
			`"entries":1000000,"labeled_entries":1000000,"error_entries":100000,"added":500000,"removed":500000}`)},
		{[]byte(`{"revision":1,"created":"2026-11-22T19:27:22Z","cause":"import s3://fovea-datasets/lookout/x/train.manifest","caller":"FVKAL37YLOS4NQD6IPIZ",` +
			`"entries":8,"labeled_entries":8,"error_entries":0}`)},
		nil,
	} {
		if err := show(page); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(out.String(), "\n")
	for _, l := range lines {
		if len(l) > 80 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
	want := []string{"REVISION", "*12345", "update", "1", "import", ""}
	var first []string
	for _, l := range lines {
		word, _, _ := strings.Cut(strings.TrimSpace(l), " ")
		first = append(first, word)
	}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("lines begin (-want +got):\n%s", diff)
	}
}
