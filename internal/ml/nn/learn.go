package nn

import "context"

// A Course says how long a training is.
type Course struct {
	Steps, Warmup int
	Progress      func(done float64) // is told how much is done, from 0 to 1; nil is allowed
}

// Learn calls step as often as the course has steps, each time with the part of
// the learning rate that applies (Cosine). It returns the mean of the losses of
// the last tenth of the steps, which step returns. It ends early, with the
// context's error, when that ends.
func Learn(ctx context.Context, c Course, step func(part float64) float64) (loss float64, err error) {
	last := c.Steps - c.Steps/10 - 1
	for i := range c.Steps {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if l := step(Cosine(i, c.Warmup, c.Steps)); i >= last {
			loss += l / float64(c.Steps-last)
		}
		if c.Progress != nil {
			c.Progress(float64(i+1) / float64(c.Steps))
		}
	}
	return loss, nil
}
