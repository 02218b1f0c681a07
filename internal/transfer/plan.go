package transfer

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"fovea"
	"fovea/internal/exchange"
	"fovea/internal/imaging"
)

// survey counts what the collection has, without opening an image.
func (t *ImportTask) survey(ctx context.Context) (*Counts, error) {
	c := &Counts{}
	for img, err := range t.Collection.Images() {
		if ctx.Err() != nil {
			return c, context.Cause(ctx)
		}
		if img == nil || err != nil {
			c.LeftOut++
			continue
		}
		c.add(img, t.Splitting.of(img), labelsOf(img))
	}
	return c, nil
}

// A Plan is what an import would do.
type Plan struct {
	Counts
	Manifests map[exchange.Split]string // files with the manifests
	Places    map[exchange.Split]fovea.ObjectRef
}

// Plan says what Import would do, and touches neither server nor S3. It writes
// the manifests to dir. Images are opened, as far as their heads.
func (t *ImportTask) Plan(ctx context.Context, dir string) (*Plan, error) {
	p := &Plan{Manifests: map[exchange.Split]string{}, Places: map[exchange.Split]fovea.ObjectRef{}}
	p.Labels = map[string]int64{}
	at := t.place()
	d, err := t.draft(dir, at, now())
	if err != nil {
		return nil, err
	}
	items := t.items(ctx, at, nil)
	for r := range inOrder(ctx, items, t.jobs(), t.look) {
		if err := t.take(&p.Counts, d, r); err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, m := range d.manifests {
		if err := m.flush(); err != nil {
			return nil, err
		}
		if m.lines > 0 {
			p.Manifests[m.split] = filepath.Clean(m.f.Name())
			p.Places[m.split] = at.manifest(m.split)
		}
		if err := m.f.Close(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// look reads the head of an image, which is all that a plan needs.
func (t *ImportTask) look(_ context.Context, i item) result {
	if i.err != nil {
		return result{item: i, err: i.err}
	}
	r := result{item: i}
	r.info, r.err = probe(i.file)
	if i.mask != nil {
		_, r.maskErr = probe(*i.mask)
	}
	return r
}

// maxHead is how much of an image is read to find its size.
const maxHead = imaging.MaxHeader + 64<<10

// probe reads the head of an image, or of a mask.
func probe(f file) (imaging.Info, error) {
	r, err := f.open()
	if err != nil {
		return imaging.Info{}, faultf("%s cannot be opened: %w", f.name, err)
	}
	defer r.Close()
	h := &head{r: io.LimitReader(r, maxHead)}
	info, err := imaging.Probe(h, f.size)
	if err != nil {
		return info, faultf("%s cannot be used: %w", f.name, err)
	}
	return info, nil
}

// A head is the beginning of a stream as an io.ReaderAt. It keeps what it has
// read.
type head struct {
	r    io.Reader
	data []byte
}

// ReadAt implements io.ReaderAt.
func (h *head) ReadAt(p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	if missing := end - int64(len(h.data)); missing > 0 {
		more := make([]byte, missing)
		n, err := io.ReadFull(h.r, more)
		h.data = append(h.data, more[:n]...)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return 0, err
		}
	}
	if off >= int64(len(h.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// mismatch says that annotations speak of an image of another size, "" if they
// do not.
func mismatch(img *exchange.Image, info imaging.Info) string {
	if img.Width == 0 || img.Height == 0 || img.Width == info.Width && img.Height == info.Height {
		return ""
	}
	if info.Orientation >= 5 && img.Width == info.Height && img.Height == info.Width { // as it is shown
		return ""
	}
	return fmt.Sprintf("%s is %d x %d pixels, but its annotations speak of %d x %d; its boxes may be wrong",
		img.Name, info.Width, info.Height, img.Width, img.Height)
}
