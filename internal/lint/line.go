package lint

import (
	"bytes"
	"fmt"
	"strings"

	"fovea/internal/manifest"
)

var metadataSuffix = []byte("-metadata")

// A Member is a member of a line other than its source-ref.
type Member struct {
	Key    []byte
	Node   int  // of the key
	Paired bool // it is half of a Pair
}

// IsMetadata tells whether the member's key is that of metadata, and returns
// the key of what it is for.
func (m *Member) IsMetadata() (name []byte, ok bool) { return bytes.CutSuffix(m.Key, metadataSuffix) }

// A Pair is an attribute: a key for which there is also one with -metadata at
// its end (CL-5.10).
type Pair struct {
	Name  []byte
	Value int // node of the attribute's value
	Meta  int // node of the metadata
}

// A Line is what a line is made of.
type Line struct {
	Ref      int // node of the source-ref, -1 if there is none
	Members  []Member
	Pairs    []Pair // in the order of their metadata
	Repeated []int  // nodes of keys that came before; of several the last counts

	doc     *manifest.Doc
	index   map[string]int // of members, while there are many
	guesses int            // that Twin has made
}

// manyMembers is the number from which on members are looked up in a map.
const manyMembers = 16

// maxGuesses is how often Twin guesses for a line.
const maxGuesses = 32

// Read takes a line apart. Members whose key skip reports are left out; skip
// may be nil. What was read before is overwritten.
func (l *Line) Read(doc *manifest.Doc, skip func(key []byte) bool) {
	l.doc, l.Ref, l.guesses = doc, -1, 0
	l.Members, l.Pairs, l.Repeated = l.Members[:0], l.Pairs[:0], l.Repeated[:0]
	clear(l.index)
	for k, end := doc.Root()+1, doc.Next(doc.Root()); k < end; k = doc.Next(k + 1) {
		key := doc.Key(k)
		switch {
		case string(key) == "source-ref":
			if l.Ref >= 0 {
				l.Repeated = append(l.Repeated, k)
			}
			l.Ref = k + 1
		case skip != nil && skip(key):
		default:
			l.add(key, k)
		}
	}
	l.pair()
}

// add adds a member. Of two with one key the last counts.
func (l *Line) add(key []byte, k int) {
	if i := l.find(key); i >= 0 {
		l.Members[i].Node = k
		l.Repeated = append(l.Repeated, k)
		return
	}
	l.Members = append(l.Members, Member{Key: key, Node: k})
	n := len(l.Members)
	switch {
	case n < manyMembers:
	case n == manyMembers:
		if l.index == nil {
			l.index = map[string]int{}
		}
		for i, m := range l.Members {
			l.index[string(m.Key)] = i
		}
	default:
		l.index[string(key)] = n - 1
	}
}

// find returns the index of the member of that key, -1 if there is none.
func (l *Line) find(key []byte) int {
	if len(l.Members) >= manyMembers {
		if i, ok := l.index[string(key)]; ok {
			return i
		}
		return -1
	}
	for i := range l.Members {
		if bytes.Equal(l.Members[i].Key, key) {
			return i
		}
	}
	return -1
}

// pair finds the attributes.
func (l *Line) pair() {
	for i := range l.Members {
		meta := &l.Members[i]
		name, ok := meta.IsMetadata()
		if !ok {
			continue
		}
		if j := l.find(name); j >= 0 {
			attr := &l.Members[j]
			meta.Paired, attr.Paired = true, true
			l.Pairs = append(l.Pairs, Pair{Name: attr.Key, Value: attr.Node + 1, Meta: meta.Node + 1})
		}
	}
}

// Likeliest returns the member, of one or more, that was most likely meant to
// be half of an attribute.
func (l *Line) Likeliest() *Member {
	for i := range l.Members {
		if _, ok := l.Members[i].IsMetadata(); ok {
			return &l.Members[i]
		}
	}
	for i := range l.Members {
		if l.hasType(&l.Members[i]) {
			return &l.Members[i]
		}
	}
	return &l.Members[0]
}

// hasType tells whether the member's value looks like metadata.
func (l *Line) hasType(m *Member) bool {
	return l.doc.Type(m.Node+1) == manifest.Object && l.doc.Member(m.Node+1, "type") >= 0
}

// MendUnpaired says how to make an attribute of a member that is half of one.
func (l *Line) MendUnpaired(m *Member) string {
	want := other(m.Key)
	if twin := l.Twin(m); twin != nil {
		return fmt.Sprintf("Rename the key %s to %s.", Quote(twin.Key), Quote(want))
	}
	if _, ok := m.IsMetadata(); ok {
		return fmt.Sprintf("Add the label attribute %s, or remove its metadata.", Quote(want))
	}
	if i := strings.LastIndexAny(string(m.Key), "-_. "); i > 0 && l.hasType(m) {
		return fmt.Sprintf("Rename the key %s to %s.", Quote(m.Key), Quote(other(m.Key[:i])))
	}
	return fmt.Sprintf("Add the metadata %s, or remove the key.", Quote(want))
}

// Twin returns the member that was probably meant to be the other half of the
// attribute that m is half of, nil if there is none. Neither is paired. Of a
// line with very many halves only the first get an answer.
func (l *Line) Twin(m *Member) *Member {
	if l.guesses++; l.guesses > maxGuesses {
		return nil
	}
	want := string(other(m.Key))
	for i := range l.Members[:min(len(l.Members), maxKeys)] {
		twin := &l.Members[i]
		if !twin.Paired && twin.Node != m.Node && Meant(string(twin.Key), want) != "" {
			return twin
		}
	}
	return nil
}

// other returns the key of the other half of an attribute.
func other(key []byte) []byte {
	if name, ok := bytes.CutSuffix(key, metadataSuffix); ok {
		return name
	}
	return append(bytes.Clone(key), metadataSuffix...)
}
