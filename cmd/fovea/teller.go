package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"fovea/internal/transfer"
)

// A teller says on standard error what a long command is doing and what it
// leaves out: with a bar on a terminal, in lines elsewhere. Its methods may be
// called by several goroutines.
type teller struct {
	mu       sync.Mutex
	out      *os.File
	terminal bool
	pool     *mpb.Progress
	bar      *mpb.Bar
	now      transfer.Progress
	last     time.Time // of the last line about progress
	problems int
	moved    atomic.Int64 // bytes, which the bar reads while it draws
}

// tellEvery is how often a line tells of progress where there is no terminal.
const tellEvery = 10 * time.Second

func newTeller(out *os.File) *teller {
	st, err := out.Stat()
	return &teller{out: out, terminal: err == nil && st.Mode()&os.ModeCharDevice != 0, last: time.Now()}
}

// progress tells how far the work is.
func (t *teller) progress(p transfer.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.Stage != t.now.Stage {
		t.endBar()
	}
	t.now = p
	if t.terminal && p.Total > 0 {
		t.draw(p)
		return
	}
	if time.Since(t.last) < tellEvery {
		return
	}
	t.last = time.Now()
	t.line(p)
}

// draw shows the bar.
func (t *teller) draw(p transfer.Progress) {
	if t.bar == nil {
		t.pool = mpb.New(mpb.WithOutput(t.out), mpb.WithWidth(40))
		t.bar = t.pool.AddBar(p.Total, mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(string(p.Stage)+" "), decor.CountersNoUnit("%d / %d images "),
				decor.Any(func(decor.Statistics) string { return size(t.moved.Load()) })),
			mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
	}
	t.moved.Store(p.Bytes)
	t.bar.SetCurrent(p.Done)
}

// line tells of the progress in a line.
func (t *teller) line(p transfer.Progress) {
	switch {
	case p.Detail != "":
		fmt.Fprintf(t.out, "%s: %s\n", p.Stage, p.Detail)
	case p.Total > 0:
		fmt.Fprintf(t.out, "%s: %d of %d images, %s\n", p.Stage, p.Done, p.Total, size(p.Bytes))
	}
}

// problem tells of something that is left out, or doubtful.
func (t *teller) problem(err error, leftOut bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.problems++; t.problems > maxShown {
		return
	}
	t.endBar()
	what := "warning"
	if leftOut {
		what = "left out"
	}
	fmt.Fprintf(t.out, "%s: %v\n", what, err)
}

// done ends what is shown.
func (t *teller) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.endBar()
	if t.problems > maxShown {
		fmt.Fprintf(t.out, "... and %d more like these\n", t.problems-maxShown)
	}
}

func (t *teller) endBar() {
	if t.bar != nil {
		t.bar.Abort(true)
		t.pool.Wait()
		t.bar, t.pool = nil, nil
	}
}
