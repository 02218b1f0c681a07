package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"fovea"
)

// A tx implements fovea.Tx.
type tx struct {
	ctx      context.Context
	sql      *sql.Tx
	store    *Store
	enqueued bool // a job was added
}

// now returns the time by which jobs are due.
func (t *tx) now() (time.Time, error) {
	if t.store.now != nil {
		return t.store.now(), nil
	}
	var ms int64
	if err := t.row(t.store.dialect.clock).Scan(&ms); err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	return fromMillis(ms), nil
}

// exec runs a statement; what names it in an error.
func (t *tx) exec(what, query string, args ...any) error {
	_, err := t.count(what, query, args...)
	return err
}

// count runs a statement and returns how many rows it changed.
func (t *tx) count(what, query string, args ...any) (int64, error) {
	r, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	return r.RowsAffected()
}

func (t *tx) row(query string, args ...any) *sql.Row {
	return t.sql.QueryRowContext(t.ctx, query, args...)
}

// A scanner is a row or one of the rows of a query.
type scanner interface{ Scan(dest ...any) error }

// all reads every row of a query.
func all[T any](t *tx, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.sql.QueryContext(t.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}

// missing gives the error of reading one row its words, and its kind when
// there is no row.
func missing(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return fovea.Errorf(fovea.NotFound, "there is no %s", what)
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// millis returns a time as it is stored. The zero time stays zero.
func millis(t time.Time) int64 { return t.UnixMilli() }

// fromMillis returns a stored time.
func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// storable returns a text for people without what PostgreSQL does not store:
// NUL characters and bytes that are not UTF-8.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// notNil returns b, empty instead of nil, which would be stored as NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
