package model

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
)

// Each calls fn with the numbers from 0 to n-1, Cores calls at a time and in
// order as far as that goes. It makes no more calls once one has failed or ctx
// has ended, and returns the error of the lowest number: the same at every run,
// whichever was faster. A panic of fn is its error and not the end of the
// program.
func (r *Run) Each(ctx context.Context, n int, fn func(k int) error) error {
	var (
		calls sync.WaitGroup
		mu    sync.Mutex // guards the two below
		at    int
		first error
	)
	slots := make(chan struct{}, max(1, r.Cores))
	for k := range n {
		slots <- struct{}{}
		mu.Lock()
		failed := first != nil
		mu.Unlock()
		if failed || ctx.Err() != nil {
			break
		}
		calls.Go(func() {
			defer func() { <-slots }()
			if err := contained(fn, k); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil || k < at {
					at, first = k, err
				}
			}
		})
	}
	calls.Wait()
	if first != nil {
		return first
	}
	return ctx.Err() // which may have ended between two calls
}

// contained calls fn and returns its error, or that it panicked and where.
func contained(fn func(k int) error, k int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return fn(k)
}
