package main

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress shows on a terminal how much of some bytes is done. Elsewhere, and
// for what is done at once, it shows nothing.
type progress struct {
	pool *mpb.Progress
	bar  *mpb.Bar
}

// progressWorth is how many bytes are worth a progress bar.
const progressWorth = 32 << 20

func newProgress(f *os.File, verb string, bytes int64) *progress {
	if st, err := f.Stat(); err != nil || st.Mode()&os.ModeCharDevice == 0 || bytes < progressWorth {
		return &progress{}
	}
	pool := mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))
	bar := pool.AddBar(bytes, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(verb+" "), decor.Counters(decor.SizeB1024(0), "% .1f / % .1f")),
		mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
	return &progress{pool, bar}
}

// add says that so many bytes more are done.
func (p *progress) add(n int64) {
	if p.bar != nil {
		p.bar.IncrInt64(n)
	}
}

// done ends the bar.
func (p *progress) done() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.pool.Wait()
	}
}
