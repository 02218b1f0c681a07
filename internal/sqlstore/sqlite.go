package sqlstore

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// SQLite's settings. A write-ahead log that is synced at every commit makes
// commits durable. One connection writes, so that in this process nobody waits
// in SQLite's own way, which is polling; the timeout, in milliseconds, is for
// other processes.
const (
	sqliteBusy    = "2000"
	sqliteReaders = 8
)

// One transaction writes at a time, which is all the isolation there is to ask
// for.
var sqliteDialect = dialect{
	conflict: sqliteConflict,
	schema:   func(text string) string { return text },
	numbers:  `SELECT value FROM json_each($%d)`,
}

// openSQLite opens or creates a database file, which only its owner may read.
func openSQLite(path string) (*Store, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := createPrivate(abs); err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", sqliteName(abs, url.Values{
		"_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {"FULL"},
	}))
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", sqliteName(abs, url.Values{"_query_only": {"1"}}))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(sqliteReaders + 1) // and the one that is kept
	read.SetMaxIdleConns(sqliteReaders + 1)
	return &Store{write: write, read: read, dialect: sqliteDialect, path: abs}, nil
}

// createPrivate makes the file before SQLite does it for everybody to read. It
// must not open one that is there: closing it again would strip the locks of
// those who use it in this process.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteName returns the data source name of the file with parameters.
func sqliteName(abs string, params url.Values) string {
	params.Set("_busy_timeout", sqliteBusy)
	params.Set("_foreign_keys", "1")
	params.Set("_dqs", "0")
	params.Set("mode", "rw")
	path := filepath.ToSlash(abs)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: params.Encode()}
	return u.String()
}

// sqliteConflict returns how often to try when another process held the lock
// for too long.
func sqliteConflict(err error) int {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return 1
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return maxTries
	}
	return 1
}
