package dataset

import (
	"context"
	"iter"
	"runtime"

	"golang.org/x/sync/errgroup"

	"fovea/internal/quality"
)

// seenInMemory is how many images others are compared with at a time: about 150
// MB. A dataset of more is gone through again for each so many.
const seenInMemory = 1 << 17

// seenBatch is how many images are compared beside each other.
const seenBatch = 256

// maxRepeats is how many repeated images are told; more are only counted.
const maxRepeats = 50_000

// A repeat is an image that another one is a copy of.
type repeat struct {
	of, by sight
	quality.Match
}

// A comparison finds which images repeat others. If they are among others
// themselves, an image is compared with those before it.
type comparison struct {
	others, images func() iter.Seq2[*seen, error]
	same           bool
	found          func(number int64, r repeat)
	stride         int // seenInMemory
}

// run compares all images with all others, some of these at a time.
func (c *comparison) run(ctx context.Context) error {
	for from := int64(0); ; from += int64(c.stride) {
		where, looks, err := c.load(from)
		if err != nil || len(looks) == 0 {
			return err
		}
		if err := c.compare(ctx, from, where, looks); err != nil {
			return err
		}
		if len(looks) < c.stride {
			return nil
		}
	}
}

// load returns the others from a number on, as many as are held at a time.
func (c *comparison) load(from int64) (where []sight, looks []quality.Look, err error) {
	number := int64(0)
	for v, err := range c.others() {
		if err != nil {
			return nil, nil, err
		}
		if number >= from {
			where, looks = append(where, v.sight), append(looks, v.Look)
		}
		if number++; len(looks) == c.stride {
			break
		}
	}
	return where, looks, nil
}

// compare compares the images with the others from a number on.
func (c *comparison) compare(ctx context.Context, from int64, where []sight, looks []quality.Look) error {
	matcher := quality.NewMatcher(looks)
	var batch []seen
	number := int64(-1)
	flush := func() error {
		err := c.match(ctx, matcher, batch, number+1-int64(len(batch)), from, where)
		batch = batch[:0]
		return err
	}
	for v, err := range c.images() {
		if err != nil {
			return err
		}
		if number++; c.same && number <= from {
			continue // has none before it
		}
		if batch = append(batch, *v); len(batch) == seenBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// match compares images, of which the first has a number, with the others from
// a number on.
func (c *comparison) match(ctx context.Context, matcher *quality.Matcher, images []seen, first, from int64, where []sight) error {
	matches := make([]quality.Match, len(images))
	hits := make([]bool, len(images))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range images {
		n := len(where)
		if c.same {
			n = int(min(int64(n), first+int64(i)-from))
		}
		g.Go(func() error {
			matches[i], hits[i] = matcher.Match(&images[i].Look, n)
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, hit := range hits {
		if hit {
			c.found(first+int64(i), repeat{where[matches[i].Index], images[i].sight, matches[i]})
		}
	}
	return nil
}
