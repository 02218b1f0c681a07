// Package sqlitefile looks after the files of an open SQLite database.
// Somebody may remove, move or replace them while SQLite goes on with what it
// has open, which nobody would find after a restart.
package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Files are those of an open database: itself and its write-ahead log. A nil
// *Files is of a database that has none: it is always in place.
type Files struct {
	path   string
	opened map[string]os.FileInfo // by path
	keep   *sql.Conn              // without a connection SQLite would remove the log itself
}

// Watch remembers which files an open database consists of. It keeps one
// connection of db until Close.
func Watch(ctx context.Context, db *sql.DB, path string) (_ *Files, err error) {
	f := &Files{path: path, opened: map[string]os.FileInfo{}}
	if f.keep, err = db.Conn(ctx); err != nil {
		return nil, err
	}
	var tables int
	err = f.keep.QueryRowContext(ctx, `SELECT COUNT(*) FROM sqlite_schema`).Scan(&tables)
	for _, file := range []string{path, path + "-wal"} {
		if err == nil {
			f.opened[file], err = os.Stat(file)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.keep.Close())
	}
	return f, nil
}

// InPlace reports that a file of the database was removed or replaced since it
// was opened: what is changed then is lost with the process, and a new
// connection would read another database.
func (f *Files) InPlace() error {
	if f == nil {
		return nil
	}
	for path, opened := range f.opened {
		now, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s was removed while the server uses it: put it back, or stop the server with SIGTERM, which saves what it still has open", path)
		}
		if err != nil {
			return err
		}
		if !os.SameFile(opened, now) {
			return fmt.Errorf("%s was replaced while the server uses it: put the other one back, or stop the server", path)
		}
	}
	return nil
}

// Close ends the watch. A database whose file was removed it writes to where
// it was.
func (f *Files) Close() error {
	if f == nil {
		return nil
	}
	return errors.Join(f.save(), f.keep.Close())
}

func (f *Files) save() error {
	if _, err := os.Stat(f.path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// A log that is there belonged to the file that is gone.
	for _, file := range []string{f.path + "-wal", f.path + "-shm"} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	empty, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // for its owner only
	if err == nil {
		err = empty.Close()
	}
	if err == nil {
		_, err = f.keep.ExecContext(context.Background(), `PRAGMA query_only(0)`)
	}
	if err == nil {
		_, err = f.keep.ExecContext(context.Background(), `VACUUM INTO $1`, f.path)
	}
	if err != nil {
		return fmt.Errorf("save the database, whose file was removed, to %s: %w", f.path, err)
	}
	return nil
}
