package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"fovea/bench/docpage"
)

// A cost is what a training took.
type cost struct {
	time      time.Duration
	processor time.Duration // of all cores together
	memory    int           // most that the process had of it, in MB; 0 where the system does not tell
}

// costOf runs a training, and returns what it took.
func costOf(train func() error) (cost, error) {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // forget the peak; without it, memory is that of all before
	start, before := time.Now(), processorTime()
	err := train()
	c := cost{time: time.Since(start), processor: processorTime() - before}
	if kb, e := strconv.Atoi(docpage.Grep("/proc/self/status", `VmHWM:\s*(\d+) kB`)); e == nil {
		c.memory = kb >> 10
	}
	return c, err
}

// processorTime returns how long the process has worked.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// costs are the rows of a table for what trainings take.
type costs struct{ time, processor, memory *row }

// costs adds these rows, with the bar for the seconds, if any.
func (t *table) costs(seconds float64) costs {
	return costs{t.cost("training, s", "%.1f").over(seconds), t.cost("processor time of it, all cores, s", "%.1f"), t.cost("peak memory of it, MB", "%.0f")}
}

func (c costs) add(of cost) {
	c.time.add(of.time.Seconds())
	c.processor.add(of.processor.Seconds())
	c.memory.add(float64(of.memory))
}

// beside adds what a training of a baseline took.
func (c costs) beside(baseline string, of cost) {
	c.time.beside(baseline, of.time.Seconds())
	c.processor.beside(baseline, of.processor.Seconds())
	c.memory.beside(baseline, float64(of.memory))
}
