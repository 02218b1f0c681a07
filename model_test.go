package fovea

import (
	"testing"
	"time"
)

func TestModelMoves(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	all := []ModelStatus{Training, Trained, TrainFailed, Copying, Copied, CopyFailed, Starting, Running, StartFailed, Stopping, Stopped}
	for _, tt := range []struct {
		name string
		to   ModelStatus
		from []ModelStatus // CL-4.3
	}{
		{"CL-4.3 start", Starting, []ModelStatus{Trained, Copied, Stopped, StartFailed}},
		{"CL-4.3 LV-2.89 stop", Stopping, []ModelStatus{Running, Starting, StartFailed}},
		{"trained", Trained, []ModelStatus{Training}},
		{"copied", Copied, []ModelStatus{Copying}},
		{"stopped", Stopped, []ModelStatus{Stopping}},
		{"running", Running, []ModelStatus{Starting}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, status := range all {
				want := false
				for _, f := range tt.from {
					want = want || f == status
				}
				m := &Model{Name: "v", Status: status, Message: "old", Ours: true}
				err := m.Move(tt.to, now)
				switch {
				case want && (err != nil || m.Status != tt.to || m.Message != "" || m.Ours || !m.Updated.Equal(now)):
					t.Errorf("from %s: %v, %+v", status, err, m)
				case !want && (KindOf(err) != InUse || m.Status != status || m.Message != "old"):
					t.Errorf("from %s: %v, %+v", status, err, m)
				}
			}
		})
	}
}

func TestModelFail(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	for from, want := range map[ModelStatus]ModelStatus{Training: TrainFailed, Copying: CopyFailed, Starting: StartFailed, Running: StartFailed} {
		m := &Model{Name: "v", Status: from}
		if err := m.Fail("why", true, now); err != nil || m.Status != want || m.Message != "why" || !m.Ours {
			t.Errorf("from %s: %v, %+v", from, err, m)
		}
		if ended := m.Result != nil && m.Result.Ended.Equal(now); ended != (from == Training) { // CL-9.45
			t.Errorf("from %s: the training ended: %v, %+v", from, ended, m.Result)
		}
	}
	m := &Model{Name: "v", Status: Stopped}
	if err := m.Fail("why", true, now); KindOf(err) != InUse || m.Message != "" {
		t.Errorf("from stopped: %v, %+v", err, m)
	}
}
