package lint

import (
	"cmp"
	"fmt"
	"slices"

	"fovea/internal/manifest"
)

// MaxProblems is how many problems of a line are kept. One more then tells how
// many were not.
const MaxProblems = 100

// maxText bounds the pointers and messages that are kept of a line, in bytes,
// because a long key can stand in each of them.
const maxText = 1 << 18

// Found is how much of a value a problem quotes, in characters.
const Found = 80

// MoreProblems is the code of the problem that tells how many were not kept.
const MoreProblems = "WARNING_MORE_PROBLEMS"

// Findings collects the problems of one line after another.
type Findings struct {
	entry    *manifest.Entry
	doc      *manifest.Doc
	text     int // bytes of pointers and messages kept
	warnings int // kept by keep
	more     int // problems not kept
}

// Begin starts a line: the problems go to e, and doc is what they point into.
func (f *Findings) Begin(e *manifest.Entry, doc *manifest.Doc) {
	*f = Findings{entry: e, doc: doc}
}

// Count returns how many problems the line has so far, those included that are
// not kept.
func (f *Findings) Count() int { return len(f.entry.Problems) + f.more }

// Add adds a problem with the value at node, whose error list the object at
// carries. It fills in p's At, Pointer and Offset, and Found if it is empty.
func (f *Findings) Add(at, node int, p manifest.Problem) {
	if !f.room(p.Severity) {
		return
	}
	p.Pointer = f.doc.PointerOf(node)
	p.Offset = int(f.doc.Nodes[node].Start)
	if p.Found == "" {
		p.Found = manifest.Excerpt(f.doc.Raw(node), Found)
	}
	f.keep(at, p)
}

// Missing adds a problem with the lack of a member of an object. If there is a
// key that was probably meant to be the member's, the problem is there.
func (f *Findings) Missing(at, object int, name string, p manifest.Problem) {
	if !f.room(p.Severity) {
		return
	}
	if key := MeantKey(f.doc, object, name); key >= 0 {
		f.misspelt(at, key, name, p)
		return
	}
	p.Pointer = f.doc.PointerOf(object) + manifest.Pointer(name)
	p.Offset = int(f.doc.Nodes[object].Start)
	p.Found = cmp.Or(p.Found, "nothing")
	f.keep(at, p)
}

// MissingRef adds the problem that a line has no source-ref.
func (f *Findings) MissingRef(p manifest.Problem) {
	p.Expected = `the key "source-ref"`
	p.Mend = `Add "source-ref" with the S3 URI of the image, as in s3://BUCKET/KEY.`
	if key := meantRefKey(f.doc); key >= 0 && f.room(p.Severity) {
		f.misspelt(f.doc.Root(), key, "source-ref", p)
		return
	}
	f.Missing(f.doc.Root(), f.doc.Root(), "source-ref", p)
}

// misspelt adds a problem with a key that was meant to be another, and for
// which there is room.
func (f *Findings) misspelt(at, key int, name string, p manifest.Problem) {
	p.Found = "the key " + Quote(f.doc.Key(key))
	p.Mend = fmt.Sprintf("Rename the key %s to %q.", Quote(f.doc.Key(key)), name)
	p.Pointer, p.Offset = f.doc.PointerOf(key), int(f.doc.Nodes[key].Start)
	f.keep(at, p)
}

// AddToLine adds a problem with the line as a whole. It is always kept: there
// are only one or two of them.
func (f *Findings) AddToLine(p manifest.Problem) {
	p.Offset = int(f.doc.Nodes[f.doc.Root()].Start)
	f.entry.Problems = append(f.entry.Problems, p)
}

// addUnread adds a problem with a line that has no nodes, because it cannot be
// read. The place is within what is kept of the line.
func (f *Findings) addUnread(offset int, p manifest.Problem) {
	p.Offset = min(max(offset, 0), len(f.entry.Line))
	f.entry.Problems = append(f.entry.Problems, p)
}

// End finishes the line: its problems are brought into the order of their
// places, and what was not kept is told.
func (f *Findings) End() {
	problems := f.entry.Problems
	if len(problems) > 1 {
		slices.SortStableFunc(problems, func(a, b manifest.Problem) int { return a.Offset - b.Offset })
	}
	if f.more == 0 {
		return
	}
	f.entry.Problems = append(problems, manifest.Problem{
		Severity: manifest.Warning,
		Code:     MoreProblems,
		Message:  fmt.Sprintf("%d more problems of this line are not shown.", f.more),
		Offset:   problems[len(problems)-1].Offset,
		Found:    fmt.Sprintf("%d problems", f.more+len(problems)),
		Expected: fmt.Sprintf("at most %d", MaxProblems),
		Mend:     "Mend the problems that are shown, then check again.",
	})
}

// room tells whether there is room for a problem, and makes it at the cost of
// warnings if need be. It counts what is not kept, this one or those.
func (f *Findings) room(s manifest.Severity) bool {
	for len(f.entry.Problems) >= MaxProblems || f.text >= maxText {
		f.more++
		if s == manifest.Warning || !f.evict() {
			return false
		}
	}
	return true
}

// evict removes the last warning, and returns whether there was one.
func (f *Findings) evict() bool {
	for i := len(f.entry.Problems) - 1; i >= 0 && f.warnings > 0; i-- {
		if p := &f.entry.Problems[i]; p.Severity == manifest.Warning {
			f.text -= textOf(p)
			f.warnings--
			f.entry.Problems = slices.Delete(f.entry.Problems, i, i+1)
			return true
		}
	}
	return false
}

// keep adds a problem for which there is room.
func (f *Findings) keep(at int, p manifest.Problem) {
	p.At = f.doc.PointerOf(at)
	f.text += textOf(&p)
	if p.Severity == manifest.Warning {
		f.warnings++
	}
	f.entry.Problems = append(f.entry.Problems, p)
}

func textOf(p *manifest.Problem) int { return len(p.At) + len(p.Pointer) + len(p.Message) }
