// Scaling measures what docs/scaling.md builds on: how many calls of
// DescribeDataset and ListDatasetEntries a second one fovea answers over SQLite
// and over PostgreSQL, beside a program that does no more than fetch the same
// rows from PostgreSQL by primary key and write them as JSON over net/http; and
// how long an import takes on one node and on two with a worker each.
//
//	go run ./bench/scaling
//
// It takes two minutes. All share the processors with the client, which signs
// every request, also those of the peer, and takes turns between them.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"fovea/integration/process"
	"fovea/internal/pgtest"
)

// A bench holds what all measurements need.
type bench struct {
	dir    string
	binary string
	url    string // of a database
	lines  int64
	load   time.Duration
	runs   int
}

func main() {
	var b bench
	peer := flag.Bool("peer", false, "serve as the peer, over the database of -database")
	flag.StringVar(&b.url, "database", "", "URL of the peer's database")
	flag.Int64Var(&b.lines, "lines", 200_000, "lines of the manifest")
	flag.DurationVar(&b.load, "load", 3*time.Second, "how long each load lasts")
	flag.IntVar(&b.runs, "runs", 3, "how often everything is measured; the best counts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *peer {
		err = servePeer(ctx, b.url)
	} else {
		err = b.run(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func (b *bench) run(ctx context.Context) (err error) {
	if b.dir, err = os.MkdirTemp("", "fovea-scaling-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.binary, err = process.Build(ctx, b.dir); err != nil {
		return err
	}
	if b.url, err = pgtest.Server(); err != nil {
		return err
	}
	if err := b.rates(ctx); err != nil {
		return fmt.Errorf("rates: %w", err)
	}
	if err := b.imports(ctx); err != nil {
		return fmt.Errorf("imports: %w", err)
	}
	return nil
}
