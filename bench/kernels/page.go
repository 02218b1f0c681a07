package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"fovea/internal/ml/kernel"
)

// The page that has the tables, and the lines that they are between.
const (
	pageFile = "docs/design/kernels.md"
	above    = "<!-- make bench-kernels writes from here -->\n"
	below    = "<!-- to here -->\n"
)

// update puts text into the page in place of what is there.
func update(text string) error {
	page, err := os.ReadFile(pageFile)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(page), above)
	_, after, ends := strings.Cut(rest, below)
	if !found || !ends {
		return fmt.Errorf("%s has no lines %q and %q to write between", pageFile, above, below)
	}
	return os.WriteFile(pageFile, []byte(before+above+text+below+after), 0o644)
}

// conditions returns with what is measured, and on what: a paragraph of
// Markdown.
func conditions(dir string, rounds int) string {
	config, err := exec.Command(filepath.Join(dir, "openblas"), "version").Output()
	if err != nil {
		config = []byte("unknown")
	}
	return fmt.Sprintf("Measured on %s on one core of %s, load %s before; kernels %s. %s; gonum %s; ONNX Runtime %s, one thread, from Node.js. "+
		"They take turns on the same numbers, and of each the fastest of %d rounds counts.\n\n",
		time.Now().UTC().Format("2 January 2006"), grep("/proc/cpuinfo", `model name\s*: (.*)`), grep("/proc/loadavg", `(\S+)`), kernel.Auto().Name(),
		strings.TrimSpace(string(config)), grep(filepath.Join(here, "gonum/go.mod"), `gonum.org/v1/gonum (\S+)`),
		grep(filepath.Join(here, "ort/package.json"), `"onnxruntime-node": "(.*)"`), rounds)
}

// grep returns what the first group of the pattern matches in a file.
func grep(path, pattern string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	m := regexp.MustCompile(pattern).FindSubmatch(text)
	if m == nil {
		return "unknown"
	}
	return string(m[1])
}
