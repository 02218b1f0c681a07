package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/hosting"
	"fovea/internal/model"
)

// TestJobsApart: trainings and starts, which wait and take long, keep no import,
// update or stop waiting; and there are as many starts at a time as loads.
func TestJobsApart(t *testing.T) {
	n := &node{config: &config{}}
	r := n.newRunner(new(dataset.Ops), new(model.Ops), nil)
	want := map[string]int{"train": 1, "start": hosting.MaxLoads}
	if diff := cmp.Diff(want, r.Apart); diff != "" {
		t.Errorf("apart (-want +got):\n%s", diff)
	}
	for _, job := range []fovea.JobArgs{fovea.StartJob{}, fovea.HostJob{}} {
		if h := r.Handlers[job.Kind()]; h.Run == nil || h.GiveUp == nil {
			t.Errorf("nobody does jobs of the kind %s", job.Kind())
		}
	}
}
