package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSDKInstall gives lookoutvision back to a boto3 and an AWS CLI without
// it, in both ways in which they find models.
func TestSDKInstall(t *testing.T) {
	t.Parallel()
	server := serve(t)
	dir := filepath.Join(t.TempDir(), "models")
	if out, err := exec.Command(binary, "sdk", "install", "--dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("fovea sdk install: %v\n%s", err, out)
	}

	t.Run("is hidden without", func(t *testing.T) {
		b := newBoto3(t, server, "DRIVER_HIDE_LOOKOUT=1")
		if _, err := b.call(t.Context(), "lookoutvision", "ListProjects", nil); err == nil || !strings.Contains(err.Error(), "UnknownServiceError") {
			t.Errorf("a boto3 without lookoutvision gave %v", err)
		}
	})
	t.Run("boto3 by AWS_DATA_PATH", func(t *testing.T) {
		b := newBoto3(t, server, "DRIVER_HIDE_LOOKOUT=1", "AWS_DATA_PATH="+dir)
		for _, s := range scenarios {
			if slices.Contains([]string{"bucket", "lv project", "lv dataset from a manifest", "lv client tokens", "lv update", "lv update of an empty dataset", "lv tags"}, s.name) {
				t.Run(s.name, func(t *testing.T) { s.run(t, "boto3", b) })
			}
		}
	})
	t.Run("boto3 by home", func(t *testing.T) {
		home := t.TempDir()
		cmd := exec.Command(binary, "sdk", "install")
		cmd.Env = append(os.Environ(), "HOME="+home)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("fovea sdk install: %v\n%s", err, out)
		}
		b := newBoto3(t, server, "DRIVER_HIDE_LOOKOUT=1", "HOME="+home)
		if got, err := b.call(t.Context(), "lookoutvision", "ListProjects", nil); err != nil || got.Error != nil {
			t.Errorf("ListProjects: %v %v", err, got.Error)
		}
	})
	t.Run("cli", func(t *testing.T) {
		c := newCLI(t, server)
		script, err := filepath.Abs("python/cli_without_lookout.py")
		if err != nil {
			t.Fatal(err)
		}
		c.program = []string{python, script}
		if _, err := c.call(t.Context(), "lookoutvision", "ListProjects", nil); err == nil || !strings.Contains(err.Error(), "Invalid choice") {
			t.Errorf("an AWS CLI without lookoutvision gave %v", err)
		}
		c.env = append(c.env, "AWS_DATA_PATH="+dir)
		if got, err := c.call(t.Context(), "lookoutvision", "ListProjects", nil); err != nil || got.Error != nil {
			t.Errorf("ListProjects: %v %v", err, got.Error)
		}
	})
}
