package lint

import "fovea/internal/manifest"

// maxNames bounds the names that are remembered from line to line.
const maxNames = 10_000

// A Name is a label name that has been seen. It stays valid until the
// next line, and longer if the Age of the Names says so.
type Name struct {
	Text  string
	Odd   bool   // begins or ends with a blank, or has a character that cannot be seen
	Image bool   // in this line: the class of a whole image
	Mark  uint64 // for the caller's use
	line  uint64 // the last line that has it as a label
	index int    // there
}

// Names remembers label names, so that a name that was seen before costs one
// look-up and no memory.
type Names struct {
	known map[string]*Name
	line  uint64
	age   int
}

// Begin starts a line.
func (n *Names) Begin() {
	n.line++
	if n.known == nil || len(n.known) > maxNames {
		n.known = map[string]*Name{}
		n.age++
	}
}

// Age counts how often all names were forgotten. What Get returned is good as
// long as it stays the same.
func (n *Names) Age() int { return n.age }

// Get returns the name of that text.
func (n *Names) Get(text []byte) *Name {
	if name, ok := n.known[string(text)]; ok {
		return name
	}
	name := &Name{Text: string(text), Odd: isOdd(text)}
	n.known[name.Text] = name
	return name
}

// Label returns the label of that name among the entry's, where it is added
// if it was not there. The label is good until the next call.
func (n *Names) Label(e *manifest.Entry, name *Name) *manifest.Label {
	if name.line != n.line {
		name.line, name.index, name.Image = n.line, len(e.Labels), false
		e.Labels = append(e.Labels, manifest.Label{Name: name.Text})
	}
	return &e.Labels[name.index]
}

// isOdd tells whether people will wonder about a name.
func isOdd(text []byte) bool {
	if len(text) > 0 && (text[0] == ' ' || text[len(text)-1] == ' ') {
		return true
	}
	for _, r := range string(text) {
		switch {
		case r < ' ', r >= 0x7f && r <= 0xa0, r >= 0x200b && r <= 0x200f, r == 0xfeff, r == 0xfffd:
			return true
		}
	}
	return false
}
