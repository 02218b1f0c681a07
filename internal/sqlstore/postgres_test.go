package sqlstore_test

import (
	"database/sql"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"fovea"
	"fovea/internal/pgtest"
	"fovea/internal/sqlstore"
	"fovea/internal/storetest"
)

func openPostgres(t *testing.T, url string, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func openPostgresRaw(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		return openPostgres(t, pgtest.New(t), sqlstore.Options{Now: now})
	})
}

func TestPostgresCrash(t *testing.T) {
	storetest.Crash(t, func(t *testing.T, where string) fovea.Store {
		return openPostgres(t, pgtest.Named(t, where), sqlstore.Options{})
	})
}

func TestPostgresURLs(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://u:sec:ret@h:port/fovea":                     `the database "postgres:..." is not of the form postgres://`,
		"postgres://u:secret@h/fovea?sslmode=perhaps":           `the database "postgres:..." is not of the form postgres://`,
		"postgresql://u:secret@127.0.0.1:1/f?sslmode=disable":   "open the database postgres://127.0.0.1:1/f: begin a transaction: ",
		"postgres://u:secret@127.0.0.1:1/f?connect_timeout=two": `the database "postgres:..." is not of the form postgres://`,
	} {
		s, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sec") {
			t.Errorf("open %q = %v, want %s", url, err, want)
		}
	}
}

// TestPostgresNewerSchema: a downgrade is refused, with the way out (T22).
func TestPostgresNewerSchema(t *testing.T) {
	url := pgtest.New(t)
	openPostgres(t, url, sqlstore.Options{})
	if _, err := openPostgresRaw(t, url).Exec(`UPDATE schema_version SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
	if err == nil {
		s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "made by a newer fovea") {
		t.Errorf("open = %v, want a refusal", err)
	}
}

// TestPostgresMigrateAtOnce: nodes that start together over an empty database
// make its schema once.
func TestPostgresMigrateAtOnce(t *testing.T) {
	url := pgtest.New(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			s, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	wg.Wait()
	var rows int
	if err := openPostgresRaw(t, url).QueryRow(`SELECT COUNT(*) FROM schema_version`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d versions, %v, want 1", rows, err)
	}
}

// TestPostgresClock: leases go by the clock of the database, not by those of
// nodes, which differ.
func TestPostgresClock(t *testing.T) {
	url := pgtest.New(t)
	s := openPostgres(t, url, sqlstore.Options{})
	if err := s.Update(t.Context(), func(tx fovea.Tx) error { return tx.Enqueue(fovea.SweepJob{}) }); err != nil {
		t.Fatal(err)
	}
	j, err := s.ClaimJob(t.Context(), "a", []string{"sweep"}, nil, 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.ClaimJob(t.Context(), "b", []string{"sweep"}, nil, time.Second); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("claim before the lease's end = %v, want NotFound", err)
	}
	if _, err := s.BeatJob(t.Context(), j.ID, "a", 300*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	time.Sleep(350 * time.Millisecond)
	again, err := s.ClaimJob(t.Context(), "b", []string{"sweep"}, nil, time.Second)
	if err != nil || again.ID != j.ID {
		t.Errorf("claim after the lease's end = %v, %v, want job %d", again, err, j.ID)
	}
}

// TestPostgresText: what PostgreSQL does not store as text costs a message some
// characters, and no more.
func TestPostgresText(t *testing.T) {
	s := openPostgres(t, pgtest.New(t), sqlstore.Options{})
	const bad, want = "a\x00b\xffc", "a\ufffdb\ufffdc"
	var got [2]string
	err := s.Update(t.Context(), func(tx fovea.Tx) error {
		p := &fovea.Project{ID: 1, Service: fovea.Lookout, Name: "p"}
		d := &fovea.Dataset{ID: 1, Project: 1, Split: fovea.Test, Status: fovea.CreateFailed, Source: fovea.FromManifest, Message: bad}
		r := &fovea.Revision{Dataset: 1, Number: 1, Cause: bad, Bucket: bad}
		if err := errors.Join(tx.PutProject(p), tx.PutDataset(d), tx.PutRevision(r)); err != nil {
			return err
		}
		d, err := tx.Dataset(1)
		if err != nil {
			return err
		}
		r, err = tx.Revision(1, 1)
		got = [2]string{d.Message, r.Cause}
		return err
	})
	if err != nil || got != [2]string{want, want} {
		t.Errorf("texts = %q, %v", got, err)
	}
}

// TestPostgresGone: when the connections break, transactions fail, and the next
// ones make new connections.
func TestPostgresGone(t *testing.T) {
	url := pgtest.New(t)
	s := openPostgres(t, url+"&application_name=fovea-gone", sqlstore.Options{})
	raw := openPostgresRaw(t, url)
	err := s.Update(t.Context(), func(tx fovea.Tx) error {
		if err := tx.PutSetting("a", "1"); err != nil {
			return err
		}
		_, err := raw.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fovea-gone'`)
		return err
	})
	if err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("update whose connection broke = %v, want an Internal error", err)
	}
	err = s.View(t.Context(), func(tx fovea.Tx) error { _, err := tx.Setting("a"); return err })
	if fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("setting = %v, want NotFound", err)
	}
	if err := s.Update(t.Context(), func(tx fovea.Tx) error { return tx.PutSetting("a", "1") }); err != nil {
		t.Errorf("update after that: %v", err)
	}
}
