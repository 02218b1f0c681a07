// Package docpage writes what benchmarks measured into the pages of docs, and
// finds out what they were measured on.
package docpage

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// End is the line after what a benchmark writes.
const End = "<!-- to here -->\n"

// Begin returns the line before what the command writes, such as
// make bench-vision.
func Begin(command string) string { return "<!-- " + command + " writes from here -->\n" }

// Write puts text between the lines of the command in the page at path, in
// place of what is there.
func Write(path, command, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin := Begin(command)
	before, rest, ok := strings.Cut(string(old), begin)
	_, after, closed := strings.Cut(rest, End)
	if !ok || !closed {
		return fmt.Errorf("%s has no lines %q and %q to write between", path, begin, End)
	}
	return os.WriteFile(path, []byte(before+begin+text+End+after), 0o644)
}

// Grep returns what the first group of the pattern matches in a file, "unknown"
// if it matches nothing.
func Grep(path, pattern string) string {
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

// Processor returns the model of the processor.
func Processor() string { return Grep("/proc/cpuinfo", `model name\s*: (.*)`) }

// Load returns how many processes have wanted a processor in the last minute.
func Load() string { return Grep("/proc/loadavg", `(\S+)`) }
