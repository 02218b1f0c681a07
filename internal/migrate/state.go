package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver sqlite
)

// schema is that of the database of a run. Every step of a run is a
// transaction of it, so that a run that is started again goes on after the last
// one that was committed.
const schema = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);

-- The files of a folder or bucket; reversed is the path from its end, each
-- part followed by a slash, so that what shares an end with a path is found.
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY, reversed TEXT NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_reversed ON files (reversed);

CREATE TABLE IF NOT EXISTS projects (
	id INTEGER PRIMARY KEY, service TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL,
	certified INTEGER NOT NULL DEFAULT 0,
	UNIQUE (service, name)
);
CREATE TABLE IF NOT EXISTS datasets (
	id INTEGER PRIMARY KEY, project INTEGER NOT NULL, split TEXT NOT NULL, source TEXT NOT NULL, tags TEXT NOT NULL,
	token TEXT NOT NULL DEFAULT '',     -- where the listing goes on
	numbered INTEGER NOT NULL DEFAULT 0, -- lines listed so far, blank ones included
	listed INTEGER NOT NULL DEFAULT 0,  -- the listing is whole
	asked INTEGER NOT NULL DEFAULT 0,   -- the server was, or was about to be, asked to make it
	UNIQUE (project, split)
);
-- The lines as they came. places is where what their refs name was found: a
-- JSON array with one string for each ref, empty for one that stays as it is.
-- problem says why a line cannot be in the new manifest, and is empty for
-- others. The id is dataset * 2^40 + number.
CREATE TABLE IF NOT EXISTS lines (id INTEGER PRIMARY KEY, text BLOB NOT NULL, places TEXT NOT NULL, problem TEXT NOT NULL);

-- What refs name: the place in the source, and once it is copied its size and
-- SHA-256, which is null if it does not exist.
CREATE TABLE IF NOT EXISTS objects (
	place TEXT PRIMARY KEY, size INTEGER NOT NULL DEFAULT 0, sum BLOB, copied INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- The entries of a dataset: side 0 is the source, 1 the destination. ref is
-- the source-ref in the destination. line is the number in the source, written
-- that in the new manifest, 0 if it is not there.
CREATE TABLE IF NOT EXISTS leaves (
	dataset INTEGER NOT NULL, side INTEGER NOT NULL, ref TEXT NOT NULL, line INTEGER NOT NULL, written INTEGER NOT NULL,
	leaf BLOB NOT NULL, images TEXT NOT NULL, problem TEXT NOT NULL,
	PRIMARY KEY (dataset, ref, side, line)
) WITHOUT ROWID;

-- What the destination holds, as it was read back, and when, in seconds.
CREATE TABLE IF NOT EXISTS sums (ref TEXT PRIMARY KEY, size INTEGER NOT NULL, sum BLOB, at INTEGER NOT NULL) WITHOUT ROWID;

-- Why the import dropped lines of the new manifest.
CREATE TABLE IF NOT EXISTS findings (dataset INTEGER NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (dataset, line)) WITHOUT ROWID;
`

// lineBits is how many bits of the id of a line are its number.
const lineBits = 40

func lineID(dataset, number int64) int64 { return dataset<<lineBits | number }

// A state is the database of a run.
type state struct{ db *sql.DB }

// openState opens or makes the database of a run. A second process that opens it
// is refused.
func openState(path string) (*state, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(abs, os.O_RDWR|os.O_CREATE, 0o600) // before SQLite makes it for everybody to read
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	name := (&url.URL{Scheme: "file", Path: abs, RawQuery: url.Values{
		"_pragma": {"locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(1000)"},
	}.Encode()}).String()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(schema); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w; is another migration at work in this folder?", path, err), db.Close())
	}
	return &state{db}, nil
}

// Close closes the database.
func (s *state) Close() error { return s.db.Close() }

// update runs fn in a transaction, which is durable when it returns nil.
func (s *state) update(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// meta returns a named value, "" if there is none.
func (s *state) meta(ctx context.Context, name string) (value string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, err
}

// setMeta stores a named value.
func setMeta(tx *sql.Tx, name, value string) error {
	_, err := tx.Exec(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// collect returns what scan reads of each row.
func collect[T any](ctx context.Context, s *state, scan func(*sql.Rows, *T) error, query string, args ...any) ([]T, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		var v T
		if err := scan(rows, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, rows.Err()
}
