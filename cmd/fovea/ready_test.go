package main

import (
	"strings"
	"testing"
	"time"

	"fovea/internal/blob/mem"
)

// TestSweepProbes: what a probe could not delete goes with the sweep, and
// nothing else does.
func TestSweepProbes(t *testing.T) {
	ctx := t.Context()
	blobs := &mem.Blobs{}
	for _, name := range []string{"probe/0123456789abcdef", "segments/1/a"} {
		if _, err := blobs.Put(ctx, name, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	left := func() (names []string) {
		for info, err := range blobs.List(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, info.Name)
		}
		return names
	}
	if err := sweepProbes(ctx, blobs, time.Now().Add(-time.Hour)); err != nil || len(left()) != 2 {
		t.Errorf("a young probe: %v, %v", left(), err)
	}
	if err := sweepProbes(ctx, blobs, time.Now().Add(time.Hour)); err != nil || len(left()) != 1 || left()[0] != "segments/1/a" {
		t.Errorf("an old probe: %v, %v", left(), err)
	}
}
