package sqlitefile_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver

	"fovea/internal/sqlitefile"
)

// filled returns the path of a closed database with a thousand rows.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)`); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1000 {
		if _, err := tx.Exec(`INSERT INTO t (name) VALUES ($1)`, strings.Repeat(fmt.Sprint(n, "-"), 20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestIntegrity (T18): torn, emptied and swapped pages and a file that is cut
// are found, whichever page it is.
func TestIntegrity(t *testing.T) {
	whole, err := os.ReadFile(filled(t))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	check := func(data []byte) []string {
		path := filepath.Join(t.TempDir(), "b.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		faults, err := sqlitefile.Integrity(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return faults
	}
	if faults := check(whole); len(faults) > 0 {
		t.Fatalf("a whole database: %q", faults)
	}
	pages := len(whole) / page
	for n := 1; n < pages; n++ {
		at := whole[n*page : (n+1)*page]
		other := whole[(n%(pages-1)+1)*page:][:page]
		for what, damaged := range map[string][]byte{
			"empty":   make([]byte, page),
			"torn":    append(append([]byte{}, other[:page/2]...), at[page/2:]...),
			"swapped": other,
		} {
			data := append(append(append([]byte{}, whole[:n*page]...), damaged...), whole[(n+1)*page:]...)
			if string(data) != string(whole) && len(check(data)) == 0 {
				t.Errorf("page %d, %s: nothing was found", n, what)
			}
		}
	}
	if len(check(whole[:len(whole)-page])) == 0 {
		t.Error("a database that is cut: nothing was found")
	}
}
