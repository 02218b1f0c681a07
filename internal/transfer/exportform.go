package transfer

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"fovea/internal/exchange"
)

// write writes the datasets in another form. Images are fetched to the work
// folder, some ahead of the writer, and removed when they are written.
func (x *exporter) write(ctx context.Context) error {
	log, err := x.openLog()
	if err != nil {
		return err
	}
	defer log.close()
	var failed error
	var at taken
	err = exchange.Write(x.Dir, x.Form, x.collection(ctx, log, &at, &failed), exchange.WriteOptions{
		Skipped: func(err error) error { return x.problem(fault{err}) },
		Written: func(name, path string) {
			x.written(at)
			log.add(name, path)
		},
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case failed != nil:
		return failed
	case err != nil:
		return fmt.Errorf("write %s: %w", x.Dir, err)
	}
	if len(log.before) > 0 {
		x.tidy()
	}
	return log.err
}

// partEnding ends the names of files that package exchange has not completed.
const partEnding = ".fovea-part"

// tidy removes what an export that was killed has left. It does no harm, since
// nobody reads it, and so it may stay where it cannot be removed.
func (x *exporter) tidy() {
	fs.WalkDir(x.root.FS(), ".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && strings.HasPrefix(entry.Name(), ".") && strings.HasSuffix(file, partEnding) {
			x.root.Remove(file)
		}
		return nil
	})
}

// collection yields the images of the sources. What ends the export is in
// failed, not in the sequence, whose errors are about single images; at is the
// entry whose image is out.
func (x *exporter) collection(ctx context.Context, log *writtenLog, at *taken, failed *error) iter.Seq2[*exchange.Image, error] {
	return func(yield func(*exchange.Image, error) bool) {
		var walk error
		work := func(ctx context.Context, t taken) taken { return x.stage(ctx, t, log) }
		for t := range inOrder(ctx, x.entries(&walk), x.jobs(), work) {
			if *failed = x.count(t); *failed != nil {
				return
			}
			if t.err != nil {
				continue
			}
			*at = t
			more := yield(x.image(t), nil)
			x.unstage(t)
			if !more {
				return
			}
		}
		*failed = walk
	}
}

// stage fetches the files of an entry, or finds where an interrupted export has
// written them.
func (x *exporter) stage(ctx context.Context, t taken, log *writtenLog) taken {
	if t.err != nil {
		return t
	}
	split := string(t.source.split) // an image may be in both
	if t.image = log.path(x.nameOf(t)); t.image == "" {
		t.image = path.Join(workFolder, "images", split, x.images.name(t.entry.image))
	}
	if t.entry.mask.Bucket != "" {
		t.mask = path.Join(workFolder, "masks", split, x.masks.name(t.entry.mask))
	}
	return x.get(ctx, t)
}

// unstage removes the files of an entry that were fetched to the work folder.
func (x *exporter) unstage(t taken) {
	for _, file := range []string{t.image, t.mask} {
		if strings.HasPrefix(file, workFolder+"/") {
			x.root.Remove(file) // or RemoveAll does it in the end
		}
	}
}

// image returns an entry as an image whose files are in the folder.
func (x *exporter) image(t taken) *exchange.Image {
	e := t.entry
	img := &exchange.Image{
		Name: x.nameOf(t), Split: x.splitOf(t.source), Kind: e.kind, Labels: e.labels, Boxes: e.boxes,
		Width: e.width, Height: e.height, Depth: e.depth, Open: x.opener(t.image),
	}
	if st, err := x.root.Stat(t.image); err == nil {
		img.Size = st.Size()
	}
	if img.Width <= 0 || img.Height <= 0 {
		if info, err := probe(file{name: img.Name, size: img.Size, open: img.Open}); err == nil {
			img.Width, img.Height, img.Depth = info.Width, info.Height, info.Channels
		}
	}
	if t.mask != "" && t.maskErr == nil && e.kind == exchange.Anomalous {
		img.Mask = &exchange.Mask{Name: x.masks.name(e.mask), Labels: e.colors, Open: x.opener(t.mask)}
		if st, err := x.root.Stat(t.mask); err == nil {
			img.Mask.Size = st.Size()
		}
	}
	return img
}

// nameOf returns the name of an image in the collection. In folders it begins
// with the split, as it will when it is read again, so that no export adds to
// what the one before has written.
func (x *exporter) nameOf(t taken) string {
	name, split := x.images.name(t.entry.image), x.splitOf(t.source)
	if first := string(split) + "/"; x.Form == exchange.Folder && split != exchange.NoSplit && !strings.HasPrefix(name, first) {
		return first + name
	}
	return name
}

// splitOf returns the split that images of a dataset get: none if there is only
// the train dataset, which they are imported to anyway.
func (x *exporter) splitOf(s *source) exchange.Split {
	if len(x.sources) == 1 && s.split == exchange.Train {
		return exchange.NoSplit
	}
	return s.split
}

func (x *exporter) opener(file string) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return x.root.Open(file) }
}
