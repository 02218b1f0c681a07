// Vision measures what fovea's models reach on real photographs: the bars of
// docs/vision.md, over several seeds, each beside trivial baselines on the same
// images, with the time and the memory that training takes. Nothing is chosen on
// the images that test. It writes the tables into docs/vision.md, and its exit
// status is 1 if a bar is not held.
//
// A whole run takes about a quarter of an hour on two cores:
//
//	make bench-vision
//	make bench-vision BENCH='-only classification -seeds 1'
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

	"fovea/bench/docpage"
)

// page is where the tables are written.
const page = "docs/vision.md"

// usualSeeds is how many seeds are measured for the page.
const usualSeeds = 3

// A bench holds what all measurements need.
type bench struct {
	data    string // folder of the photographs
	seeds   int
	workers int
}

// sections are what can be measured, in the order of the page.
var sections = []struct {
	name    string
	measure func(*bench, context.Context) (*table, error)
}{
	{"classification", (*bench).classification},
	{"normal-only", (*bench).normalOnly},
	{"areas", (*bench).areas},
	{"detection", (*bench).detection},
	{"kinds", (*bench).kinds},
	{"contents", (*bench).contents},
}

func main() {
	log.SetFlags(log.Ltime)
	var b bench
	flag.StringVar(&b.data, "data", "../shared/data", "folder of the photographs")
	flag.IntVar(&b.seeds, "seeds", usualSeeds, "how often everything is measured, each time with another draw of images")
	flag.IntVar(&b.workers, "workers", runtime.NumCPU(), "processor cores to train on")
	only := flag.String("only", "", "sections to measure, separated by commas; default all")
	write := flag.Bool("write", true, "write "+page+" if all sections are measured with 3 seeds or more")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := b.run(ctx, *only, *write); err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context, only string, write bool) error {
	facts := b.facts()
	var tables []*table
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		log.Printf("measuring %s", s.name)
		t, err := s.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Println(t)
		tables = append(tables, t)
	}
	if write && only == "" && b.seeds >= usualSeeds {
		if err := docpage.Write(page, "make bench-vision", document(facts, tables)); err != nil {
			return err
		}
	}
	if missed := missed(tables); len(missed) > 0 {
		return fmt.Errorf("these bars are not held: %s", strings.Join(missed, "; "))
	}
	return nil
}
