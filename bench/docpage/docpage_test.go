package docpage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite(t *testing.T) {
	path, begin := filepath.Join(t.TempDir(), "page.md"), Begin("make x")
	if err := os.WriteFile(path, []byte("before\n"+begin+"old\n"+End+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := Write(path, "make x", "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if diff := cmp.Diff("before\n"+begin+"new\n"+End+"after\n", string(got)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, text := range []string{"", begin, End + begin} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, "make x", "new"); err == nil {
			t.Errorf("a page %q is rewritten", text)
		}
	}
}

// TestPages: the pages that are written have their lines.
func TestPages(t *testing.T) {
	for path, command := range map[string]string{
		"../../docs/vision.md":         "make bench-vision",
		"../../docs/design/kernels.md": "make bench-kernels",
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := strings.Index(string(text), Begin(command)), strings.Index(string(text), End); a < 0 || b < a {
			t.Errorf("%s has its lines at %d and %d", path, a, b)
		}
	}
}
