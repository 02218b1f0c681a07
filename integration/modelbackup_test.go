package integration

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestBackupModels (T18): backups that are made while a model is trained hold
// every model that was trained before, with its weights and its report, and one
// that runs detects the same on the copy, whose training goes on.
func TestBackupModels(t *testing.T) {
	t.Parallel()
	server := serve(t, "--limits", "none")
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	project, version := trainLeaves(t, server, "leaves", putLeaves(t, server, "train", 4), putLeaves(t, server, "test", 2))
	trainedLeaves(t, server, project)
	runVersion(t, server, project, version)
	trainParts(t, server, "sound", putParts(t, server, 4, 2, false))
	trainedParts(t, server, "sound")
	startModel(t, server, "sound")
	want := detections(t, server, "sound", version)
	trainParts(t, server, "parts", putParts(t, server, 12, 8, false))
	to := filepath.Join(t.TempDir(), "copy")
	for n, dir := range []string{to, to + "2"} {
		if n == 1 {
			trainedParts(t, server, "parts")
		}
		mustCommand(t, "backup", "--data", server.Data, "--to", dir)
		if out := mustCommand(t, "verify", "--data", dir); !strings.Contains(out, []string{"2 models", "3 models"}[n]) || !strings.HasSuffix(out, " 0 damaged\n") {
			t.Errorf("verify of a backup: %s", out)
		}
		copied := running(t, dir, "--limits", "none")
		if got := detections(t, copied, "sound", version); got != want {
			t.Errorf("on the copy is detected\n%s, want\n%s", got, want)
		}
		ofModel(t, copied, "report", "custom-labels/leaves/v1")
		trainedParts(t, copied, "parts")
	}
}
