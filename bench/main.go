// Bench measures fovea beside named peers, in one run, on the same generated
// files, and writes what it finds to docs/benchmarks.md. Each figure is the
// best of several runs, which take turns with the peer's.
//
// A whole run takes about 25 minutes and 10 GB of disk:
//
//	make bench
//	make bench BENCH='-only import,check -lines 100000'
//	make bench BENCH='-only models -update'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"fovea/bench/docpage"
	"fovea/integration/process"
)

// A bench holds what all measurements need.
type bench struct {
	dir    string // for manifests and data folders, of this run only
	binary string
	peers  string // folder of the peers' programs
	lines  int64
	runs   int
	calls  int // of a detection
	update bool
}

// pageFile is what is written.
const pageFile = "docs/benchmarks.md"

// sections are what can be measured, in the order of the page.
var sections = []struct {
	name    string
	measure func(*bench, context.Context) (section, error)
}{
	{"import", (*bench).imports},
	{"check", (*bench).checks},
	{"folder", (*bench).folders},
	{"list", (*bench).lists},
	{"copy", (*bench).copies},
	{"update", (*bench).updates},
	{"edit", (*bench).edits},
	{"rate", (*bench).rates},
	{"nodes", (*bench).nodes},
	{"growth", (*bench).growth},
	{"quality", (*bench).quality},
	{"models", (*bench).models},
}

func main() {
	log.SetFlags(log.Ltime)
	var b bench
	flag.StringVar(&b.dir, "dir", "bench/out", "folder for generated files, which are removed afterwards")
	flag.StringVar(&b.peers, "peers", "bench/peers", "folder of the peers")
	flag.Int64Var(&b.lines, "lines", 1_000_000, "lines of the manifest that is imported and checked")
	flag.IntVar(&b.runs, "runs", 3, "how often everything is measured; the best counts")
	flag.IntVar(&b.calls, "calls", 100, "how often each kind of detection is called, with one client and with two")
	only := flag.String("only", "", "sections to measure, separated by commas; default all")
	bare := flag.String("bare", "", "serve as the peer of the rates, over the database of that URL")
	write := flag.Bool("write", true, "write "+pageFile+" if all sections are measured")
	flag.BoolVar(&b.update, "update", false, "with -only, put the measured sections into "+pageFile+" in place of the old ones")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *bare != "" {
		err = serveBare(ctx, *bare)
	} else {
		err = b.run(ctx, *only, *write)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context, only string, write bool) error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, "run-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if b.dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if b.binary, err = process.Build(ctx, b.dir); err != nil {
		return err
	}
	facts, before := machine(ctx, b), docpage.Load()
	var measured []section
	skipped := false
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		log.Printf("measuring %s", s.name)
		result, err := s.measure(b, ctx)
		if errors.Is(err, errNoPhotographs) {
			log.Printf("skipping %s: %v", s.name, err)
			skipped = true
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		measured = append(measured, result)
	}
	page := document(b, facts, measured)
	fmt.Print(page)
	switch {
	case !write || skipped || only != "" && !b.update:
		log.Printf("%s stays as it is", pageFile)
		return nil
	case only != "":
		old, err := os.ReadFile(pageFile)
		if err != nil {
			return err
		}
		page = update(string(old), before, measured)
	}
	return os.WriteFile(pageFile, []byte(page), 0o644)
}
