package room

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestReserve: who asks for more than there is gets all of it, others wait for
// what is given back, and not for ever.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Room
		all := r.Reserve(t.Context(), 10, 11)
		if all == nil {
			t.Fatal("an empty room has no room")
		}
		began := time.Now()
		if r.Reserve(t.Context(), 10, 1) != nil || time.Since(began) != Wait {
			t.Errorf("a full room has room, or not after %v", time.Since(began))
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if r.Reserve(ended, 10, 1) != nil {
			t.Error("there is room for who has gone")
		}
		time.AfterFunc(time.Second, all)
		first, second := r.Reserve(t.Context(), 10, 4), r.Reserve(t.Context(), 10, 6)
		if first == nil || second == nil {
			t.Error("there is no room for what was given back")
		}
	})
}
