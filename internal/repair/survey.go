package repair

import (
	"bytes"
	"crypto/sha256"

	"fovea/internal/lint"
	"fovea/internal/manifest"
)

// Bounds of what is remembered of a manifest: lines beyond are not compared, and
// classes beyond are not known.
const (
	maxRefs    = 4_000_000
	maxClasses = 100_000
)

// A survey is what must be known of all lines before one is mended.
type survey struct {
	marked  bool               // there is a byte order mark
	returns int64              // lines that end in CR LF
	counts  map[[16]byte]int64 // the line that counts, by the hash of its source-ref
	gone    map[int64][16]byte // the lines that do not count
	classes map[string]string  // label names by attribute and class id; "" where lines differ
}

// survey reads the manifest for the first time.
func (r *repairer) survey() error {
	r.known = survey{counts: map[[16]byte]int64{}, gone: map[int64][16]byte{}, classes: map[string]string{}}
	var start [3]byte
	if n, _ := r.spec.Source.ReadAt(start[:], 0); n == 3 && string(start[:]) == "\xef\xbb\xbf" {
		r.known.marked = true
	}
	end := int64(-1) // of the text of the line before, less carriage returns that are part of it
	err := r.lines(func(line manifest.Line) error {
		if end >= 0 && line.Offset-end >= 2 {
			r.known.returns++
		}
		end = line.Offset + line.Size - int64(len(line.Text)-len(bytes.TrimRight(line.Text, "\r")))
		if r.judge(line, line.Text) != nil {
			return nil
		}
		if !r.entry.Dropped {
			r.known.count(&r.entry, r.spec.Profile.KeepLast)
		}
		r.known.learn(&r.doc)
		return nil
	})
	if ends := r.spec.Manifest.Size - end; end >= 0 && (ends >= 2 || ends == 1 && r.returnAt(end)) {
		r.known.returns++
	}
	return err
}

// returnAt tells whether there is a carriage return at an offset.
func (r *repairer) returnAt(offset int64) bool {
	var b [1]byte
	n, _ := r.spec.Source.ReadAt(b[:], offset)
	return n == 1 && b[0] == '\r'
}

// keyOf returns a hash of the source-ref of an entry, as it is once mended.
func keyOf(e *manifest.Entry) (key [16]byte) {
	ref := e.SourceRef
	if bytes.HasPrefix(ref, []byte("S3://")) {
		ref = append([]byte("s"), ref[1:]...)
	}
	sum := sha256.Sum256(ref)
	copy(key[:], sum[:])
	return key
}

// count notes which line counts for an image, and which does not: the first does
// (CL-6.22), or the last (LV-5.52).
func (s *survey) count(e *manifest.Entry, last bool) {
	key := keyOf(e)
	old, ok := s.counts[key]
	switch {
	case !ok && len(s.counts) < maxRefs:
		s.counts[key] = e.Number
	case ok && last:
		s.gone[old], s.counts[key] = key, e.Number
	case ok:
		s.gone[e.Number] = key
	}
}

// displaced tells whether another line counts for the image of a line, and
// which.
func (s *survey) displaced(line int64) (by int64, ok bool) {
	key, ok := s.gone[line]
	return s.counts[key], ok
}

// learn remembers the class maps of a line.
func (s *survey) learn(doc *manifest.Doc) {
	var line lint.Line
	line.Read(doc, nil)
	for _, pair := range line.Pairs {
		classes := doc.Member(pair.Meta, "class-map")
		if classes < 0 || doc.Type(classes) != manifest.Object {
			continue
		}
		for k, v := range doc.Members(classes) {
			key := classKey(pair.Name, doc.Key(k))
			name := string(doc.Str(v, nil))
			if old, ok := s.classes[key]; ok && old != name {
				s.classes[key] = ""
			} else if !ok && len(s.classes) < maxClasses {
				s.classes[key] = name
			}
		}
	}
}

// classKey names a class of an attribute.
func classKey(attribute, id []byte) string { return string(attribute) + "\x00" + string(id) }
