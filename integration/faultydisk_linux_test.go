package integration

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"fovea/integration/cutfs"
)

// TestFaultyDisk (T19): the disk of a running server refuses to write, or fails
// now and then: the call is answered with 5xx or has happened, /readyz tells
// while it lasts, reads go on, and when it is over all goes on without a
// restart. In the end, after a power failure, what was acknowledged is there.
func TestFaultyDisk(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	every := func(n int64, errno syscall.Errno, matches func(cutfs.Op) bool) func(cutfs.Op) syscall.Errno {
		return func(op cutfs.Op) syscall.Errno {
			if matches(op) && seen.Add(1)%n == 0 {
				return errno
			}
			return 0
		}
	}
	writes := func(op cutfs.Op) bool { return op.Writes() && !strings.HasSuffix(op.Path, "-shm") }
	syncs := func(op cutfs.Op) bool { return op.Kind == "fsync" }
	isDatabase := func(op cutfs.Op) bool { return strings.Contains(op.Path, ".db") }
	for _, tt := range []struct {
		name  string
		fault func(cutfs.Op) syscall.Errno
		lasts bool // nothing can be written meanwhile
	}{
		{"read-only", every(1, syscall.EROFS, writes), true},
		{"full", every(1, syscall.ENOSPC, writes), true},
		{"every write fails", every(1, syscall.EIO, writes), true},
		{"every sync fails", every(1, syscall.EIO, syncs), true},
		{"one write in 7 fails", every(7, syscall.EIO, writes), false},
		{"one sync in 5 fails", every(5, syscall.EIO, syncs), false},
		{"full now and then", every(3, syscall.ENOSPC, writes), false},
		{"no descriptors now and then", every(3, syscall.EMFILE, func(op cutfs.Op) bool { return op.Kind == "create" || op.Kind == "open" }), false},
		{"the databases cannot be written", every(1, syscall.EIO, func(op cutfs.Op) bool { return writes(op) && isDatabase(op) }), false},
		{"no segment can be read now and then", every(2, syscall.EIO, func(op cutfs.Op) bool { return op.Kind == "read" && !isDatabase(op) }), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, nil)
			m.work("before")
			train := datasetOfNamed(t, m, "before")
			m.disk.Fail(tt.fault)
			if tt.lasts {
				awaitReadiness(t, m.server, http.StatusServiceUnavailable)
				fails(t, "an update", update(t.Context(), m.server, train, leaf("x", "part")))
				fails(t, "an upload", m.server.Put(t.Context(), "factory", "x", strings.NewReader("x"), 1))
				_, err := makeProject(t.Context(), m.server, "x")
				if !strings.Contains(tt.name, "sync") { // which SQLite notices only at some of them
					fails(t, "a new project", err)
				}
				if lost := m.look(); len(lost) > 0 {
					t.Errorf("meanwhile reads fail: %v", lost)
				}
			} else {
				m.tryAll(train)
			}
			m.disk.Fail(nil)
			awaitReadiness(t, m.server, http.StatusOK)
			if d := ended(t, m.server, train); !strings.HasPrefix(d.Status, "UPDATE_") {
				t.Errorf("after that the dataset is %+v", d)
			}
			if err := change(t.Context(), m.server, train, leaf("after", "part")); err != nil {
				t.Errorf("an update after that: %v", err)
			}
			m.work("after")
			m.facts = m.withoutDataset("before") // which has changed since
			if err := m.cut(cutfs.All, nil); err != nil {
				t.Fatal(err)
			}
			if lost := m.lost(); len(lost) > 0 {
				t.Errorf("lost: %v", lost)
			}
		})
	}
}

