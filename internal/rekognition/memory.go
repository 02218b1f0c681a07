package rekognition

import (
	"cmp"
	"context"

	"fovea"
)

// objectMemory is what the objects of S3 that calls name take together. Such a
// call is small, and what it names may be large: it is read before the line of the
// model can refuse the call.
const objectMemory = 128 << 20

// reserve waits until there is room for n bytes of an object, and returns what
// gives it back. Where there is none in time, the call is Throttled.
func (s *Server) reserve(ctx context.Context, n int64) (release func(), err error) {
	if release = s.objects.Reserve(ctx, cmp.Or(s.ObjectMemory, objectMemory), n); release != nil {
		return release, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, fovea.Errorf(fovea.Throttled, "The server holds as many images from S3 as it has room for. Try again in a moment.")
}
