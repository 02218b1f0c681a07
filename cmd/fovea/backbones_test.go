package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"fovea"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/onnx"
	"fovea/internal/ml/onnx/onnxtest"
)

// writeNetwork writes a network that averages colours, of maps or of the whole.
func writeNetwork(t *testing.T, path string, maps bool) string {
	t.Helper()
	var g onnxtest.Graph
	g.Input(onnxtest.Info("x", 1, 3, -1, -1))
	if maps {
		g.Node("AveragePool", []string{"x"}, []string{"y"}, onnxtest.Setting("kernel_shape", []int{4, 4}), onnxtest.Setting("strides", []int{4, 4}))
	} else {
		g.Node("GlobalAveragePool", []string{"x"}, []string{"y"})
	}
	g.Output(onnxtest.Info("y", 1, 3, -1, -1))
	if err := os.WriteFile(path, g.File(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenBackbones: the first is what new models are trained with, as far as it
// can be, and the embedded one by its name.
func TestOpenBackbones(t *testing.T) {
	dir := t.TempDir()
	whole, maps := writeNetwork(t, filepath.Join(dir, "whole.onnx"), false), writeNetwork(t, filepath.Join(dir, "my maps.onnx"), true)
	again := writeNetwork(t, filepath.Join(dir, "again.onnx"), false) // the same by another name
	for _, tt := range []struct {
		flags                 []string
		customLabels, lookout string // names
		own                   int
	}{
		{nil, "", "", 0},
		{[]string{"procnet16"}, "", "", 0},
		{[]string{maps}, "my-maps", "my-maps", 1},
		{[]string{whole}, "whole", "", 1},
		{[]string{whole, maps}, "whole", "my-maps", 2},
		{[]string{whole, again, "procnet16"}, "whole", "", 1},
		{[]string{"procnet16", maps}, "", "", 1},
	} {
		n := &node{config: &config{Backbones: tt.flags}, log: slog.New(slog.DiscardHandler)}
		if err := n.openBackbones(t.Context()); err != nil {
			t.Errorf("%q: %v", tt.flags, err)
			continue
		}
		for service, want := range map[fovea.Service]string{fovea.CustomLabels: tt.customLabels, fovea.Lookout: tt.lookout} {
			if got, _, _ := strings.Cut(n.backbones.Asked(service), " "); got != want {
				t.Errorf("%q: %s is trained with %q, want %q", tt.flags, service, got, want)
			}
		}
		if len(n.backbones.Own) != tt.own {
			t.Errorf("%q: %d backbones, want %d", tt.flags, len(n.backbones.Own), tt.own)
		}
	}
	if own, err := backbone.Default(); err != nil || own.Name() != "procnet16" {
		t.Errorf("the documentation says that the embedded one is called procnet16: %v", err)
	}
}

// TestT23BackboneFiles: what is no network keeps the server from starting, says
// why, and is not read as far as that can be told before.
func TestT23BackboneFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, large, text, none := filepath.Join(dir, "pipe"), filepath.Join(dir, "large"), filepath.Join(dir, "text"), filepath.Join(dir, "none")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, onnx.MaxFile+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe: "is no file", dir: "is no file", none: "there is no file", large: "are the most", text: "no ONNX file", "": "there is no file",
	} {
		n := &node{config: &config{Backbones: []string{path}}, log: slog.New(slog.DiscardHandler)}
		if err := n.openBackbones(t.Context()); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--backbone") {
			t.Errorf("%q: %v, want %q", path, err, want)
		}
	}
	n := &node{config: &config{Backbones: make([]string, maxBackbones+1)}, log: slog.New(slog.DiscardHandler)}
	if err := n.openBackbones(t.Context()); err == nil || !strings.Contains(err.Error(), "17 times") {
		t.Errorf("too many: %v", err)
	}
}

// TestT23LayerNames: names in a file of a stranger do nothing to the terminal, nor
// to the table that they are in.
func TestT23LayerNames(t *testing.T) {
	const evil = "a\x1b[2J\nLAYER\t\u202eb\xff"
	var g onnxtest.Graph
	g.Input(onnxtest.Info("x", 1, 3, -1, -1))
	g.Node("GlobalAveragePool", []string{"x"}, []string{evil})
	g.Output(onnxtest.Info(evil, 1, 3, 1, 1))
	var list, seen strings.Builder
	if err := listLayers(t.Context(), &list, "evil.onnx", g.File(), false); err != nil {
		t.Fatal(err)
	}
	b, err := onnx.Load(t.Context(), g.File(), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.Describe(t.Context())
	if err == nil {
		err = (&seenBackbone{Description: d}).print(t.Context(), &seen, g.File())
	}
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"layers": list.String(), "description": seen.String()} {
		if strings.ContainsAny(text, "\x1b\u202e\xff") || !strings.Contains(text, strconv.Quote(evil)) {
			t.Errorf("%s: %q", what, text)
		}
	}
	if got := printableName("/layer2/Rélu 7"); got != "/layer2/Rélu 7" {
		t.Errorf("a name that is good becomes %s", got)
	}
}
