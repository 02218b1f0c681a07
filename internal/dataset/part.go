package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/cespare/xxhash/v2"

	"fovea"
	"fovea/internal/manifest"
)

// A part is what the scan of one range found. It is kept in Blobs as
//
//	magic, length of the JSON, JSON of the part,
//	keys: for each entry, grouped by the first byte of their hash,
//	facts: for each entry in order, what is subtracted if it is a duplicate,
//	problems: for each, its length and a Finding as JSON,
//	xxhash64 of all of it
//
// and named for its range, so that work that was done before a crash is found
// again. Line numbers in a part count from the range's first line.
type part struct {
	Start, End int64
	ETag       string // of the manifest
	Built      bool   // has a segment, even if empty
	Images     bool   // the images were opened
	Seen       bool   // and decoded: there is a blob of what was seen

	Lines      int64
	Blank      int64
	Dropped    int64
	NotObjects int64 // lines that are not JSON objects
	Stats      fovea.Stats
	Labels     []labelUse  // in order of first appearance, maxLabels+1 of them at most
	Buckets    []bucketUse // the first two
	First      *badLine    // the first dropped line
	Codes      map[string]int64
	Sizes      imageSizes
	Kinds      labelKinds
	Segment    fovea.SegmentRef
	Keys       [257]uint32 // the keys of hash byte b are Keys[b] to Keys[b+1]

	FactsSize    int64
	ProblemsSize int64
	Problems     int64 // how many are kept

	name      string
	isLetGo   bool // the labels are not in memory
	headSize  int64
	firstLine int64 // lines of the parts before; set by total
}

// A labelUse counts the entries that have a label.
type labelUse struct {
	Name    string
	Lines   int64 // that use or declare it
	Entries int64 // that use it
	Boxed   int64 // that use it on a box
	First   int64 // the first line that uses it; 0 for none
}

type bucketUse struct {
	Name string
	Line int64
}

type badLine struct {
	Line    int64
	Problem manifest.Problem
}

const (
	partMagic = "fovea.part.2\n\x00\x00\x00"
	keySize   = keyHash + 4 + 4
	keyHash   = 16
)

// A key tells where a source-ref is. The hash is the first 128 bits of the
// SHA-256 of salt and source-ref, so that equal hashes are equal source-refs, whoever wrote them.
type key struct {
	hash [keyHash]byte
	row  uint32
	line uint32
}

// errDamaged says that a part is not what was written: it is done again.
var errDamaged = errors.New("damaged")

// encode returns the part as it is stored. The sections are appended by the
// worker that has them.
func (p *part) encode(dst []byte, keys, facts, problems []byte) ([]byte, error) {
	p.FactsSize, p.ProblemsSize = int64(len(facts)), int64(len(problems))
	head, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	dst = append(dst[:0], partMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(head)))
	dst = append(dst, head...)
	dst = append(dst, keys...)
	dst = append(dst, facts...)
	dst = append(dst, problems...)
	p.headSize = int64(len(partMagic) + 4 + len(head))
	return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(dst)), nil
}

// loadPart reads the head of a part after checking all of it.
func loadPart(ctx context.Context, blobs fovea.Blobs, name string) (*part, error) {
	blob, err := blobs.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	size := blob.Size()
	if size < int64(len(partMagic)+4+8) {
		return nil, fmt.Errorf("%s: %w", name, errDamaged)
	}
	digest := xxhash.New()
	if _, err := io.Copy(digest, io.NewSectionReader(blob, 0, size-8)); err != nil {
		return nil, err
	}
	var buf [8]byte
	if _, err := readAt(blob, buf[:], size-8); err != nil {
		return nil, err
	}
	if digest.Sum64() != binary.LittleEndian.Uint64(buf[:]) {
		return nil, fmt.Errorf("%s: %w", name, errDamaged)
	}
	front := make([]byte, len(partMagic)+4)
	if _, err := readAt(blob, front, 0); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(front[len(partMagic):]))
	if !bytes.HasPrefix(front, []byte(partMagic)) || n > size {
		return nil, fmt.Errorf("%s: %w", name, errDamaged)
	}
	head := make([]byte, n)
	if _, err := readAt(blob, head, int64(len(front))); err != nil {
		return nil, err
	}
	p := &part{name: name, headSize: int64(len(front)) + n}
	if err := json.Unmarshal(head, p); err != nil {
		return nil, fmt.Errorf("%s: %w: %v", name, errDamaged, err)
	}
	return p, nil
}

// keptLabels is how many labels of a part stay in memory. That many and more
// are in all parts of a hostile manifest alone.
const keptLabels = 1000

// letGo lets go of the labels if they are many.
func (p *part) letGo() {
	if len(p.Labels) > keptLabels {
		p.Labels, p.isLetGo = nil, true
	}
}

// fetch reads the labels again if they were let go.
func (p *part) fetch(ctx context.Context, blobs fovea.Blobs) error {
	if !p.isLetGo {
		return nil
	}
	stored, err := loadPart(ctx, blobs, p.name)
	if err != nil {
		return err
	}
	p.Labels, p.isLetGo = stored.Labels, false
	return nil
}

// keys returns the keys whose hash begins with the bytes from to to-1.
func (p *part) keys(ctx context.Context, blobs fovea.Blobs, from, to int) ([]byte, error) {
	a, b := int64(p.Keys[from]), int64(p.Keys[to])
	return p.section(ctx, blobs, p.headSize+a*keySize, (b-a)*keySize)
}

// facts returns the facts of the entries.
func (p *part) facts(ctx context.Context, blobs fovea.Blobs) ([]byte, error) {
	return p.section(ctx, blobs, p.headSize+int64(p.Keys[256])*keySize, p.FactsSize)
}

// problems returns the problems of the lines.
func (p *part) problems(ctx context.Context, blobs fovea.Blobs) ([]byte, error) {
	return p.section(ctx, blobs, p.headSize+int64(p.Keys[256])*keySize+p.FactsSize, p.ProblemsSize)
}

func (p *part) section(ctx context.Context, blobs fovea.Blobs, off, n int64) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	blob, err := blobs.Open(ctx, p.name)
	if err != nil {
		return nil, err
	}
	defer blob.Close()
	buf := make([]byte, n)
	_, err = readAt(blob, buf, off)
	return buf, err
}

// readAt fills p.
func readAt(r io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
