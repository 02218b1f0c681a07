package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// A figure is what one run of something came to.
type figure struct {
	Seconds float64 `json:"seconds"`
	Rows    int64   `json:"rows"`
	Peak    int64   `json:"peak"` // most memory, in bytes
}

// best returns the fastest of several runs, with the most memory of all.
func best(figures []figure) figure {
	fastest := figures[0]
	for _, f := range figures {
		if f.Seconds < fastest.Seconds {
			fastest.Seconds = f.Seconds
		}
		fastest.Peak = max(fastest.Peak, f.Peak)
	}
	return fastest
}

// duckdb copies a manifest to Parquet with DuckDB.
func (b *bench) duckdb(ctx context.Context, f file) (figure, error) {
	return peer(ctx, f, "node", filepath.Join(b.peers, "duckdb.mjs"), f.path, filepath.Join(b.dir, "duckdb.parquet"))
}

// python parses every line of a manifest with Python.
func (b *bench) python(ctx context.Context, f file) (figure, error) {
	return peer(ctx, f, "/usr/bin/python3", filepath.Join(b.peers, "parse.py"), f.path)
}

func peer(ctx context.Context, f file, name string, args ...string) (figure, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return figure{}, fmt.Errorf("%s %v: %w", name, args, err)
	}
	var got figure
	if err := json.Unmarshal(out, &got); err != nil {
		return figure{}, fmt.Errorf("%s printed %q: %w", name, out, err)
	}
	if got.Rows != f.lines {
		return figure{}, fmt.Errorf("%s read %d lines of %d", name, got.Rows, f.lines)
	}
	return got, nil
}
