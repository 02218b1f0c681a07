package rekognition

import (
	"bytes"
	"fmt"
	"strings"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

var metadataSuffix = []byte("-metadata")

// isReserved tells the keys that the server adds to lines that it lists, and
// so removes from lines that it gets (CL-5.13).
func isReserved(key []byte) bool {
	switch string(key) {
	case "cl-metadata", "cl-errors", "cl-warnings", "errors", "warnings":
		return true
	}
	return false
}

// A member is a member of a line that may be a label attribute or metadata.
type member struct {
	key    []byte
	node   int // of the key
	paired bool
}

// A pair is a label attribute: a key for which there is also one with
// -metadata at its end (CL-5.10).
type pair struct {
	name  []byte
	value int // node of the attribute's value
	meta  int // node of the metadata
}

// A line is what a line is made of, without its source-ref and what is reserved.
type line struct {
	doc      *manifest.Doc
	ref      int // node of the source-ref, -1 if there is none
	members  []member
	pairs    []pair
	repeated []int          // keys that came before
	index    map[string]int // of members, while there are many
}

// manyMembers is the number from which on members are looked up in a map.
const manyMembers = 16

// read sorts the members of the line.
func (l *line) read(doc *manifest.Doc) {
	l.doc, l.ref = doc, -1
	l.members, l.pairs, l.repeated = l.members[:0], l.pairs[:0], l.repeated[:0]
	clear(l.index)
	for k, end := doc.Root()+1, doc.Next(doc.Root()); k < end; k = doc.Next(k + 1) {
		key := doc.Key(k)
		switch {
		case string(key) == "source-ref":
			if l.ref >= 0 {
				l.repeated = append(l.repeated, k)
			}
			l.ref = k + 1
		case isReserved(key):
		default:
			l.add(key, k)
		}
	}
}

// add adds a member. Of two with one key the last counts.
func (l *line) add(key []byte, k int) {
	if i := l.find(key); i >= 0 {
		l.members[i].node = k
		l.repeated = append(l.repeated, k)
		return
	}
	l.members = append(l.members, member{key: key, node: k})
	n := len(l.members)
	switch {
	case n < manyMembers:
	case n == manyMembers:
		if l.index == nil {
			l.index = map[string]int{}
		}
		for i, m := range l.members {
			l.index[string(m.key)] = i
		}
	default:
		l.index[string(key)] = n - 1
	}
}

// find returns the index of the member of that key, -1 if there is none.
func (l *line) find(key []byte) int {
	if len(l.members) >= manyMembers {
		if i, ok := l.index[string(key)]; ok {
			return i
		}
		return -1
	}
	for i := range l.members {
		if bytes.Equal(l.members[i].key, key) {
			return i
		}
	}
	return -1
}

// pair finds the label attributes, in the order of their metadata.
func (l *line) pair() {
	for i := range l.members {
		meta := &l.members[i]
		name, ok := bytes.CutSuffix(meta.key, metadataSuffix)
		if !ok {
			continue
		}
		if j := l.find(name); j >= 0 {
			attr := &l.members[j]
			meta.paired, attr.paired = true, true
			l.pairs = append(l.pairs, pair{name: attr.key, value: attr.node + 1, meta: meta.node + 1})
		}
	}
}

// likeliest returns the member that was most likely meant to be one half of a
// label attribute.
func (l *line) likeliest() member {
	for _, m := range l.members {
		if bytes.HasSuffix(m.key, metadataSuffix) {
			return m
		}
	}
	for _, m := range l.members {
		if l.doc.Type(m.node+1) == manifest.Object && l.doc.Member(m.node+1, "type") >= 0 {
			return m
		}
	}
	return l.members[0]
}

// mendUnpaired says how to make a label attribute of a member that is half of one.
func (l *line) mendUnpaired(m member) string {
	if base, ok := bytes.CutSuffix(m.key, metadataSuffix); ok {
		if isReserved(base) {
			return fmt.Sprintf("Rename %q and its metadata: the key is reserved.", base)
		}
		for _, other := range l.members {
			if !other.paired && other.node != m.node && lint.Meant(string(other.key), string(base)) != "" {
				return fmt.Sprintf("Rename the key %s to %s.", lint.Quote(other.key), lint.Quote(base))
			}
		}
		return fmt.Sprintf("Add the label attribute %s, or remove its metadata.", lint.Quote(base))
	}
	if l.doc.Type(m.node+1) == manifest.Object && l.doc.Member(m.node+1, "type") >= 0 {
		if i := strings.LastIndexAny(string(m.key), "-_. "); i > 0 {
			return fmt.Sprintf("Rename the key %s to %s.", lint.Quote(m.key), lint.Quote([]byte(string(m.key[:i])+"-metadata")))
		}
	}
	return fmt.Sprintf("Add the metadata %s, or remove the key.", lint.Quote([]byte(string(m.key)+"-metadata")))
}
