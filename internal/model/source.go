package model

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"fovea"
	"fovea/internal/manifest"
)

// External reports whether the model is trained on manifests and not on the
// datasets of its project.
func (r *Run) External() bool { return len(r.Model.Asked.TrainManifests) > 0 }

// Has reports whether there is anything of a split: a dataset, or manifests.
func (r *Run) Has(split fovea.Split) bool {
	if split == fovea.Test {
		return len(r.Model.Asked.TestManifests) > 0 || r.Model.Test.Number != 0
	}
	return r.External() || r.Model.Train.Number != 0
}

// Lines calls fn with every line of a split in order, numbered from 1: those of
// the dataset as it was when the model was made, or of the manifests. Line is
// good until fn returns; bad says why a line of a manifest has no text. An error
// of fn ends the call and is returned. A manifest that cannot be read is a
// *Failure with the message of CL-6.4, and one that was replaced since it was
// read first is a *Failure that names it: a training reads one state of its data
// (CL-9.12).
func (r *Run) Lines(ctx context.Context, split fovea.Split, fn func(number int64, line []byte, bad *manifest.LineError) error) error {
	if r.External() {
		return r.manifestLines(ctx, split, fn)
	}
	key := r.Model.Train
	if split == fovea.Test {
		key = r.Model.Test
	}
	if key.Number == 0 {
		return nil
	}
	var rev *fovea.Revision
	err := r.ops.Store.View(ctx, func(tx fovea.Tx) (err error) {
		rev, err = tx.Revision(key.Dataset, key.Number)
		return err
	})
	if err != nil {
		return err
	}
	number := int64(0)
	return r.ops.Reader.Merge(ctx, rev.Segments, func(e *manifest.Entry) error {
		number++
		return fn(number, e.Line, nil)
	})
}

// The messages of manifests that cannot be used (CL-6.4).
const (
	unreadableManifest = "The manifest file extension or contents are invalid."
	largeManifest      = "The manifest file size exceeds the maximum supported size."
	deniedManifest     = "The S3 bucket permissions are incorrect."
)

// manifestLines calls fn with the lines of the manifests of a split, one after
// the other.
func (r *Run) manifestLines(ctx context.Context, split fovea.Split, fn func(int64, []byte, *manifest.LineError) error) error {
	manifests, err := r.pinned(ctx, split)
	if err != nil {
		return manifestFailure(err, unreadableManifest)
	}
	before := int64(0)
	for _, info := range manifests {
		if most := r.Limits.ManifestBytes; most > 0 && info.Size > most {
			return &Failure{Message: largeManifest}
		}
		lines := manifest.NewLines(fovea.ObjectReader(ctx, r.ops.Objects, info), info.Size, 0, info.Size, 4*int(r.Limits.LineChars))
		for line, ok := lines.Next(); ok; line, ok = lines.Next() {
			if err := fn(before+line.Number, line.Text, line.Bad); err != nil {
				return err
			}
		}
		if err := lines.Err(); err != nil {
			return manifestFailure(err, fmt.Sprintf("The manifest %s was replaced or removed after the training had begun to read it. Train again.", info.Ref))
		}
		before += lines.Count()
	}
	return nil
}

// pinned returns the states of the manifests of a split that the training reads.
// The first attempt that reads any looks at all of them, and those after it read
// the same: what is written about a line is about the line that was trained with.
func (r *Run) pinned(ctx context.Context, split fovea.Split) ([]fovea.ObjectInfo, error) {
	asked := &r.Model.Asked
	if asked.Pinned == nil {
		var now []fovea.ObjectInfo
		for _, ref := range slices.Concat(asked.TrainManifests, asked.TestManifests) {
			info, err := r.ops.Objects.Stat(ctx, ref)
			if err != nil {
				return nil, err
			}
			now = append(now, info)
		}
		err := r.tell(ctx, func(m *fovea.Model) {
			if m.Asked.Pinned == nil { // by an attempt beside this one
				m.Asked.Pinned = now
			}
			asked.Pinned = m.Asked.Pinned
		})
		if err != nil {
			asked.Pinned = nil // nobody else knows of it
			return nil, err
		}
	}
	n := len(asked.TrainManifests)
	if split == fovea.Test {
		return asked.Pinned[n:], nil
	}
	return asked.Pinned[:n], nil
}

// manifestFailure words why a manifest cannot be read, if that is not our fault:
// by that message, unless it may not be read.
func manifestFailure(err error, message string) error {
	switch {
	case fovea.KindOf(err) == fovea.Denied || errors.Is(err, fs.ErrPermission):
		return &Failure{Message: deniedManifest}
	case fovea.KindOf(err) != fovea.Internal:
		return &Failure{Message: message}
	}
	return err
}
