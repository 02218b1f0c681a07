package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"fovea/internal/model"
)

// TestEach: every number has its call; the error is that of the lowest number
// whichever comes first; a panic is an error; and a context ends it.
func TestEach(t *testing.T) {
	ctx := context.Background()
	for _, cores := range []int{0, 1, 3, 16} {
		run := &model.Run{Cores: cores}
		var sum, at, most atomic.Int64
		err := run.Each(ctx, 100, func(k int) error {
			now := at.Add(1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			sum.Add(int64(k))
			at.Add(-1)
			return nil
		})
		if err != nil || sum.Load() != 4950 || most.Load() > int64(max(1, cores)) {
			t.Errorf("%d cores: the sum is %d, with %d calls at a time: %v", cores, sum.Load(), most.Load(), err)
		}
		late := make(chan struct{})
		err = run.Each(ctx, 100, func(k int) error {
			switch {
			case k == 5 && cores > 1:
				<-late // it fails last
				return errors.New("five")
			case k == 6:
				close(late)
				return errors.New("six")
			case k == 5:
				return errors.New("five")
			}
			return nil
		})
		if err == nil || err.Error() != "five" {
			t.Errorf("%d cores: %v", cores, err)
		}
		err = run.Each(ctx, 3, func(k int) error {
			var list []int
			return fmt.Errorf("%d", list[k])
		})
		if err == nil || !strings.Contains(err.Error(), "index out of range [0]") || !strings.Contains(err.Error(), "each_test.go") {
			t.Errorf("%d cores: a panic: %v", cores, err)
		}
	}
	ended, end := context.WithCancel(ctx)
	calls := 0
	err := (&model.Run{Cores: 1}).Each(ended, 100, func(int) error { calls++; end(); return nil })
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}
