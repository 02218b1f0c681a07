package integration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxConfigs bounds the search for an order. A search that reaches it has proved
// nothing, neither that there is an order nor that there is none; it takes a
// machine so busy that kills cut off most calls.
const maxConfigs = 20_000

// An operation is a call with its reply, and the times between which it took
// effect. A client makes one at a time.
type operation struct {
	client    int // 0 to 63
	in        linearCall
	out       reply
	call, ret int64
}

// String returns the operation in short.
func (o operation) String() string {
	return fmt.Sprintf("%8.3f-%8.3f client %d: %+v -> %+v", float64(o.call)/1e9, float64(o.ret)/1e9, o.client, o.in, o.out)
}

// A config is one way in which the calls so far may have taken effect: the
// world that came of it, and which of the open calls have had their effect, a
// bit for each client.
type config struct {
	world
	done uint64
	lost uint8 // calls of lost answers that had an effect since the server last answered
}

// A search looks for an order of a history that a model explains. It goes
// through the history in time, with all configs that explain it so far, and
// lets calls take effect no earlier than something needs it (Lowe's just-in-time
// linearization). A call that cannot change anything, since it reads or was
// refused, takes effect as soon as its answer is right: that does no harm, and it
// is what makes a history of thousands of calls of 64 clients searchable.
type search struct {
	*model
	limit   uint8 // of config.lost
	lost    int64 // when the latest answer was lost
	open    [64]*operation
	configs map[config]bool
	most    int // configs there were at a time
}

// explain returns the first operation whose answer no order explains, with
// those that were open beside it; nil if there is none. It looks first for
// orders in which few of the calls that each kill has cut off had an effect: an
// order is an order, and they are found sooner. If most is over maxConfigs, the
// search gave up, as one for orders in which more of them had would.
func (m *model) explain(history []operation) (culprits []operation, most int) {
	for _, limit := range []uint8{1, 2, 4, 64} {
		if culprits, most = m.explainWith(limit, history); culprits == nil || most > maxConfigs {
			break
		}
	}
	return culprits, most
}

func (m *model) explainWith(limit uint8, history []operation) (culprits []operation, most int) {
	type event struct {
		at  int64
		ret bool
		op  *operation
	}
	var events []event
	for i := range history {
		o := &history[i]
		events = append(events, event{o.call, false, o}, event{o.ret, true, o})
	}
	slices.SortStableFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(fmt.Sprint(a.ret), fmt.Sprint(b.ret)))
	})
	s := &search{model: m, limit: limit, configs: map[config]bool{{}: true}}
	for _, e := range events {
		if e.ret {
			s.end(e.op)
		} else {
			s.begin(e.op)
		}
		if s.most = max(s.most, len(s.configs)); len(s.configs) > 0 && len(s.configs) <= maxConfigs {
			continue
		}
		culprits = append(culprits, *e.op)
		for _, o := range s.open {
			if o != nil && o != e.op {
				culprits = append(culprits, *o)
			}
		}
		return culprits, s.most
	}
	return nil, s.most
}

func (s *search) begin(o *operation) {
	s.open[o.client] = o
	next := make(map[config]bool, len(s.configs))
	for c := range s.configs {
		next[s.passive(c)] = true
	}
	s.configs = next
}

// end keeps the configs in which the operation has had its effect, or gets it
// now. A lost one may also never have it.
func (s *search) end(o *operation) {
	if o.out.lost {
		s.lost = o.ret
	} else if o.call > s.lost {
		s.forget()
	}
	next := map[config]bool{}
	visited := map[config]bool{}
	bit := uint64(1) << o.client
	var stack []config
	push := func(c config) {
		if c = s.passive(c); visited[c] {
			return
		}
		if len(visited) > maxConfigs {
			s.most = maxConfigs + 1
			return
		}
		visited[c] = true
		stack = append(stack, c)
	}
	for c := range s.configs {
		push(c)
		for len(stack) > 0 {
			c := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if c.done&bit != 0 {
				c.done &^= bit
				next[c] = true
				continue
			}
			s.moves(c, push)
		}
		if o.out.lost {
			next[c] = true // its bit is not set, or it was handled above
		}
	}
	s.open[o.client] = nil
	s.configs = map[config]bool{}
	for c := range next {
		c.done &^= bit
		s.configs[c] = true
	}
}

// forget starts the count of lost calls with an effect anew.
func (s *search) forget() {
	next := make(map[config]bool, len(s.configs))
	for c := range s.configs {
		c.lost = 0
		next[c] = true
	}
	s.configs = next
}

// passive lets the open calls take effect that are right and change nothing.
func (s *search) passive(c config) config {
	for i, o := range s.open {
		if o == nil || o.out.lost || c.done&(1<<i) != 0 || o.out.code == "" && !o.in.reads() {
			continue
		}
		if after, want := s.apply(c.world, o.in, o.out.arn); want == o.out && after == c.world {
			c.done |= 1 << i
		}
	}
	return c
}

// moves yields what may happen next to a world: a job ends, a call takes
// effect, or an ARN of which nobody was told turns out to be one that was seen.
func (s *search) moves(c config, yield func(config)) {
	for i := range c.sets {
		if c.sets[i].inProgress() && !(c.joined && i == 1) {
			yield(config{settle(c.world, i), c.done, c.lost})
		}
	}
	for i, o := range s.open {
		if o == nil || c.done&(1<<i) != 0 {
			continue
		}
		after, want := s.apply(c.world, o.in, o.out.arn)
		switch {
		case !o.out.lost && want == o.out:
			yield(config{after, c.done | 1<<i, c.lost})
		case o.out.lost && want.code == "" && after != c.world && c.lost < s.limit:
			yield(config{after, c.done | 1<<i, c.lost + 1})
		}
		for _, arn := range []string{o.in.arn, o.in.other, o.out.project, o.out.sets[0].arn, o.out.sets[1].arn} {
			if arn == "" || s.told[arn] || s.lookout {
				continue
			}
			bound := c
			if have := bound.arnLike(arn); *have == unknown {
				*have = arn
				yield(bound)
			}
		}
	}
}
