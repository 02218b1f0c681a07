package transfer

import (
	"context"
	"iter"
	"sync"
)

// waiting is how many results may wait for an earlier one, per job.
const waiting = 4

// inOrder calls work with the items, jobs of them at a time, and yields what it
// returns in the order of the items. Items are taken one after the other, by one
// goroutine. Nothing of it runs any more when the loop over it has ended.
func inOrder[T, R any](ctx context.Context, items iter.Seq[T], jobs int, work func(context.Context, T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		ctx, stop := context.WithCancel(ctx)
		queue := make(chan chan R, waiting*jobs)
		var running sync.WaitGroup
		defer running.Wait()
		defer stop()
		running.Go(func() {
			defer close(queue)
			free := make(chan struct{}, jobs)
			for item := range items {
				select {
				case free <- struct{}{}:
				case <-ctx.Done():
					return
				}
				slot := make(chan R, 1)
				running.Go(func() {
					slot <- work(ctx, item)
					<-free
				})
				select {
				case queue <- slot:
				case <-ctx.Done():
					return
				}
			}
		})
		for slot := range queue {
			if !yield(<-slot) {
				return
			}
		}
	}
}
