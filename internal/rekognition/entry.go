package rekognition

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// maxEntryChars is the length of the longest entry that a client accepts, in
// characters (CL 2.8).
const maxEntryChars = 100_000

// A StoredProblem is an error that was stored with an entry.
type StoredProblem struct {
	Code    string
	Message string
	At      string // JSON pointer of the object that carries it
}

// AppendListed appends the entry that doc was read from as ListDatasetEntries
// returns it (CL-6.60 to CL-6.63): compact, its keys in the order in which they
// came, without what an earlier listing or a validation manifest added
// (CL-5.13), and with whether it is labelled and its errors. A list of errors
// is written twice, as cl-errors and as errors, unless that makes the entry
// longer than a client accepts.
//
// Checking the text that it appends comes to the same problems, so that an
// entry that is listed and sent back does not change.
func AppendListed(dst []byte, doc *manifest.Doc, labeled bool, problems []StoredProblem) []byte {
	l := lister{doc: doc, dst: dst, labeled: labeled, both: true}
	l.findCarriers()
	l.addProblems(problems)
	l.write()
	if len(problems) > 0 && utf8.RuneCount(l.dst[len(dst):]) > maxEntryChars {
		l.dst, l.both = l.dst[:len(dst)], false
		l.write()
	}
	return l.dst
}

// A carrier is an object of an entry that may carry errors: the line, a label
// attribute, its metadata, or an annotation. It loses its reserved keys; what
// other objects hold is the user's.
type carrier struct {
	node     int
	errors   []StoredProblem
	warnings []StoredProblem // of a validation manifest
}

// A lister writes an entry.
type lister struct {
	doc        *manifest.Doc
	dst        []byte
	labeled    bool
	both       bool      // write both lists of errors
	validation bool      // write a line of a validation manifest (CL-6.102)
	carriers   []carrier // in order of their nodes
	next       int       // the carrier that is written next
}

// findCarriers finds the objects that may carry errors.
func (l *lister) findCarriers() {
	l.carriers = append(l.carriers, carrier{node: l.doc.Root()})
	var line lint.Line
	line.Read(l.doc, isReserved)
	for _, p := range line.Pairs {
		for _, node := range []int{p.Value, p.Meta} {
			if l.doc.Type(node) == manifest.Object {
				l.carriers = append(l.carriers, carrier{node: node})
			}
		}
		l.findBoxes(p.Value)
	}
	slices.SortFunc(l.carriers, func(a, b carrier) int { return a.node - b.node })
	l.carriers = slices.CompactFunc(l.carriers, func(a, b carrier) bool { return a.node == b.node })
}

// findBoxes finds the annotations of the attribute whose value is at node.
func (l *lister) findBoxes(node int) {
	list := l.doc.Member(node, "annotations")
	if list < 0 || l.doc.Type(list) != manifest.Array {
		return
	}
	for e, end := list+1, l.doc.Next(list); e < end; e = l.doc.Next(e) {
		if l.doc.Type(e) == manifest.Object {
			l.carriers = append(l.carriers, carrier{node: e})
		}
	}
}

// addProblems gives the problems to their carriers; to the line, if there is
// no object where one belongs. Of two that a client cannot tell from each other
// one is told.
func (l *lister) addProblems(problems []StoredProblem) {
	for _, p := range problems {
		c := &l.carriers[l.carrierAt(p.At)]
		same := func(told StoredProblem) bool { return told.Code == p.Code && told.Message == p.Message }
		if !slices.ContainsFunc(c.errors, same) {
			c.errors = append(c.errors, p)
		}
	}
}

// carrierAt returns the index of the carrier at a JSON pointer, of the line if
// there is none.
func (l *lister) carrierAt(pointer string) int {
	node := l.doc.Root()
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		switch {
		case pointer == "":
		case l.doc.Type(node) == manifest.Array:
			node = l.element(node, token)
		default:
			node = l.doc.Member(node, pointerUnescapes.Replace(token))
		}
		if node < 0 {
			return 0
		}
	}
	i, ok := slices.BinarySearchFunc(l.carriers, node, func(c carrier, node int) int { return c.node - node })
	if !ok {
		return 0
	}
	return i
}

// pointerUnescapes reads a reference token of a JSON pointer (RFC 6901).
var pointerUnescapes = strings.NewReplacer("~1", "/", "~0", "~")

// element returns the node of an element of an array, -1 if there is none.
func (l *lister) element(array int, token string) int {
	index, err := strconv.Atoi(token)
	if err != nil || index < 0 || index >= l.doc.Len(array) {
		return -1
	}
	e := array + 1
	for range index {
		e = l.doc.Next(e)
	}
	return e
}

// write writes the entry.
func (l *lister) write() {
	l.next = 0
	l.value(l.doc.Root())
}

// value writes the value at i.
func (l *lister) value(i int) {
	switch l.doc.Type(i) {
	case manifest.Object:
		l.object(i)
	case manifest.Array:
		l.dst = append(l.dst, '[')
		for e, end := i+1, l.doc.Next(i); e < end; e = l.doc.Next(e) {
			if e > i+1 {
				l.dst = append(l.dst, ',')
			}
			l.value(e)
		}
		l.dst = append(l.dst, ']')
	default:
		l.dst = append(l.dst, l.doc.Raw(i)...)
	}
}

// object writes the object at i.
func (l *lister) object(i int) {
	var own *carrier
	if l.next < len(l.carriers) && l.carriers[l.next].node == i {
		own = &l.carriers[l.next]
		l.next++
	}
	l.dst = append(l.dst, '{')
	start := len(l.dst)
	for k, end := i+1, l.doc.Next(i); k < end; k = l.doc.Next(k + 1) {
		if own != nil && isReserved(l.doc.Key(k)) {
			continue
		}
		l.comma(start)
		l.dst = append(append(l.dst, l.doc.Raw(k)...), ':')
		l.value(k + 1)
	}
	if l.validation {
		l.found(start, own)
		l.dst = append(l.dst, '}')
		return
	}
	if i == l.doc.Root() {
		l.comma(start)
		l.dst = append(l.dst, `"cl-metadata":{"is_labeled":`...)
		l.dst = append(strconv.AppendBool(l.dst, l.labeled), '}')
	}
	if own != nil && len(own.errors) > 0 {
		l.errors(start, "cl-errors", own.errors)
		if l.both {
			l.errors(start, "errors", own.errors)
		}
	}
	l.dst = append(l.dst, '}')
}

// found writes what a validation manifest tells of an object.
func (l *lister) found(start int, own *carrier) {
	if own == nil {
		return
	}
	if len(own.errors) > 0 {
		l.errors(start, "errors", own.errors)
	}
	if len(own.warnings) > 0 {
		l.errors(start, "warnings", own.warnings)
	}
}

// errors writes a list of errors as a member of that key (CL-6.61).
func (l *lister) errors(start int, key string, list []StoredProblem) {
	l.comma(start)
	l.dst = append(manifest.AppendQuoted(l.dst, key), ":["...)
	for i, p := range list {
		if i > 0 {
			l.dst = append(l.dst, ',')
		}
		l.dst = manifest.AppendQuoted(append(l.dst, `{"code":`...), p.Code)
		l.dst = manifest.AppendQuoted(append(l.dst, `,"message":`...), p.Message)
		l.dst = append(l.dst, '}')
	}
	l.dst = append(l.dst, ']')
}

// comma writes a comma if the object whose members begin at start has one.
func (l *lister) comma(start int) {
	if len(l.dst) > start {
		l.dst = append(l.dst, ',')
	}
}
