package migrate

import (
	"encoding/hex"
	"strings"

	"fovea"
	"fovea/internal/manifest"
)

// A line is a line of a manifest that is being read. It is reused from line to
// line.
type line struct {
	doc     manifest.Doc
	text    []byte
	refs    []ref
	crowded bool           // it has more refs than maxRefs, which are not in refs
	meta    map[string]int // the nodes of the metadata, by the name of their attribute
}

// maxRefs is how many refs a line may have. Those of AWS have two.
const maxRefs = 64

const metadata = "-metadata"

// A ref is a member of the line that may name an image or a mask.
type ref struct {
	key   string // source-ref, or what ends in -ref
	value string
	node  int  // of the value
	sure  bool // it must name an object: it is source-ref, an S3 URI, or the mask of a segmentation
}

const sourceRef = "source-ref"

// read parses a line and finds what it refers to: its source-ref, and strings
// under keys that end in -ref (LV-5.19). It reports a line that is no JSON
// object.
func (l *line) read(text []byte) *manifest.LineError {
	l.text, l.refs, l.crowded = text, l.refs[:0], false
	if e := l.doc.Parse(text, 0); e != nil {
		return e
	}
	l.findMetadata()
	for k, v := range l.doc.Members(l.doc.Root()) {
		key := string(l.doc.Key(k))
		if !strings.HasSuffix(key, "-ref") || l.doc.Type(v) != manifest.String {
			continue
		}
		if l.crowded = len(l.refs) == maxRefs; l.crowded {
			break
		}
		r := ref{key: key, node: v, value: string(l.doc.Str(v, nil))}
		_, uri := parseRef(r.value)
		r.sure = uri || key == sourceRef || l.segmentation(key)
		l.refs = append(l.refs, r)
	}
	return nil
}

// findMetadata finds the metadata of attributes.
func (l *line) findMetadata() {
	if l.meta == nil {
		l.meta = map[string]int{}
	}
	clear(l.meta)
	for k, v := range l.doc.Members(l.doc.Root()) {
		if name, ok := strings.CutSuffix(string(l.doc.Key(k)), metadata); ok && l.doc.Type(v) == manifest.Object {
			l.meta[name] = v
		}
	}
}

// segmentation reports whether an attribute is a mask, by its metadata (LV-5.25).
func (l *line) segmentation(key string) bool {
	meta, ok := l.meta[key]
	if !ok {
		return false
	}
	kind := l.doc.Member(meta, "type")
	return kind >= 0 && l.doc.Is(kind, "groundtruth/semantic-segmentation")
}

// image returns the source-ref: the last one, if there are several, as most
// readers of JSON have it.
func (l *line) image() (value string, ok bool) {
	for _, r := range l.refs {
		if r.key == sourceRef {
			value, ok = r.value, true
		}
	}
	return value, ok
}

// appendReplaced appends the line to dst with other values for some of its
// refs, by their place in refs, and the rest byte for byte.
func (l *line) appendReplaced(dst []byte, value func(i int) (string, bool)) []byte {
	copied := int32(0)
	for i, r := range l.refs {
		v, ok := value(i)
		if !ok {
			continue
		}
		n := &l.doc.Nodes[r.node]
		dst = append(dst, l.text[copied:n.Start]...)
		dst = manifest.AppendQuoted(dst, v)
		copied = n.End
	}
	return append(dst, l.text[copied:]...)
}

// reserved are the members that Custom Labels adds to entries that it lists
// (CL-5.13).
var reserved = map[string]bool{"cl-metadata": true, "cl-errors": true, "cl-warnings": true, "errors": true, "warnings": true}

// absent stands in a normal form for an object that does not exist.
const absent = "absent"

// appendNormal appends the normal form of the line to dst: compact, without
// what Custom Labels adds to entries, and with sha256:HEX or "absent" for what
// a ref names. sum reports the SHA-256 of a ref's object, nil if there is no
// object, and false for a ref that stays as it is.
func (l *line) appendNormal(dst []byte, service fovea.Service, sum func(i int) ([]byte, bool)) []byte {
	text := l.appendReplaced(nil, func(i int) (string, bool) {
		s, ok := sum(i)
		switch {
		case !ok:
			return "", false
		case s == nil:
			return absent, true
		}
		return "sha256:" + hex.EncodeToString(s), true
	})
	var doc manifest.Doc
	if doc.Parse(text, 0) != nil { // no line that was read comes here
		return append(dst, text...)
	}
	if service != fovea.CustomLabels {
		return manifest.AppendCompact(dst, &doc)
	}
	return manifest.AppendRewritten(dst, &doc, func(key []byte) bool { return reserved[string(key)] }, nil)
}
