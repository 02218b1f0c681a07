package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/sqlstore"
)

// history returns a store with a dataset of some revisions.
func history(t *testing.T, path string, revisions int64) *sqlstore.Store {
	t.Helper()
	s := open(t, path)
	err := s.Update(t.Context(), func(tx fovea.Tx) error {
		at := time.UnixMilli(1e12)
		p := &fovea.Project{ID: 1, Service: fovea.Lookout, Account: "1", Region: "r", Name: "p", Created: at}
		d := &fovea.Dataset{ID: 2, Project: 1, Split: fovea.Train, Created: at, Updated: at, Status: fovea.Created, Source: fovea.FromNothing, Revision: revisions}
		if err := tx.PutProject(p); err != nil {
			return err
		}
		if err := tx.PutDataset(d); err != nil {
			return err
		}
		for n := range revisions {
			r := &fovea.Revision{Dataset: 2, Number: n + 1, Created: at, Segments: []fovea.SegmentRef{{Name: "segments/a"}}}
			if err := tx.PutRevision(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDamagedRevision: a revision whose segments are damaged in the database
// comes with the error, and those after it come whole.
func TestDamagedRevision(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	s := history(t, path, 3)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE revision_segments SET segments = x'00112233445566778899' WHERE number = 2`); err != nil {
		t.Fatal(err)
	}
	var whole, damaged []int64
	for r, err := range s.AllRevisions(t.Context()) {
		switch {
		case r == nil:
			t.Fatal(err)
		case err != nil && strings.Contains(err.Error(), "checksum"):
			damaged = append(damaged, r.Number)
		default:
			whole = append(whole, r.Number)
		}
	}
	if len(whole) != 2 || len(damaged) != 1 || damaged[0] != 2 {
		t.Errorf("whole %v, damaged %v", whole, damaged)
	}
}

// TestSnapshot: a snapshot is the database as it was, and is not written over
// anything.
func TestSnapshot(t *testing.T) {
	dir := t.TempDir()
	s := history(t, filepath.Join(dir, "fovea.db"), 2)
	file := filepath.Join(dir, "copy.db")
	if err := s.Snapshot(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if err := s.Snapshot(t.Context(), file); err == nil {
		t.Error("a snapshot over a snapshot")
	}
	err := s.Update(t.Context(), func(tx fovea.Tx) error { return tx.DeleteDataset(2) })
	if err != nil {
		t.Fatal(err)
	}
	copied := openWith(t, file, sqlstore.Options{Existing: true})
	n := 0
	for _, err := range copied.AllRevisions(t.Context()) {
		if n++; err != nil {
			t.Fatal(err)
		}
	}
	if n != 2 {
		t.Errorf("the copy has %d revisions, want 2", n)
	}
}

// TestExisting: what is not there is not made, and what another version made is
// not changed.
func TestExisting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fovea.db")
	refused := func(what string) {
		t.Helper()
		s, err := sqlstore.Open(t.Context(), "sqlite:"+path, sqlstore.Options{Existing: true})
		if err == nil {
			s.Close()
			t.Errorf("%s was opened", what)
		}
	}
	refused("no file")
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was made")
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("an empty file")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	history(t, path, 1)
	openWith(t, path, sqlstore.Options{Existing: true})
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`UPDATE schema_version SET version = version - 1`); err != nil {
		t.Fatal(err)
	}
	refused("an older schema")
}
