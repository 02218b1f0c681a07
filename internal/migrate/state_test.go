package migrate

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// TestOneRun: a second run in the same folder is refused.
func TestOneRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), stateFile)
	s, err := openState(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the mode of the state is %v, %v", st.Mode(), err)
	}
	if other, err := openState(path); err == nil || !strings.Contains(err.Error(), "another migration") {
		t.Errorf("a second run: %v, %v", other, err)
	}
}

// TestSweep: what a killed run left is removed, and nothing else.
func TestSweep(t *testing.T) {
	m := &Migration{Dir: filepath.Join(t.TempDir(), "[a]*")}
	for _, name := range []string{"fovea-migrate-1.tmp", "migration.db", "mine.tmp", "x.new"} {
		if err := errors.Join(os.MkdirAll(m.Dir, 0o700), os.WriteFile(filepath.Join(m.Dir, name), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.sweep(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(m.Dir)
	if err != nil || len(left) != 3 || left[0].Name() != "migration.db" {
		t.Errorf("%v, %v", left, err)
	}
}

// TestCompare: every way in which a destination may differ.
func TestCompare(t *testing.T) {
	s, err := openState(filepath.Join(t.TempDir(), stateFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	leaf := func(text string) []byte { h := leafHash([]byte(text)); return h[:] }
	source := []leafRow{
		{ref: "", line: 9, leaf: leaf("bad"), problem: "it is not a JSON object"},
		{ref: "", line: 10, leaf: leaf("bad too"), problem: "it is not a JSON object"},
		{ref: "a", line: 1, written: 1, leaf: leaf("a")},
		{ref: "b", line: 2, written: 2, leaf: leaf("b"), images: map[string]string{"source-ref": "01"}},
		{ref: "c", line: 3, written: 3, leaf: leaf("c")},
		{ref: "d", line: 4, written: 4, leaf: leaf("d")},
		{ref: "e", line: 5, written: 5, leaf: leaf("e")},
		{ref: "e", line: 6, written: 6, leaf: leaf("e again")},
		{ref: "z", line: 7, leaf: leaf("z"), problem: "it names nothing"},
	}
	there := []leafRow{
		{ref: "a", line: 1, leaf: leaf("a")}, {ref: "b", line: 2, leaf: leaf("B"), images: map[string]string{"source-ref": "02"}},
		{ref: "e", line: 3, leaf: leaf("e")}, {ref: "f", line: 4, leaf: leaf("f")}, {ref: "zz", line: 5, leaf: leaf("zz")},
	}
	err = s.update(t.Context(), func(tx *sql.Tx) error {
		for side, rows := range [][]leafRow{source, there} {
			for _, r := range rows {
				if err := putLeaf(tx, 1, side, r); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(`INSERT INTO findings (dataset, line, text) VALUES (1, 4, 'ERROR_X')`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	c, err := compare(t.Context(), s, &dataset{id: 1, split: fovea.Train}, func(e EntryFact) error {
		if e.Change == "" {
			got = append(got, e.SourceRef+" equal")
		} else {
			got = append(got, e.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"train line 9: left out: it is not a JSON object",
		"train line 10: left out: it is not a JSON object",
		"a equal",
		"train line 2 b: changed: source-ref names another content: SHA-256 02 was 01",
		"train line 3 c: missing",
		"train line 4 d: dropped: ERROR_X",
		"e equal",
		"train line 6 e: dropped: another line of the source has the same image",
		"train f: added",
		"train line 7 z: left out: it names nothing",
		"train zz: added",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	var tree merkle
	for _, r := range there {
		tree.add([sha256.Size]byte(r.leaf))
	}
	if c.differences != 9 || c.trees[1].root() != tree.root() || c.trees[0].n != 9 {
		t.Errorf("%d differences, trees %s and %s", c.differences, c.trees[0].root(), c.trees[1].root())
	}
}

// TestPrintable: what a manifest says does not command a terminal (T07).
func TestPrintable(t *testing.T) {
	e := EntryFact{Split: fovea.Train, SourceRef: "s3://b/\x1b[2J\r", Change: Missing}
	v := &Verification{}
	v.problem("%s", e)
	if strings.ContainsAny(v.Problems[0], "\x1b\r") {
		t.Errorf("%q", v.Problems[0])
	}
	for range maxProblems {
		v.problem("x")
	}
	if len(v.Problems) != maxProblems || v.More != 1 {
		t.Errorf("%d problems and %d more", len(v.Problems), v.More)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"statement":{"certificate":"fovea.migration/1","datasets":[{"split":"train","source":{"entries":1,"labels":[{"name":"a"}]}}]},"signature":{"value":"AA=="}}`))
	f.Add([]byte(`{"statement":[],"signature":{}}`))
	f.Add([]byte(`{"statement":{"certificate":"fovea.migration/1"},"statement":{"certificate":"x"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, s, err := Parse("x", text)
		if err != nil {
			return
		}
		if out := Text(s, file.Signature, nil); strings.Count(out, "\n") < 10 || s.Certificate != statementForm {
			t.Errorf("%q gives %q", text, out)
		}
	})
}
