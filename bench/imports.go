package main

import (
	"context"
	"fmt"
	"log"

	"fovea/bench/groundtruth"
)

// importing is a file's import and what the peers make of the file.
type importing struct {
	file                  file
	fovea, duckdb, python figure
}

// measureImport lets fovea and its peers take turns. Fovea's time is from the
// CreateDataset call to the answer CREATE_COMPLETE; the manifest is in the
// embedded S3 before. Its memory is the server's, the upload included.
func (b *bench) measureImport(ctx context.Context, lines int64) (importing, error) {
	var result importing
	f, err := b.manifest("boxes", groundtruth.Manifest{Lines: lines})
	if err != nil {
		return result, err
	}
	s, err := b.serve(ctx)
	if err != nil {
		return result, err
	}
	defer s.close()
	if err := s.upload(ctx, "boxes.manifest", f); err != nil {
		return result, err
	}
	var fovea, duckdb, python []figure
	for run := range b.runs {
		_, took, err := s.create(ctx, fromManifest("boxes.manifest"), lines)
		if err != nil {
			return result, err
		}
		peak, err := s.PeakMemory()
		if err != nil {
			return result, err
		}
		d, err := b.duckdb(ctx, f)
		if err != nil {
			return result, err
		}
		p, err := b.python(ctx, f)
		if err != nil {
			return result, err
		}
		fovea = append(fovea, figure{Seconds: took.Seconds(), Rows: lines, Peak: peak})
		duckdb, python = append(duckdb, d), append(python, p)
		log.Printf("%d lines, run %d: fovea %.2f s, DuckDB %.2f s, Python %.2f s", lines, run+1, took.Seconds(), d.Seconds, p.Seconds)
	}
	return importing{f, best(fovea), best(duckdb), best(python)}, nil
}

func (b *bench) imports(ctx context.Context) (section, error) {
	m, err := b.measureImport(ctx, b.lines)
	if err != nil {
		return section{}, err
	}
	t := table{head: []string{"program", "does", "time", "MB/s", "peak memory", "fovea takes"}}
	for _, row := range []struct {
		program, does string
		figure        figure
	}{
		{"fovea", "parses, checks all rules, commits the dataset (fsync), counts labels", m.fovea},
		{"DuckDB", "`COPY (read_ndjson_objects …) TO … (PARQUET, zstd)` with two extracted fields", m.duckdb},
		{"Python", "`json.loads` of each line, nothing else", m.python},
	} {
		t.add(row.program, row.does, seconds(row.figure.Seconds), rate(m.file.size, row.figure.Seconds), megabytes(row.figure.Peak), ratio(m.fovea.Seconds, row.figure.Seconds))
	}
	return section{
		title: "Importing a manifest",
		text: fmt.Sprintf("%s lines of boxes, %s, from the embedded S3. Time is from the CreateDataset call to CREATE_COMPLETE; "+
			"DuckDB and Python read the same bytes from a file.", count(m.file.lines), megabytes(m.file.size)),
		table: t,
	}, nil
}

func (b *bench) growth(ctx context.Context) (section, error) {
	t := table{head: []string{"lines", "size", "fovea", "lines/s", "peak memory", "DuckDB", "its peak memory", "fovea takes"}}
	for _, lines := range []int64{10_000, 100_000, 1_000_000, 4_000_000} {
		m, err := b.measureImport(ctx, lines)
		if err != nil {
			return section{}, err
		}
		t.add(count(lines), megabytes(m.file.size), seconds(m.fovea.Seconds), count(int64(float64(lines)/m.fovea.Seconds)), megabytes(m.fovea.Peak),
			seconds(m.duckdb.Seconds), megabytes(m.duckdb.Peak), ratio(m.fovea.Seconds, m.duckdb.Seconds))
	}
	return section{title: "As the work grows", text: "The same import at four sizes.", table: t}, nil
}
