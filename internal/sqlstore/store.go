// Package sqlstore keeps the metadata in a SQL database. There is one SQL
// text for all databases, with numbered parameters, identifiers and times made
// by the program, and nothing that only one of them has; a dialect holds the
// rest.
//
// The schema repeats the rules of the types as CHECK and UNIQUE, so that a
// mistake elsewhere cannot store what a type forbids: it ends in an Internal
// error and a transaction that did nothing.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"fovea"
	"fovea/internal/sqlitefile"
)

// A Store implements fovea.Store, the queue of internal/jobs and what the
// sweep needs.
type Store struct {
	write    *sql.DB
	read     *sql.DB
	dialect  dialect
	now      func() time.Time
	enqueued atomic.Pointer[func()]
	files    *sqlitefile.Files // nil for PostgreSQL
	path     string            // of the file of SQLite
}

// Options are settings of a Store. The zero value is ready to use.
type Options struct {
	// Now is the time by which jobs are due. By default it is the clock of
	// the database: those of several nodes differ.
	Now func() time.Time

	// Existing refuses a database that is not there or has another schema,
	// instead of making or changing it.
	Existing bool
}

// A dialect is all that differs between the databases once they are open.
type dialect struct {
	// conflict returns how often in all a transaction that ended with an
	// error may be tried, 1 for no more.
	conflict func(error) int

	view   sql.IsolationLevel // sees one state
	update sql.IsolationLevel // serializable
	queue  sql.IsolationLevel // for what one statement does to one row

	schema     func(text string) string // translates a file of the schema
	lockSchema string                   // a statement that keeps others from migrating until the commit; "" for none
	skipLocked string                   // ends a SELECT that passes over the rows that others change
	numbers    string                   // with the number of a parameter, a JSON array of integers: the SELECT of those
	clock      string                   // a query for the database's time in milliseconds; "" for the program's
}

// Open opens the database that a URL names and brings its schema up to date.
// A URL is sqlite:PATH, with the path of a file, which it creates if need be,
// or postgres://USER:PASSWORD@HOST:PORT/NAME with the parameters of libpq, for
// a database that is there.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok && o.Existing {
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("open the database: %w", err)
		}
	}
	s, name, err := connect(url)
	if err != nil {
		return nil, err
	}
	s.now = o.Now
	if s.now == nil && s.dialect.clock == "" {
		s.now = time.Now
	}
	prepare := s.migrate
	if o.Existing {
		prepare = s.checkSchema
	}
	err = prepare(ctx)
	if err == nil && s.path != "" && !o.Existing {
		s.files, err = sqlitefile.Watch(ctx, s.read, s.path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", name, err), s.Close())
	}
	return s, nil
}

// connect returns the store for a URL, and what of the URL may be shown.
func connect(url string) (s *Store, name string, err error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		if s, err = openSQLite(rest); err != nil {
			err = fmt.Errorf("open the database %s: %w", rest, err)
		}
		return s, rest, err
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(url)
	}
	return nil, "", fovea.Errorf(fovea.Invalid, "the database %q is not of the form sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME",
		withoutSecrets(url))
}

// withoutSecrets returns what of a URL may be shown: databases' URLs hold
// passwords.
func withoutSecrets(url string) string {
	scheme, _, ok := strings.Cut(url, ":")
	if !ok {
		return url
	}
	return scheme + ":..."
}

// InPlace reports that a file of a SQLite database was removed or replaced
// since it was opened. Every transaction fails then.
func (s *Store) InPlace() error { return s.files.InPlace() }

// Integrity reads all of a SQLite database and returns what is wrong with it,
// in the words of SQLite; nothing for PostgreSQL, which has its own checks.
func (s *Store) Integrity(ctx context.Context) (faults []string, err error) {
	if s.path == "" {
		return nil, nil
	}
	return sqlitefile.Integrity(ctx, s.read)
}

// Close ends the use of the database after the transactions that run. A SQLite
// database whose file was removed meanwhile it writes anew.
func (s *Store) Close() error { return errors.Join(s.files.Close(), s.read.Close(), s.write.Close()) }

// View implements fovea.Store.
func (s *Store) View(ctx context.Context, fn func(fovea.Tx) error) error {
	return s.view(ctx, func(t *tx) error { return fn(t) })
}

// Update implements fovea.Store.
func (s *Store) Update(ctx context.Context, fn func(fovea.Tx) error) error {
	return s.update(ctx, func(t *tx) error { return fn(t) })
}

func (s *Store) view(ctx context.Context, fn func(*tx) error) error {
	t, err := s.begin(ctx, s.read, &sql.TxOptions{ReadOnly: true, Isolation: s.dialect.view})
	if err != nil {
		return err
	}
	defer t.sql.Rollback() // there is nothing to commit
	return fn(t)
}

// An Update that meets a conflict waits at first minWait, at most maxWait and
// starts over, up to maxTries times.
const (
	maxTries = 12
	minWait  = 5 * time.Millisecond
	maxWait  = time.Second
)

// update runs fn in a serializable transaction.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	return s.updateAs(ctx, s.dialect.update, fn)
}

// updateQueue runs fn in a transaction of which every statement sees what was
// committed before it, and that does not fail because somebody else is faster.
func (s *Store) updateQueue(ctx context.Context, fn func(*tx) error) error {
	return s.updateAs(ctx, s.dialect.queue, fn)
}

func (s *Store) updateAs(ctx context.Context, level sql.IsolationLevel, fn func(*tx) error) error {
	for try, wait := 1, minWait; ; try, wait = try+1, min(2*wait, maxWait) {
		err := s.updateOnce(ctx, level, fn)
		if err == nil || try >= s.dialect.conflict(err) {
			return err
		}
		if err := sleep(ctx, wait/2+rand.N(wait)); err != nil {
			return err
		}
	}
}

func (s *Store) updateOnce(ctx context.Context, level sql.IsolationLevel, fn func(*tx) error) error {
	t, err := s.begin(ctx, s.write, &sql.TxOptions{Isolation: level})
	if err != nil {
		return err
	}
	defer t.sql.Rollback() // for errors and panics; too late after a commit
	if err := fn(t); err != nil {
		return err
	}
	if err := s.InPlace(); err != nil {
		return err
	}
	if err := t.sql.Commit(); err != nil {
		return fmt.Errorf("commit: %w", errors.Join(err, ctx.Err()))
	}
	if wake := s.enqueued.Load(); t.enqueued && wake != nil {
		(*wake)()
	}
	return nil
}

func (s *Store) begin(ctx context.Context, db *sql.DB, o *sql.TxOptions) (*tx, error) {
	if err := s.InPlace(); err != nil { // or a new connection would open whatever is there
		return nil, err
	}
	t, err := db.BeginTx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	return &tx{ctx: ctx, sql: t, store: s}, nil
}

// sleep waits, or returns the reason why ctx ended first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
