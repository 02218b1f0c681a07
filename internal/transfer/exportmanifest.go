package transfer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"path"
	"path/filepath"
	"strings"

	"fovea/internal/exchange"
)

// manifests fetches the images to the folders images and masks, and writes a
// manifest for each split, with the lines as they are or rewritten. A line whose
// image is missing stays in it: it is what the dataset has.
func (x *exporter) manifests(ctx context.Context) error {
	open := map[exchange.Split]*exportedLines{}
	defer func() {
		for _, l := range open {
			l.f.Close()
		}
	}()
	for _, s := range x.sources {
		l, err := x.newLines(s)
		if err != nil {
			return err
		}
		open[s.split] = l
	}
	var failed error
	work := func(ctx context.Context, t taken) taken {
		if t.err == nil {
			t.image = path.Join("images", x.images.name(t.entry.image))
			if t.entry.mask.Bucket != "" {
				t.mask = path.Join("masks", x.masks.name(t.entry.mask))
			}
		}
		return x.get(ctx, t)
	}
	for t := range inOrder(ctx, x.entries(&failed), x.jobs(), work) {
		if err := x.count(t); err != nil {
			return err
		}
		if err := open[t.source.split].add(x, t); err != nil {
			return err
		}
		if t.err == nil {
			x.written(t)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed != nil {
		return failed
	}
	for i, s := range x.sources {
		if err := open[s.split].finish(); err != nil {
			return err
		}
		delete(open, s.split)
		name := string(s.split) + ".manifest"
		if err := x.root.Rename(s.file+".out", name); err != nil {
			return err
		}
		x.out.Datasets[i].Manifest = filepath.Join(x.Dir, name)
	}
	return nil
}

// exportedLines is a manifest that is being written.
type exportedLines struct {
	f   io.WriteCloser
	w   *bufio.Writer
	buf []byte
}

func (x *exporter) newLines(s *source) (*exportedLines, error) {
	f, err := x.root.Create(s.file + ".out")
	if err != nil {
		return nil, err
	}
	return &exportedLines{f: f, w: bufio.NewWriterSize(f, 256<<10)}, nil
}

// add writes the line of an entry.
func (l *exportedLines) add(x *exporter, t taken) error {
	line := t.line
	if x.RewriteTo != "" && t.entry != nil {
		to := strings.TrimSuffix(x.RewriteTo, "/") + "/"
		l.buf = t.entry.rewritten(l.buf[:0], line, to+t.image, to+t.mask)
		line = l.buf
	}
	_, err := l.w.Write(line)
	return errors.Join(err, l.w.WriteByte('\n'))
}

func (l *exportedLines) finish() error { return errors.Join(l.w.Flush(), l.f.Close()) }