// datasetOfNamed returns the dataset of a project by its name.
func datasetOfNamed(t *testing.T, m *machine, project string) string {
	t.Helper()
	arn, _, err := m.only(t.Context(), project)
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

// look returns what of the facts cannot be read.
func (m *machine) look() (lost []string) {
	for _, f := range m.facts {
		if err := f.look(); err != nil {
			lost = append(lost, fmt.Sprintf("%s: %v", f.what, err))
		}
	}
	return lost
}

// withoutDataset returns the facts that are not about a project's dataset.
func (m *machine) withoutDataset(project string) (facts []fact) {
	for _, f := range m.facts {
		if f.what != "the import and update of "+project {
			facts = append(facts, f)
		}
	}
	return facts
}

// tryAll makes calls of which some fail: each fails as the server's fault, or
// has happened.
func (m *machine) tryAll(train string) {
	t := m.t
	for n := range 12 {
		key := fmt.Sprintf("try-%d", n)
		if err := m.server.Put(t.Context(), "factory", key, strings.NewReader(key), int64(len(key))); err == nil {
			m.facts = append(m.facts, fact{"the object " + key, m.object(key, key)})
		} else {
			fails(t, "an upload", err)
		}
		if _, err := makeProject(t.Context(), m.server, key); err == nil {
			m.facts = append(m.facts, fact{"the project " + key, m.project(key)})
		} else {
			fails(t, "a new project", err)
		}
		err := update(t.Context(), m.server, train, leaf(key, "part"))
		if err != nil && !strings.Contains(err.Error(), "ResourceInUse") {
			fails(t, "an update", err)
		}
	}
}

// project returns a look at a project.
func (m *machine) project(name string) func() error {
	return func() error {
		var found struct{ ProjectDescriptions []struct{ ProjectArn string } }
		err := m.server.Rekognition(m.t.Context(), "DescribeProjects", map[string]any{"ProjectNames": []string{name}}, &found)
		if err == nil && len(found.ProjectDescriptions) != 1 {
			err = errors.New("it is not there")
		}
		return err
	}
}

// TestFilesRemoved (T19): the files of the databases are removed, moved or
// replaced under a running server, and the folder of segments moved: nothing is
// acknowledged meanwhile, /readyz and the log say which file it is, and what
// comes back, or the end of the server, loses nothing.
func TestFilesRemoved(t *testing.T) {
	t.Parallel()
	move := func(data, name string) error {
		return os.Rename(filepath.Join(data, name), filepath.Join(data, name+".away"))
	}
	for _, tt := range []struct {
		name, file string
		harm       func(data string) error
		back       func(data string) error // nil: the server is stopped and started
	}{
		{"the database is removed", "fovea.db", func(data string) error {
			return errors.Join(os.Remove(filepath.Join(data, "fovea.db")), os.Remove(filepath.Join(data, "fovea.db-wal")), os.Remove(filepath.Join(data, "fovea.db-shm")))
		}, nil},
		{"the database's log is removed", "fovea.db-wal", func(data string) error { return os.Remove(filepath.Join(data, "fovea.db-wal")) }, nil},
		{"the database is replaced", "fovea.db", func(data string) error {
			return errors.Join(move(data, "fovea.db"), os.WriteFile(filepath.Join(data, "fovea.db"), nil, 0o600))
		}, func(data string) error {
			return os.Rename(filepath.Join(data, "fovea.db.away"), filepath.Join(data, "fovea.db"))
		}},
		{"the database of the S3 is removed", "s3.db", func(data string) error {
			return errors.Join(os.Remove(filepath.Join(data, "s3", "s3.db")), os.Remove(filepath.Join(data, "s3", "s3.db-wal")))
		}, nil},
		{"the segments are moved", "blobs", func(data string) error { return move(data, "blobs") },
			func(data string) error {
				return os.Rename(filepath.Join(data, "blobs.away"), filepath.Join(data, "blobs"))
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &machine{t: t, server: running(t, filepath.Join(t.TempDir(), "data"), "--limits", "none", "--import-range", "65536")}
			m.work("before")
			train := datasetOfNamed(t, m, "before")
			if err := tt.harm(m.server.Data); err != nil {
				t.Fatal(err)
			}
			awaitReadiness(t, m.server, http.StatusServiceUnavailable)
			// A look between the removal of two files of a database names the
			// one that it misses first.
			named := regexp.MustCompile(regexp.QuoteMeta(tt.file) + "((-wal)? was|: )")
			for deadline := time.Now().Add(patience); !named.MatchString(m.server.Output()); {
				if time.Now().After(deadline) {
					t.Fatalf("the log does not name %s", tt.file)
				}
				time.Sleep(20 * time.Millisecond)
			}
			if tt.file == "s3.db" {
				fails(t, "an upload", m.server.Put(t.Context(), "factory", "x", strings.NewReader("x"), 1))
			} else {
				fails(t, "an update", update(t.Context(), m.server, train, leaf("x", "part")))
			}
			if tt.back != nil {
				if err := tt.back(m.server.Data); err != nil {
					t.Fatal(err)
				}
			} else {
				m.server.Stop() // whatever its status: it had to save
				if err := m.server.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			awaitReadiness(t, m.server, http.StatusOK)
			if lost := m.lost(); len(lost) > 0 {
				t.Errorf("lost: %v", lost)
			}
			m.work("after")
		})
	}
}
