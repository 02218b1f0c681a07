package main

import (
	"context"
	"fmt"
	"log"
	"os/exec"
	"syscall"
	"time"

	"fovea/bench/groundtruth"
)

// check runs `fovea check` on a manifest that is right.
func (b *bench) check(ctx context.Context, f file) (figure, error) {
	cmd := exec.CommandContext(ctx, b.binary, "check", "--service", "custom-labels", "--limits", "none", f.path)
	start := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(start)
	if err != nil {
		return figure{}, fmt.Errorf("fovea check: %w\n%s", err, out)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return figure{Seconds: took.Seconds(), Rows: f.lines, Peak: usage.Maxrss << 10}, nil
}

func (b *bench) checks(ctx context.Context) (section, error) {
	f, err := b.manifest("boxes", groundtruth.Manifest{Lines: b.lines})
	if err != nil {
		return section{}, err
	}
	var fovea, python []figure
	for run := range b.runs {
		c, err := b.check(ctx, f)
		if err != nil {
			return section{}, err
		}
		p, err := b.python(ctx, f)
		if err != nil {
			return section{}, err
		}
		fovea, python = append(fovea, c), append(python, p)
		log.Printf("run %d: check %.2f s, Python %.2f s", run+1, c.Seconds, p.Seconds)
	}
	t := table{head: []string{"program", "time", "MB/s", "peak memory", "fovea takes"}}
	ours, theirs := best(fovea), best(python)
	t.add("`fovea check`", seconds(ours.Seconds), rate(f.size, ours.Seconds), megabytes(ours.Peak), ratio(ours.Seconds, ours.Seconds))
	t.add("Python, `json.loads` only", seconds(theirs.Seconds), rate(f.size, theirs.Seconds), megabytes(theirs.Peak), ratio(ours.Seconds, theirs.Seconds))
	return section{
		title: "Checking a manifest",
		text:  fmt.Sprintf("The same file of %s lines, every rule of CreateDataset, without a server. The time includes starting the program.", count(f.lines)),
		table: t,
	}, nil
}
