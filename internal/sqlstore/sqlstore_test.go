package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/sqlstore"
	"fovea/internal/storetest"
)

func open(t *testing.T, path string) *sqlstore.Store {
	t.Helper()
	return openWith(t, path, sqlstore.Options{})
}

func openWith(t *testing.T, path string, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+path, o)
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

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, now func() time.Time) storetest.Store {
		return openWith(t, filepath.Join(t.TempDir(), "fovea.db"), sqlstore.Options{Now: now})
	})
}

func TestCrash(t *testing.T) {
	storetest.Crash(t, func(t *testing.T, where string) fovea.Store { return open(t, filepath.Join(where, "fovea.db")) })
}

func TestOpenPaths(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.db", "with space.db", "what?mode=memory", "100%.db", "50%41#x;y&z=1.db", "ü'\".db"} {
		path := filepath.Join(dir, name)
		open(t, path)
		info, err := os.Stat(path)
		if err != nil {
			t.Errorf("after opening %s: %v", name, err)
			continue
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode())
		}
		// What SQLite makes beside it may be read by nobody else either.
		if info, err := os.Stat(path + "-wal"); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the log of %s: %v, %v", name, info, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	notDatabase := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(notDatabase, []byte(strings.Repeat("not a database. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                         `the database "" is not of the form sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME`,
		"sqlite:":                  `the database "sqlite:..." is not of the form sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME`,
		"fovea.db":                 `the database "fovea.db" is not of the form sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME`,
		"mysql://u:secret@h/fovea": `the database "mysql:..." is not of the form sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/NAME`,
		"sqlite:/nowhere/fovea.db": "open the database /nowhere/fovea.db: open /nowhere/fovea.db: no such file or directory",
		"sqlite:" + notDatabase:    "open the database " + notDatabase + ": begin a transaction: file is not a database (26)",
		"sqlite:" + t.TempDir():    "unable to open database file",
	} {
		s, err := sqlstore.Open(t.Context(), url, sqlstore.Options{})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %q = %v, want %s", url, err, want)
		}
	}
}

// TestNewerSchema: a downgrade is refused, with the way out, and changes
// nothing (T22).
func TestNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	s := open(t, path)
	if err := s.Update(t.Context(), func(tx fovea.Tx) error { return tx.PutSetting("a", "1") }); err != nil {
		t.Fatal(err)
	}
	raw := openRaw(t, path)
	if _, err := raw.Exec(`UPDATE schema_version SET version = version + 1`); err != nil {
		t.Fatal(err)
	}
	_, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{})
	if err == nil || !strings.Contains(err.Error(), "made by a newer fovea") {
		t.Errorf("open = %v, want a refusal", err)
	}
	if _, err := raw.Exec(`UPDATE schema_version SET version = version - 1`); err != nil {
		t.Fatal(err)
	}
	err = open(t, path).View(t.Context(), func(tx fovea.Tx) error {
		v, err := tx.Setting("a")
		if v != "1" {
			t.Errorf("setting = %q, want 1", v)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func openRaw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestDamage: a revision whose segments were changed behind our back is not
// served (T18).
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	s := open(t, path)
	putDataset(t, s, 1, &fovea.Revision{Number: 1, Report: "r", Segments: []fovea.SegmentRef{{Name: "s", Rows: 3}}})
	if _, err := openRaw(t, path).Exec(`UPDATE revision_segments SET segments = CAST(replace(segments, 's', 't') AS BLOB)`); err != nil {
		t.Fatal(err)
	}
	err := s.View(t.Context(), func(tx fovea.Tx) error {
		if _, err := tx.RevisionStats(1, 1); err != nil {
			t.Errorf("statistics: %v", err)
		}
		_, err := tx.Revision(1, 1)
		return err
	})
	if err == nil || fovea.KindOf(err) != fovea.Internal || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("revision = %v, want an Internal error that says damaged", err)
	}
	var swept error
	for _, swept = range s.Reachable(t.Context()) {
	}
	if swept == nil {
		t.Error("a sweep that cannot read everything must not go on")
	}
}

// putDataset stores a dataset of that identifier, with a project of its own
// and revisions.
func putDataset(t *testing.T, s *sqlstore.Store, id int64, revisions ...*fovea.Revision) {
	t.Helper()
	err := s.Update(t.Context(), func(tx fovea.Tx) error {
		p := &fovea.Project{ID: fovea.ProjectID(id), Service: fovea.Lookout, Name: fmt.Sprint("p", id)}
		if err := tx.PutProject(p); err != nil {
			return err
		}
		d := &fovea.Dataset{ID: fovea.DatasetID(id), Project: p.ID, Split: fovea.Test, Status: fovea.Created, Source: fovea.FromNothing}
		if err := tx.PutDataset(d); err != nil {
			return err
		}
		for _, r := range revisions {
			r.Dataset = d.ID
			if err := tx.PutRevision(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLocked: an update waits for another process that writes for longer than
// SQLite itself waits.
func TestLocked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fovea.db")
	s := open(t, path)
	other, err := openRaw(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(3*time.Second, func() {
		if _, err := other.ExecContext(context.WithoutCancel(t.Context()), `ROLLBACK`); err != nil {
			t.Error(err)
		}
	})
	runs := 0
	err = s.Update(t.Context(), func(tx fovea.Tx) error { runs++; return tx.PutSetting("a", "1") })
	if err != nil || runs != 1 {
		t.Errorf("update = %v after %d runs", err, runs)
	}
}

// TestFull: a store on a full disk reports it and goes on when there is room
// (T19).
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	s := open(t, path)
	if err := s.Update(t.Context(), func(tx fovea.Tx) error { return tx.PutSetting("a", "1") }); err != nil {
		t.Fatal(err)
	}
	grow := func(tx fovea.Tx) error { return tx.PutSetting("b", strings.Repeat("x", 8<<20)) }
	lift := limitFileSize(t, 4<<20)
	err := s.Update(t.Context(), grow)
	lift()
	if err == nil || fovea.KindOf(err) != fovea.Internal {
		t.Errorf("update on a full disk = %v, want an Internal error", err)
	}
	err = s.View(t.Context(), func(tx fovea.Tx) error {
		if v, err := tx.Setting("a"); v != "1" || err != nil {
			t.Errorf("setting a = %q, %v", v, err)
		}
		_, err := tx.Setting("b")
		return err
	})
	if fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("setting b = %v, want NotFound", err)
	}
	if err := s.Update(t.Context(), grow); err != nil {
		t.Errorf("update after that: %v", err)
	}
}

func TestClosed(t *testing.T) {
	s, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fovea.db"), sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(fovea.Tx) error { return nil }); err == nil {
		t.Error("a closed store was updated")
	}
	if err := s.View(t.Context(), func(fovea.Tx) error { return nil }); err == nil {
		t.Error("a closed store was read")
	}
}
