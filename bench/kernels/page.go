package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"fovea/bench/docpage"
	"fovea/internal/ml/kernel"
)

// pageFile is the page that has the tables.
const pageFile = "docs/design/kernels.md"

// conditions returns with what is measured, and on what: a paragraph of
// Markdown.
func conditions(dir string, rounds int) string {
	config, err := exec.Command(filepath.Join(dir, "openblas"), "version").Output()
	if err != nil {
		config = []byte("unknown")
	}
	return fmt.Sprintf("Measured on %s on one core of %s, load %s before; kernels %s. %s; gonum %s; ONNX Runtime %s, one thread, from Node.js. "+
		"They take turns on the same numbers, and of each the fastest of %d rounds counts.\n\n",
		time.Now().UTC().Format("2 January 2006"), docpage.Processor(), docpage.Load(), kernel.Auto().Name(),
		strings.TrimSpace(string(config)), docpage.Grep(filepath.Join(here, "gonum/go.mod"), `gonum.org/v1/gonum (\S+)`),
		docpage.Grep(filepath.Join(here, "ort/package.json"), `"onnxruntime-node": "(.*)"`), rounds)
}
