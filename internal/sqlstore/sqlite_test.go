package sqlstore

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"fovea"
)

func openInternal(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fovea.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestSettings: commits are durable only with these.
func TestSettings(t *testing.T) {
	s := openInternal(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": sqliteBusy} {
		var got string
		if err := s.write.QueryRow(`PRAGMA ` + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s of the writing connection = %s, %v, want %s", pragma, got, err, want)
		}
	}
	var readOnly int
	if err := s.read.QueryRow(`PRAGMA query_only`).Scan(&readOnly); err != nil || readOnly != 1 {
		t.Errorf("query_only of a reading connection = %d, %v, want 1", readOnly, err)
	}
}

// TestPlans: however many projects there are and jobs have ended, what runs
// often reads an index; a page of projects is not sorted, and a claim reads the
// jobs that are queued or running.
func TestPlans(t *testing.T) {
	s := openInternal(t)
	kinds := []string{"import", "sweep"}
	where, args := dueJobs(kinds), dueArgs(s.now(), kinds)
	for _, tt := range []struct {
		name, query, index, not string
		args                    []any
	}{
		{"claim", `SELECT id FROM jobs WHERE ` + where + ` ORDER BY due, id LIMIT 1`, "SCAN jobs USING INDEX jobs_live_due", "SEARCH", args},
		{"name", `SELECT id FROM jobs WHERE name = $1 AND name <> '' AND state IN ('queued', 'running')`, "jobs_live_name", "SCAN", []any{"x"}},
		{"projects", `SELECT id FROM projects WHERE service = $1 AND account = $2 AND region = $3 AND (created < $4 OR created = $4 AND name > $5)
			ORDER BY created DESC, name LIMIT 10`, "projects_by_time", "B-TREE", []any{"lookout", "1", "r", 1, "x"}},
	} {
		rows, err := s.read.Query(`EXPLAIN QUERY PLAN `+tt.query, tt.args...)
		if err != nil {
			t.Fatal(err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		rows.Close()
		text := strings.Join(plan, "; ")
		if !strings.Contains(text, tt.index) || strings.Contains(text, tt.not) {
			t.Errorf("plan of %s: %s", tt.name, text)
		}
	}
}

// BenchmarkUpdate is the price of a durable commit.
func BenchmarkUpdate(b *testing.B) {
	s, err := Open(b.Context(), "sqlite:"+filepath.Join(b.TempDir(), "fovea.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for n := 0; b.Loop(); n++ { // SQLite does not write what is there already
		if err := s.Update(b.Context(), func(tx fovea.Tx) error { return tx.PutSetting("a", strconv.Itoa(n)) }); err != nil {
			b.Fatal(err)
		}
	}
}

// TestRemoved (T19): when the files of the database are removed or replaced
// under a running store, every transaction fails and says why, and Close saves what there was; when they come back, all goes on.
func TestRemoved(t *testing.T) {
	setting := func(s *Store) (value string) {
		err := s.View(t.Context(), func(tx fovea.Tx) (err error) { value, err = tx.Setting("a"); return err })
		if err != nil {
			t.Error(err)
		}
		return value
	}
	put := func(s *Store, value string) error {
		return s.Update(t.Context(), func(tx fovea.Tx) error { return tx.PutSetting("a", value) })
	}
	for _, tt := range []struct {
		name, want string
		harm       func(path string) error
		undo       func(path string) error // nil: close and open again
	}{
		{"all removed", "was removed", func(path string) error {
			return errors.Join(os.Remove(path), os.Remove(path+"-wal"), os.Remove(path+"-shm"))
		}, nil},
		{"removed", "was removed", os.Remove, nil},
		{"log removed", "-wal was removed", func(path string) error { return os.Remove(path + "-wal") }, nil},
		{"moved", "was removed", func(path string) error { return os.Rename(path, path+".away") },
			func(path string) error { return os.Rename(path+".away", path) }},
		{"replaced", "was replaced", func(path string) error {
			return errors.Join(os.Rename(path, path+".away"), os.WriteFile(path, nil, 0o600))
		}, func(path string) error { return os.Rename(path+".away", path) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fovea.db")
			s, err := Open(t.Context(), "sqlite:"+path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { s.Close() }()
			if err := errors.Join(put(s, "1"), s.InPlace()); err != nil {
				t.Fatal(err)
			}
			if err := tt.harm(path); err != nil {
				t.Fatal(err)
			}
			if err := put(s, "2"); err == nil || fovea.KindOf(err) != fovea.Internal || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("update = %v, want an Internal error: %s", err, tt.want)
			}
			if err := s.InPlace(); err == nil {
				t.Error("it says that its files are in place")
			}
			err = s.View(t.Context(), func(tx fovea.Tx) error { _, err := tx.Setting("a"); return err })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("view = %v, want %s", err, tt.want)
			}
			if tt.undo != nil {
				err = tt.undo(path)
			} else if err = s.Close(); err == nil {
				s, err = Open(t.Context(), "sqlite:"+path, Options{})
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := setting(s); got != "1" {
				t.Errorf("after that the setting = %q, want 1", got)
			}
			if err := put(s, "3"); err != nil {
				t.Errorf("update after that: %v", err)
			}
		})
	}
}
