package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"fovea/bench/groundtruth"
)

// The peer of the rates is a bare program: pgx and net/http, which fetches rows
// by primary key and writes them as JSON.

// fillBare stores the lines of a manifest as rows.
func fillBare(ctx context.Context, url string, m groundtruth.Manifest) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `
		CREATE TABLE peer_dataset (id BIGINT PRIMARY KEY, status TEXT NOT NULL, entries BIGINT NOT NULL, labeled BIGINT NOT NULL, errors BIGINT NOT NULL);
		CREATE TABLE peer_entry (dataset BIGINT, seq BIGINT, line TEXT NOT NULL, PRIMARY KEY (dataset, seq))`)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `INSERT INTO peer_dataset VALUES (1, 'CREATE_COMPLETE', $1, $1, 0)`, m.Lines); err != nil {
		return err
	}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"peer_entry"}, []string{"dataset", "seq", "line"},
		pgx.CopyFromSlice(int(m.Lines), func(i int) ([]any, error) { return []any{1, i, string(m.AppendLine(nil, int64(i)))}, nil }))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, `VACUUM ANALYZE peer_entry`)
	return err
}

// startBare runs this program as the peer and returns where it listens.
func startBare(ctx context.Context, database string) (url string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-bare", database)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	if _, err := fmt.Fscanln(out, &url); err != nil {
		stop()
		return "", nil, fmt.Errorf("the peer does not start: %w", err)
	}
	return url, stop, nil
}

// serveBare serves rows by primary key, and prints where.
func serveBare(ctx context.Context, url string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}

	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	answer := func(w http.ResponseWriter, v any, err error) {
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		json.NewEncoder(w).Encode(v)
	}
	http.HandleFunc("/describe", func(w http.ResponseWriter, r *http.Request) {
		var d struct {
			Status                   string
			Entries, Labeled, Errors int64
		}
		err := pool.QueryRow(r.Context(), `SELECT status, entries, labeled, errors FROM peer_dataset WHERE id = $1`, r.URL.Query().Get("dataset")).
			Scan(&d.Status, &d.Entries, &d.Labeled, &d.Errors)
		answer(w, d, err)
	})
	http.HandleFunc("/list", func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
		rows, err := pool.Query(r.Context(), `SELECT line FROM peer_entry WHERE dataset = 1 AND seq >= $1 ORDER BY seq LIMIT 100`, from)
		if err != nil {
			answer(w, nil, err)
			return
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		answer(w, map[string]any{"DatasetEntries": lines, "NextToken": strconv.FormatInt(from+100, 10)}, err)
	})
	fmt.Printf("http://%s\n", listener.Addr())
	return http.Serve(listener, nil)
}

// newDatabase makes a database on a PostgreSQL server and returns its URL.
func newDatabase(ctx context.Context, server, name string) (string, error) {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}
