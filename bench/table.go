package main

import (
	"bytes"
	"context"

	"github.com/jackc/pgx/v5"

	"fovea/bench/groundtruth"
	"fovea/internal/pgtest"
)

// A rows is the peer of changes: the entries of a dataset as rows of a table of
// a PostgreSQL that syncs its commits, with their source-ref as the key.
type rows struct{ conn *pgx.Conn }

// newRows fills a table with the entries of a manifest.
func newRows(ctx context.Context, m groundtruth.Manifest) (*rows, error) {
	server, err := pgtest.Durable()
	if err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return nil, err
	}
	r := &rows{conn}
	if _, err := conn.Exec(ctx, `CREATE TABLE entry (source_ref TEXT PRIMARY KEY, line TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"entry"}, []string{"source_ref", "line"}, pgx.CopyFromSlice(int(m.Lines), func(i int) ([]any, error) {
		return []any{m.SourceRef(int64(i)), string(m.AppendLine(nil, int64(i)))}, nil
	}))
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `VACUUM ANALYZE entry`)
	return r, err
}

func (r *rows) close(ctx context.Context) { r.conn.Close(ctx) }

// update replaces or adds the entries of a change in one transaction, from
// their JSON, which PostgreSQL reads for their keys.
func (r *rows) update(ctx context.Context, change []byte) error {
	tx, err := r.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, `CREATE TEMP TABLE change (line TEXT NOT NULL) ON COMMIT DROP`); err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSuffix(change, []byte("\n")), []byte("\n"))
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"change"}, []string{"line"}, pgx.CopyFromSlice(len(lines), func(i int) ([]any, error) {
		return []any{string(lines[i])}, nil
	}))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO entry SELECT line::json->>'source-ref', line FROM change
		ON CONFLICT (source_ref) DO UPDATE SET line = excluded.line`)
	if err != nil {
		return err
	}
	return tx.Commit(ctx)
}
