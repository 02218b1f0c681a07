package quality

import (
	"bytes"
	"context"
	"crypto/sha256"

	"fovea/internal/imaging"
)

// Memory returns how many bytes See needs at most for an image with that header.
func Memory(info imaging.Info) int64 {
	perPixel := int64(6)
	if info.Progressive {
		perPixel = 20
	}
	return perPixel * min(int64(info.Width)*int64(info.Height), imaging.MaxPixels)
}

// See decodes an image file and returns what it sees. The pixels are taken as
// they are stored, whatever the EXIF orientation, because both services train
// on them so (LV-5.53). What is wrong with the file is an *imaging.Error. It ends
// with the context.
func See(ctx context.Context, file []byte) (*Look, error) {
	m, err := imaging.Decode(ctx, bytes.NewReader(file), int64(len(file)), imaging.Decoding{Stored: true})
	if err != nil {
		return nil, err
	}
	l := LookAt(m)
	sum := sha256.Sum256(file)
	copy(l.Sum[:], sum[:])
	return l, nil
}
