package dataset_test

import (
	"context"
	"io/fs"
	"testing"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/rekognition"
)

// An eventual store shows an object only when it was asked for often enough.
type eventual struct {
	fovea.Objects
	missing int
}

func (e *eventual) Eventual() bool { return true }

// Stat implements fovea.Objects.
func (e *eventual) Stat(ctx context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	if e.missing--; e.missing >= 0 {
		return fovea.ObjectInfo{}, &fovea.Error{Kind: fovea.BadObject, Message: "does not exist", Err: fs.ErrNotExist}
	}
	return e.Objects.Stat(ctx, ref)
}

// TestEventualManifest (T20): a manifest that S3 does not show at once is
// found; one that stays missing is not waited for.
func TestEventualManifest(t *testing.T) {
	for missing, ok := range map[int]bool{2: true, 100: false} { // times: whether it is found
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		ref := fovea.ObjectRef{Bucket: "b", Key: "manifest"}
		w.objects[ref] = boxLine("a.jpg", "bolt")
		w.Objects = &eventual{w.Objects, missing}
		_, err := w.Create(t.Context(), dataset.Spec{Project: w.project, Split: fovea.Train, Manifest: &ref})
		if ok != (err == nil) || err != nil && fovea.KindOf(err) != fovea.BadObject {
			t.Errorf("missing %d times: err = %v", missing, err)
		}
	}
}
