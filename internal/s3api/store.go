package s3api

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver

	"fovea/internal/sqlitefile"
)

// Options are what a Store can be told. The zero value is a good one.
type Options struct {
	Region string           // of buckets that name none, default us-east-1
	Now    func() time.Time // default time.Now
	Log    *slog.Logger     // of the sweep, default nowhere

	// Grace is how long the bytes of a deleted object stay, for readers
	// that have just looked it up. Default one minute.
	Grace time.Duration
	// SweepEvery is how often deleted bytes are looked for. Default one minute.
	SweepEvery time.Duration
}

// A Store keeps buckets and objects in a folder. It may be used by many
// goroutines, and by one process at a time.
type Store struct {
	opts  Options
	w     *sql.DB // one connection, so that writers queue here and not in SQLite
	r     *sql.DB
	lock  *sql.DB // holds the folder for this process
	blobs *blobs
	files *sqlitefile.Files
	stmts sync.Map // query text to *sql.Stmt of r

	queueMu sync.Mutex
	queue   []*pending // that wait for a commit
	turn    sync.Mutex // of the one who commits; guards what writes came to

	stop context.CancelFunc
	done chan struct{}
}

// Open opens the store in dir and makes it if there is none. It fails if
// another process has it open.
func Open(dir string, opts Options) (*Store, error) {
	opts.Region = cmp.Or(opts.Region, "us-east-1")
	opts.Grace = cmp.Or(opts.Grace, time.Minute)
	opts.SweepEvery = cmp.Or(opts.SweepEvery, time.Minute)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{opts: opts, done: make(chan struct{})}
	if err := s.open(dir); err != nil {
		s.closeFiles()
		return nil, fmt.Errorf("open S3 store %s: %w", dir, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	go s.sweepForever(ctx)
	return s, nil
}

func (s *Store) open(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if s.lock, err = lockDir(dir); err != nil {
		return err
	}
	if s.blobs, err = openBlobs(filepath.Join(dir, "blobs"), s.opts.Now); err != nil {
		return err
	}
	file := filepath.Join(dir, "s3.db")
	if s.w, err = openDB(file, 1, "_txlock=immediate"); err != nil {
		return err
	}
	if err := s.migrate(); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if s.r, err = openDB(file, 1+max(4, runtime.NumCPU()), "_pragma=query_only(1)"); err != nil {
		return err
	}
	if s.files, err = sqlitefile.Watch(context.Background(), s.r, file); err != nil {
		return err
	}
	return cmp.Or(syncFolder(dir), syncFolder(filepath.Dir(dir)))
}

// syncFolder makes the names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func openDB(file string, conns int, param string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&"+param)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// lockDir takes the folder for this process, by a transaction that stays open
// on a database of its own. The lock goes with the process, however it ends.
func lockDir(dir string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: filepath.Join(dir, "lock.db")}).EscapedPath()+"?_pragma=busy_timeout(0)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE"); err != nil {
		db.Close()
		return nil, fmt.Errorf("another process uses the folder; stop it or choose another folder: %w", err)
	}
	return db, nil
}

// InPlace reports that the files of the store were removed or replaced since it
// was opened. Nothing can be changed then.
func (s *Store) InPlace() error { return s.files.InPlace() }

// Close waits for the sweep and closes the store.
func (s *Store) Close() error {
	s.stop()
	<-s.done
	return s.closeFiles()
}

func (s *Store) closeFiles() error {
	errs := []error{s.files.Close()}
	for _, db := range []*sql.DB{s.w, s.r, s.lock} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.blobs != nil {
		errs = append(errs, s.blobs.close())
	}
	return errors.Join(errs...)
}

// A tx is a transaction that writes.
type tx struct {
	*sql.Tx
	ctx context.Context
	now time.Time
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	res, err := t.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// queryRow implements querier.
func (t *tx) queryRow(query string, args ...any) *sql.Row {
	return t.QueryRowContext(t.ctx, query, args...)
}

// A querier reads a row, inside a transaction or outside.
type querier interface {
	queryRow(query string, args ...any) *sql.Row
}

// A reader reads the last committed state.
type reader struct {
	ctx context.Context
	s   *Store
}

func (s *Store) read(ctx context.Context) reader { return reader{ctx, s} }

// stmt returns the prepared form of a query. There are as many as the package
// has texts.
func (r reader) stmt(query string) (*sql.Stmt, error) {
	if st, ok := r.s.stmts.Load(query); ok {
		return st.(*sql.Stmt), nil
	}
	st, err := r.s.r.Prepare(query)
	if err != nil {
		return nil, err
	}
	if old, ok := r.s.stmts.LoadOrStore(query, st); ok {
		st.Close()
		return old.(*sql.Stmt), nil
	}
	return st, nil
}

func (r reader) queryRow(query string, args ...any) *sql.Row {
	st, err := r.stmt(query)
	if err != nil {
		return r.s.r.QueryRowContext(r.ctx, query, args...) // which fails likewise
	}
	return st.QueryRowContext(r.ctx, args...)
}

func (r reader) query(query string, args ...any) (*sql.Rows, error) {
	st, err := r.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(r.ctx, args...)
}

var _ io.Closer = (*Store)(nil)
