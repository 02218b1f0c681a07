package kernel

import (
	"sync"
	"sync/atomic"
)

// A Task is work in numbered pieces that may be done in any order and side by
// side. What a piece writes depends on its number alone, not on the worker.
type Task interface {
	// Do does a piece. Worker is less than Pool.Workers, and no two pieces
	// are done by a worker at a time, so it may choose scratch memory.
	Do(piece, worker int)
}

// A Pool says how many processor cores work on a task. The zero value is one.
// A Pool is used by one goroutine at a time.
type Pool struct {
	Workers int

	task   Task
	pieces int64
	next   atomic.Int64
	done   sync.WaitGroup
}

// N returns the number of workers, at least 1.
func (p *Pool) N() int { return max(1, p.Workers) }

// Run does all pieces of a task and returns when they are done. With one worker
// it starts no goroutine.
func (p *Pool) Run(pieces int, t Task) {
	others := min(p.N(), pieces) - 1
	if others <= 0 {
		for i := range pieces {
			t.Do(i, 0)
		}
		return
	}
	p.task, p.pieces = t, int64(pieces)
	p.next.Store(0)
	p.done.Add(others)
	for w := range others {
		go p.help(w + 1)
	}
	p.work(0)
	p.done.Wait()
	p.task = nil
}

func (p *Pool) help(worker int) {
	defer p.done.Done()
	p.work(worker)
}

func (p *Pool) work(worker int) {
	for i := p.next.Add(1) - 1; i < p.pieces; i = p.next.Add(1) - 1 {
		p.task.Do(int(i), worker)
	}
}
