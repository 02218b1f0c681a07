package dataset

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/quality"
)

// A sight is where the entry of an image is that was decoded.
type sight struct {
	part   int    // index
	row    uint32 // of the entry among those of the part
	line   uint32 // of the entry, in the part
	labels uint64 // a hash of its labels and class
}

// A seen is an image that was decoded, and a look at it.
type seen struct {
	sight
	quality.Look
}

// The seen images of a part are a blob of their own, because they may be many
// times the size of the part, and are written while they come:
//
//	magic; for each: a one, row, line, labels, look; a zero, the lines of the part
//
// The blobs stay after the import, for a dataset that is imported into the same
// project to be compared with.
const (
	seenMagic = "fovea.seen.1\n\x00\x00\x00"
	seenSize  = 4 + 4 + 8 + quality.LookSize
)

func (s *scan) seenName(start, end int64) string {
	return fmt.Sprintf("%s%010x-%010x.seen", seenPrefix(s.id), start, end)
}

// seenPrefix is the prefix of the names of what was seen for a scan.
func seenPrefix(id string) string { return "seen/" + id + "/" }

// A seenWriter writes the seen images of a part. A nil one writes nothing.
type seenWriter struct {
	pipe *io.PipeWriter
	buf  *bufio.Writer
	out  []byte
	done chan struct{} // closed when the blob is stored, or will not be
	err  error         // then: why not
}

func newSeenWriter(ctx context.Context, blobs fovea.Blobs, name string) *seenWriter {
	r, p := io.Pipe()
	w := &seenWriter{pipe: p, buf: bufio.NewWriterSize(p, 64<<10), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		_, w.err = blobs.Put(ctx, name, r)
		r.CloseWithError(cmp.Or(w.err, errStored))
	}()
	w.buf.WriteString(seenMagic) // an error comes again with finish
	return w
}

func (w *seenWriter) add(t *imageTask) {
	if w == nil || t.look == nil {
		return
	}
	w.out = append(w.out[:0], 1)
	w.out = binary.LittleEndian.AppendUint32(w.out, t.row)
	w.out = binary.LittleEndian.AppendUint32(w.out, uint32(t.line))
	w.out = binary.LittleEndian.AppendUint64(w.out, t.labels)
	w.out = t.look.AppendTo(w.out)
	w.buf.Write(w.out)
}

// finish writes the end and waits until the blob is stored.
func (w *seenWriter) finish(lines int64) error {
	if w == nil {
		return nil
	}
	w.buf.Write(binary.LittleEndian.AppendUint64([]byte{0}, uint64(lines)))
	err := w.buf.Flush()
	w.pipe.CloseWithError(err)
	<-w.done
	if err := cmp.Or(w.err, err); err != nil {
		return fmt.Errorf("write what was seen: %w", err)
	}
	return nil
}

// errStored says that Blobs took a blob without reading all of it.
var errStored = errors.New("the blob was stored before its end")

// stop gives up what is not finished.
func (w *seenWriter) stop() {
	if w != nil {
		w.pipe.CloseWithError(context.Canceled)
		<-w.done
	}
}

// readSeen calls yield with the seen images of a blob, all with the index of the
// part, until it returns false. It returns the lines of the part.
func readSeen(ctx context.Context, blobs fovea.Blobs, name string, part int, yield func(*seen) bool) (lines int64, err error) {
	blob, err := blobs.Open(ctx, name)
	if err != nil {
		return 0, err
	}
	defer blob.Close()
	damaged := fmt.Errorf("%s: %w", name, errDamaged)
	r := bufio.NewReaderSize(io.NewSectionReader(blob, 0, blob.Size()), 256<<10)
	magic := make([]byte, len(seenMagic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != seenMagic {
		return 0, errors.Join(damaged, err)
	}
	buf := make([]byte, seenSize)
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return 0, errors.Join(damaged, err)
		}
		if kind == 0 {
			break
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			return 0, errors.Join(damaged, err)
		}
		v := &seen{sight: sight{part, binary.LittleEndian.Uint32(buf), binary.LittleEndian.Uint32(buf[4:]), binary.LittleEndian.Uint64(buf[8:])}}
		if err := quality.ParseLook(buf[16:], &v.Look); err != nil {
			return 0, errors.Join(damaged, err)
		}
		if !yield(v) {
			return 0, nil
		}
	}
	if _, err := io.ReadFull(r, buf[:8]); err != nil {
		return 0, errors.Join(damaged, err)
	}
	return int64(binary.LittleEndian.Uint64(buf)), nil
}

// seen yields the decoded images of the entries that count.
func (s *scan) seen(ctx context.Context, out *outcome, d *deduplicator) iter.Seq2[*seen, error] {
	return func(yield func(*seen, error) bool) {
		for i, p := range out.parts {
			on := true
			_, err := readSeen(ctx, s.blobs, s.seenName(p.Start, p.End), i, func(v *seen) bool {
				if gone := d.gone[i]; gone == nil || !gone.Contains(v.row) {
					on = yield(v, nil)
				}
				return on
			})
			if err != nil && on {
				yield(nil, err)
				return
			}
			if !on {
				return
			}
		}
	}
}

// An Earlier is what was seen of a dataset, for another one to be compared with.
type Earlier struct {
	Split    fovea.Split
	Manifest string // its name, for messages
	id       string
	blobs    fovea.Blobs
}

// seen yields the images; their lines are those of the whole manifest.
func (e *Earlier) seen(ctx context.Context) iter.Seq2[*seen, error] {
	return func(yield func(*seen, error) bool) {
		var names []string
		for info, err := range e.blobs.List(ctx, seenPrefix(e.id)) {
			if err != nil {
				yield(nil, err)
				return
			}
			if strings.HasSuffix(info.Name, ".seen") {
				names = append(names, info.Name)
			}
		}
		slices.Sort(names)
		first := int64(0)
		for i, name := range names {
			on := true
			lines, err := readSeen(ctx, e.blobs, name, i, func(v *seen) bool {
				v.line += uint32(first)
				on = yield(v, nil)
				return on
			})
			if err != nil && on {
				if errors.Is(err, errDamaged) || fovea.KindOf(err) == fovea.NotFound {
					err = errors.Join(errOther, err)
				}
				yield(nil, err)
				return
			}
			if !on {
				return
			}
			first += lines
		}
	}
}

// errOther is that what was seen of another dataset is gone or damaged.
var errOther = errors.New("what was seen of the other dataset cannot be used")

// hashLabels returns a hash of what an entry is labelled with, 0 for nothing.
func hashLabels(e *manifest.Entry) uint64 {
	names := []string{e.Class.String()}
	for i := range e.Labels {
		if e.Labels[i].Used {
			names = append(names, e.Labels[i].Name)
		}
	}
	if len(names) == 1 && names[0] == "" {
		return 0
	}
	slices.Sort(names[1:])
	return xxhash.Sum64String(strings.Join(names, "\x00"))
}
