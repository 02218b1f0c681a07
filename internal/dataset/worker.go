package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"

	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// A worker scans one range after the other.
type worker struct {
	scan    *scan
	checker manifest.Checker
	lines   *manifest.Lines
	doc     manifest.Doc
	entry   manifest.Entry
	builder segment.Builder

	part     *part
	labels   map[string]int // index in part.Labels
	uses     []uint64       // of labels by the current entry, as the facts have them
	keys     []key
	salted   []byte
	facts    []byte
	problems []byte
	seen     *seenWriter // nil where images are not decoded
	storing  storing
}

func newWorker(s *scan) *worker {
	return &worker{scan: s, labels: map[string]int{}}
}

// do scans a range and begins to store its part, and its segment before that.
// They are stored once the next call of do, or finish, has returned no error.
func (w *worker) do(ctx context.Context, start, end int64) (*part, error) {
	s := w.scan
	w.part = &part{Start: start, End: end, ETag: s.manifest.ETag, Built: s.segments, Images: s.images != nil, Seen: s.examined(), Codes: map[string]int64{}}
	// What a checker remembers from line to line must depend on the range
	// alone, and not on what else this worker has done.
	w.checker = s.profile.NewChecker()
	clear(w.labels)
	w.keys, w.facts, w.problems = w.keys[:0], w.facts[:0], w.problems[:0]
	if err := w.read(ctx, start, end); err != nil {
		return nil, err
	}
	return w.store(ctx)
}

// read judges every line of the range.
func (w *worker) read(ctx context.Context, start, end int64) error {
	s := w.scan
	if s.examined() {
		w.seen = newSeenWriter(ctx, s.blobs, s.seenName(start, end))
	}
	defer w.seen.stop()
	images := s.images.queue(ctx, w.countImage)
	defer images.stop()
	maxChars := int(s.profile.Limits.LineChars)
	if w.lines == nil {
		// A character has at most four bytes.
		w.lines = manifest.NewLines(s.source, s.manifest.Size, start, end, 4*maxChars)
	} else {
		w.lines.Reset(s.source, s.manifest.Size, start, end)
	}
	for {
		line, ok := w.lines.Next()
		if !ok {
			if err := w.lines.Err(); err != nil {
				return err
			}
			if err := images.finish(); err != nil {
				return err
			}
			return w.seen.finish(w.part.Lines)
		}
		bad := line.Bad
		if bad == nil {
			bad = w.doc.Parse(line.Text, maxChars)
		}
		w.part.Lines++
		if bad != nil && bad.Reason == manifest.Blank {
			w.part.Blank++
			if !s.profile.BlankLines {
				continue
			}
		}
		w.entry.Reset()
		w.entry.Line, w.entry.Offset, w.entry.Number = line.Text, line.Offset, line.Number
		w.checker.Check(&w.entry, &w.doc, bad)
		w.count(bad)
		if err := w.queueImage(images); err != nil {
			return err
		}
	}
}

// count adds the entry to the part.
func (w *worker) count(bad *manifest.LineError) {
	p, e := w.part, &w.entry
	if bad != nil {
		p.NotObjects++
	}
	for i := range e.Problems {
		p.Codes[e.Problems[i].Code]++
		w.report(&e.Problems[i])
	}
	if e.Dropped {
		p.Dropped++
		if p.First == nil {
			p.First = &badLine{e.Number, cause(e)}
		}
		return
	}
	w.useBucket(e)
	f := factsOf(e)
	p.Stats.Add(f.stats())
	w.facts = append(w.facts, byte(f))
	w.countLabels(e)
	p.Kinds.add(e)
	w.addKey(e)
	if w.scan.segments {
		// The offset of a line ascends from range to range, so it is known
		// without knowing how many lines came before.
		w.builder.Add(e.Offset, e)
	}
}

// cause returns the problem for which the entry is dropped.
func cause(e *manifest.Entry) manifest.Problem {
	for _, p := range e.Problems {
		if p.Severity == manifest.Fatal {
			return p
		}
	}
	return manifest.Problem{Severity: manifest.Fatal, Message: "The line is invalid."}
}

func (w *worker) useBucket(e *manifest.Entry) {
	p := w.part
	switch len(p.Buckets) {
	case 0:
	case 1:
		if p.Buckets[0].Name == string(e.Bucket) {
			return
		}
	default:
		return
	}
	p.Buckets = append(p.Buckets, bucketUse{string(e.Bucket), e.Number})
}

// countLabels counts the entry's labels and appends them to the facts: how
// many, then for each its index, shifted, with a bit for used and one for boxed.
// More than any dataset may have are not kept.
func (w *worker) countLabels(e *manifest.Entry) {
	p := w.part
	before := w.uses
	w.uses = w.uses[:0]
	for n, l := range e.Labels {
		like := uint64(0)
		if n < len(before) {
			like = before[n] // not yet written over
		}
		i, ok := w.label(l.Name, like)
		if !ok {
			continue
		}
		p.Labels[i].Lines++
		bits := uint64(i) << 2
		if l.Used {
			if p.Labels[i].Entries++; p.Labels[i].First == 0 {
				p.Labels[i].First = e.Number
			}
			bits |= labelUsed
		}
		if l.Boxed {
			p.Labels[i].Boxed++
			bits |= labelBoxed
		}
		w.uses = append(w.uses, bits)
	}
	w.facts = binary.AppendUvarint(w.facts, uint64(len(w.uses)))
	for _, bits := range w.uses {
		w.facts = binary.AppendUvarint(w.facts, bits)
	}
}

// label returns the index of a name in part.Labels, and false if there is no
// room for another. A name is mostly where it was in the line before, whose use
// of it is like, and then found without hashing.
func (w *worker) label(name string, like uint64) (int, bool) {
	if i := int(like >> 2); i < len(w.part.Labels) && w.part.Labels[i].Name == name {
		return i, true
	}
	i, ok := w.labels[name]
	if !ok {
		if i = len(w.part.Labels); i > maxLabels {
			return 0, false
		}
		w.labels[name] = i
		w.part.Labels = append(w.part.Labels, labelUse{Name: name})
	}
	return i, true
}

// addKey notes where the entry's source-ref is. The salt keeps those who write
// manifests from choosing hashes that fall into one group.
func (w *worker) addKey(e *manifest.Entry) {
	w.salted = append(append(w.salted[:0], w.scan.salt...), e.SourceRef...)
	sum := sha256.Sum256(w.salted)
	k := key{row: uint32(len(w.keys)), line: uint32(e.Number)}
	copy(k.hash[:], sum[:])
	w.keys = append(w.keys, k)
}

// groupKeys returns the keys grouped by the first byte of their hash, in order
// of their rows within a group, and notes in the part where the groups are.
func (w *worker) groupKeys() []byte {
	p := w.part
	for _, k := range w.keys {
		p.Keys[int(k.hash[0])+1]++
	}
	for b := range 256 {
		p.Keys[b+1] += p.Keys[b]
	}
	at := p.Keys
	buf := make([]byte, len(w.keys)*keySize)
	for _, k := range w.keys {
		b := buf[at[k.hash[0]]*keySize:]
		at[k.hash[0]]++
		copy(b, k.hash[:])
		binary.LittleEndian.PutUint32(b[keyHash:], k.row)
		binary.LittleEndian.PutUint32(b[keyHash+4:], k.line)
	}
	return buf
}
