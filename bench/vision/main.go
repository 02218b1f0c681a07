// Vision measures what fovea's models reach on real photographs: the bars of
// docs/vision.md, over several seeds, each beside a trivial baseline on the same
// images, with the time that training and a prediction take. Nothing is chosen
// on the images that test.
//
//	go run ./bench/vision
//	go run ./bench/vision -only classification -seeds 1
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// A bench holds what all measurements need.
type bench struct {
	data    string // folder of the photographs
	seeds   int
	workers int
}

// sections are what can be measured, in the order in which it is printed.
var sections = []struct {
	name    string
	measure func(*bench, context.Context) (*table, error)
}{
	{"classification", (*bench).classification},
	{"normal-only", (*bench).normalOnly},
	{"areas", (*bench).areas},
	{"detection", (*bench).detection},
}

func main() {
	log.SetFlags(log.Ltime)
	var b bench
	flag.StringVar(&b.data, "data", "../shared/data", "folder of the photographs")
	flag.IntVar(&b.seeds, "seeds", 3, "how often everything is measured, each time with another draw of images")
	flag.IntVar(&b.workers, "workers", runtime.NumCPU(), "processor cores to train on")
	only := flag.String("only", "", "sections to measure, separated by commas; default all")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx, *only); err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context, only string) error {
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		t, err := s.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		t.print()
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	fmt.Printf("Peak memory of all: %d MB.\n", usage.Maxrss>>10)
	return nil
}

// A table collects what is measured: a row for each measure, a column for each
// seed.
type table struct {
	title string
	rows  []*row
}

// A row is one measure.
type row struct {
	name, bar string
	format    string // of a value
	values    []float64
}

// row adds a measure, with the bar it has, if any.
func (t *table) row(name, format, bar string) *row {
	r := &row{name: name, format: format, bar: bar}
	t.rows = append(t.rows, r)
	return r
}

func (r *row) add(v float64) { r.values = append(r.values, v) }

// print prints the table with the mean of each row.
func (t *table) print() {
	fmt.Printf("## %s\n\n| measure | mean | bar | each seed |\n|---|---|---|---|\n", t.title)
	for _, r := range t.rows {
		sum := 0.0
		var each []string
		for _, v := range r.values {
			sum += v
			each = append(each, fmt.Sprintf(r.format, v))
		}
		fmt.Printf("| %s | %s | %s | %s |\n", r.name, fmt.Sprintf(r.format, sum/float64(len(r.values))), r.bar, strings.Join(each, ", "))
	}
	fmt.Println()
}
