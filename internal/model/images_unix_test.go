//go:build unix

package model_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fovea"
	"fovea/internal/model"
)

// TestImagesOnSlowDisk: an image that the disk does not take keeps nobody from
// another, nor from that one, and what is not whole is not read.
func TestImagesOnSlowDisk(t *testing.T) {
	w := newWorld(t, fovea.CustomLabels)
	w.load(t, fovea.Train, line("a", "normal"))
	texts := map[fovea.ObjectRef]string{}
	for _, key := range []string{"one", "two"} {
		ref := fovea.ObjectRef{Bucket: "b", Key: key}
		texts[ref] = strings.Repeat(key, 100_000) // more than a pipe holds
		w.objects.put(ref, texts[ref])
	}
	w.trainer.train = func(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
		slow := filepath.Join(run.Dir, "image-000000")
		if err := syscall.Mkfifo(slow, 0o600); err != nil { // whoever writes it waits for a reader
			t.Skip(err)
		}
		images := run.Images()
		read := make(chan fovea.ObjectRef)
		get := func(ref fovea.ObjectRef) {
			if data, err := images.Bytes(ctx, ref); err != nil || string(data) != texts[ref] {
				t.Errorf("%s: %d bytes, %v", ref, len(data), err)
			}
			read <- ref
		}
		wait := func(what string) (ref fovea.ObjectRef) {
			t.Helper()
			select {
			case ref = <-read:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s waits for the disk", what)
			}
			return ref
		}
		for ref := range texts {
			go get(ref)
		}
		first := wait("the other image")
		for ref := range texts {
			go get(ref)
			wait("a second reader of " + ref.Key)
		}
		pipe, err := os.Open(slow)
		if err != nil {
			t.Fatal(err)
		}
		go pipe.WriteTo(new(strings.Builder))
		if second := wait("the slow image"); second == first {
			t.Errorf("%s was read twice", second)
		}
		pipe.Close()
		return learns(ctx, run)
	}
	if m := w.run(t, w.create(t, "v1")); m.Status != fovea.Trained {
		t.Errorf("%+v", m)
	}
}
