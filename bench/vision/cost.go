package main

import (
	"os"
	"runtime/debug"
	"strconv"
	"time"
)

// A cost is what a training took.
type cost struct {
	time   time.Duration
	memory int // most that the process had of it, in MB; 0 where the system does not tell
}

// costOf runs a training, and returns what it took.
func costOf(train func() error) (cost, error) {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // forget the peak; without it, memory is that of all before
	start := time.Now()
	err := train()
	c := cost{time: time.Since(start)}
	if kb, e := strconv.Atoi(grep("/proc/self/status", `VmHWM:\s*(\d+) kB`)); e == nil {
		c.memory = kb >> 10
	}
	return c, err
}

// costs are the rows of a table for what trainings take.
type costs struct{ time, memory *row }

// costs adds these rows, with the bar for the seconds, if any.
func (t *table) costs(seconds float64) costs {
	return costs{t.cost("training, s", "%.1f").over(seconds), t.cost("peak memory of training, MB", "%.0f")}
}

func (c costs) add(of cost) {
	c.time.add(of.time.Seconds())
	c.memory.add(float64(of.memory))
}

// beside adds what a training of a baseline took.
func (c costs) beside(baseline string, of cost) {
	c.time.beside(baseline, of.time.Seconds())
	c.memory.beside(baseline, float64(of.memory))
}
