package mem_test

import (
	"testing"

	"fovea"
	"fovea/internal/blob/mem"
	"fovea/internal/blobtest"
)

func TestBlobs(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) fovea.Blobs { return new(mem.Blobs) })
}
