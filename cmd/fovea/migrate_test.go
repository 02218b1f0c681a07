package main

import (
	"errors"
	"strings"
	"testing"

	"fovea/internal/migrate"
)

// Running the same command again is only advised where it may help.
func TestMigrateWayOn(t *testing.T) {
	m := &migration{out: "migration"}
	plain := errors.New("there is no project in x")
	if err := m.wayOn(plain); err != plain {
		t.Errorf("before anything was done: %v", err)
	}
	for passes, want := range map[bool]string{
		true:  "run the same command again to go on",
		false: "once the reason is gone, the same command goes on there",
	} {
		err := m.wayOn(&migrate.StoppedError{Err: plain, Passes: passes})
		if text := err.Error(); !strings.HasPrefix(text, plain.Error()+"\n") || !strings.HasSuffix(text, want) || !errors.Is(err, plain) {
			t.Errorf("passes %v: %v, want it to end with %q", passes, err, want)
		}
	}
}
