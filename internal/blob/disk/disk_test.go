package disk_test

import (
	"testing"

	"fovea"
	"fovea/internal/blob/disk"
	"fovea/internal/blobtest"
)

func open(t *testing.T) *disk.Blobs {
	t.Helper()
	b, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestBlobs(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) fovea.Blobs { return open(t) })
}
