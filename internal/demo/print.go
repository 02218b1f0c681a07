package demo

import (
	"fmt"
	"io"
	"strings"
)

// lineWidth is how many columns a line may have.
const lineWidth = 100

// progressWidth is how much is shown of a line that is replaced: on two lines of
// a terminal, only the second would be.
const progressWidth = 79

// A printer writes lines. It keeps the first error, after which it writes
// nothing.
type printer struct {
	out      io.Writer
	terminal bool
	working  bool // the last line is about work in progress
	err      error
}

func (p *printer) write(text string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.out, text)
	}
}

// say writes a line.
func (p *printer) say(format string, args ...any) {
	p.clear()
	p.write(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// title begins a chapter.
func (p *printer) title(text string) {
	p.say("")
	if p.terminal {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	p.say("%s", text)
}

// progress says what is going on, on a terminal only: the next line replaces
// it.
func (p *printer) progress(format string, args ...any) {
	if !p.terminal {
		return
	}
	p.clear()
	text := []rune(fmt.Sprintf(format, args...))
	p.write(string(text[:min(len(text), progressWidth)]))
	p.working = true
}

// clear removes the line about work in progress.
func (p *printer) clear() {
	if p.working {
		p.write("\r\x1b[K")
		p.working = false
	}
}

// text writes words on lines that begin with an indent.
func (p *printer) text(indent int, words string) {
	line := strings.Repeat(" ", indent)
	for _, w := range strings.Fields(words) {
		if len(line) > indent && len(line)+1+len(w) > lineWidth {
			p.say("%s", line)
			line = strings.Repeat(" ", indent)
		}
		if len(line) > indent {
			line += " "
		}
		line += w
	}
	p.say("%s", line)
}

// count returns a number of things in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
