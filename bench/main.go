// Bench measures fovea beside named peers, in one run, on the same generated
// files, and writes what it finds to docs/benchmarks.md. Each figure is the
// best of several runs, which take turns with the peer's.
//
// A whole run takes about a quarter of an hour and 10 GB of disk:
//
//	make bench
//	make bench BENCH='-only import,check -lines 100000 -write=false'
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"fovea/integration/process"
)

// A bench holds what all measurements need.
type bench struct {
	dir    string // for manifests and data folders, of this run only
	binary string
	peers  string // folder of the peers' programs
	lines  int64
	runs   int
}

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
}

func main() {
	log.SetFlags(log.Ltime)
	var b bench
	flag.StringVar(&b.dir, "dir", "bench/out", "folder for generated files, which are removed afterwards")
	flag.StringVar(&b.peers, "peers", "bench/peers", "folder of the peers")
	flag.Int64Var(&b.lines, "lines", 1_000_000, "lines of the manifest that is imported and checked")
	flag.IntVar(&b.runs, "runs", 3, "how often everything is measured; the best counts")
	only := flag.String("only", "", "sections to measure, separated by commas; default all")
	bare := flag.String("bare", "", "serve as the peer of the rates, over the database of that URL")
	write := flag.Bool("write", true, "write docs/benchmarks.md if all sections are measured")
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
	facts := machine(ctx, b)
	var measured []section
	for _, s := range sections {
		if only != "" && !slices.Contains(strings.Split(only, ","), s.name) {
			continue
		}
		log.Printf("measuring %s", s.name)
		result, err := s.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		measured = append(measured, result)
	}
	page := document(b, facts, measured)
	fmt.Print(page)
	if write && only == "" {
		return os.WriteFile("docs/benchmarks.md", []byte(page), 0o644)
	}
	return nil
}
