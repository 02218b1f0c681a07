package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fovea"
	"fovea/internal/model"
	"fovea/internal/s3api"
	"fovea/internal/sqlstore"
)

func backupCommand() *cobra.Command {
	c := config{LogFormat: "text", LogLevel: "warn"}
	var to string
	cmd := &cobra.Command{
		Use:   "backup --to DIR",
		Short: "Copy the data folder while the server runs",
		Long: "Copy a data folder to another one that is empty or not there, also while a server\n" +
			"works on it. A backup that was interrupted goes on when it is run again. The copy is a data folder: `fovea serve --data DIR` serves it as it was.\n" +
			"Files that never change become hard links where that is possible, which takes no\n" +
			"room; move or archive the copy elsewhere to be safe from a failing disk.",
		Example: "  fovea backup --data /var/lib/fovea --to /var/backups/fovea-monday\n  fovea verify --data /var/backups/fovea-monday",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := c.backup(cmd.Context(), to)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d files and the databases\n", to, b.files)
			return err
		},
	}
	c.dataFlags(cmd.Flags())
	cmd.Flags().StringVar(&c.Database, "database", "", "URL of the database, if it is SQLite elsewhere")
	cmd.Flags().StringVar(&to, "to", "", "folder of the copy")
	cmd.MarkFlagRequired("to")
	configFlag(cmd)
	return cmd
}

// A backup is a copy of a data folder under way.
type backup struct {
	from, to string
	files    int             // that are there
	dirs     map[string]bool // to be synced
}

// backupTries is how often a backup starts over because something that it needs
// was removed before it came to it.
const backupTries = 10

// backup copies the data folder. Every file that a database names must be in
// the copy, and the server removes files that no row names any more. So the
// files come first, then the database as of one moment, then the files that
// were new at that moment. What is still missing then was removed in between;
// with the files that are there already, another round is short. The database
// of datasets comes before that of S3, so that the images that an entry names
// are in the copy.
func (c *config) backup(ctx context.Context, to string) (*backup, error) {
	if c.Database != "" && !strings.HasPrefix(c.Database, "sqlite:") {
		return nil, errors.New("only a SQLite database can be copied: use pg_dump for this one, and then copy the blobs; docs/running.md tells how")
	}
	b := &backup{from: c.Data, to: to, dirs: map[string]bool{}}
	if err := b.prepare(); err != nil {
		return nil, err
	}
	if err := c.backupDatasets(ctx, b); err != nil {
		return nil, err
	}
	if err := b.objects(ctx); err != nil {
		return nil, err
	}
	if _, err := b.file(keyFile); err != nil {
		return nil, err
	}
	return b, b.finish()
}

// unfinished is the name of the file that is in a copy until it is whole.
const unfinished = "unfinished-backup"

// prepare makes the folder of the copy, or goes on with that of a backup that
// was interrupted: what is there already is whole.
func (b *backup) prepare() error {
	if err := os.MkdirAll(b.to, 0o700); err != nil {
		return err
	}
	list, err := os.ReadDir(b.to)
	if err != nil {
		return err
	}
	mark := filepath.Join(b.to, unfinished)
	if _, err := os.Stat(mark); len(list) > 0 && err != nil {
		return fmt.Errorf("%s is not empty: name a folder that is, or that is not there", b.to)
	}
	if err := os.WriteFile(mark, []byte("fovea backup was interrupted: run it again, or remove this folder\n"), 0o600); err != nil {
		return err
	}
	return cmp.Or(syncFile(mark), syncFile(b.to))
}

// finish makes all of the copy durable, and then says that it is whole.
func (b *backup) finish() error {
	if err := b.sync(); err != nil {
		return err
	}
	return cmp.Or(os.Remove(filepath.Join(b.to, unfinished)), syncFile(b.to))
}

// refuseUnfinished reports a data folder that is the copy of a backup which did
// not come to its end.
func (c *config) refuseUnfinished() error {
	if _, err := os.Stat(filepath.Join(c.Data, unfinished)); err == nil {
		return fmt.Errorf("%s is a backup that was interrupted: run fovea backup again, or use another copy", c.Data)
	}
	return nil
}

// backupDatasets copies the database and the blobs.
func (c *config) backupDatasets(ctx context.Context, b *backup) (err error) {
	n, err := c.openExisting(ctx)
	if n != nil {
		defer func() { err = errors.Join(err, n.Close()) }()
	}
	if err != nil {
		return err
	}
	return b.rounds(filepath.Join(b.to, "fovea.db"), func(file string) (missing int, err error) {
		if _, err := b.blobs(n.store.Reachable(ctx)); err != nil {
			return 0, err
		}
		// The mark that these are the blobs of the database, what belongs to
		// models, the reports that revisions do not name, and at last the updates
		// that wait, which come and go.
		for _, prefix := range []string{pairName, placePrefix, "weights/", "reports/", "changes/"} {
			if _, err := b.blobs(names(n.blobs.List(ctx, prefix))); err != nil {
				return 0, err
			}
		}
		if err := n.store.Snapshot(ctx, file); err != nil {
			return 0, err
		}
		return b.named(ctx, file)
	})
}

// names returns the names of blobs.
func names(list iter.Seq2[fovea.BlobInfo, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for info, err := range list {
			if !yield(info.Name, err) {
				return
			}
		}
	}
}

// named copies what the snapshot of the database names, and returns how much of
// it is gone.
func (b *backup) named(ctx context.Context, file string) (missing int, err error) {
	snap, err := sqlstore.Open(ctx, "sqlite:"+file, sqlstore.Options{Existing: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	if missing, err = b.blobs(snap.Reachable(ctx)); err != nil {
		return 0, err
	}
	gone, err := b.models(ctx, &model.Ops{Store: snap})
	if err != nil {
		return 0, err
	}
	missing += gone
	jobs, err := snap.LiveJobs(ctx, fovea.UpdateJob{}.Kind())
	if err != nil {
		return 0, err
	}
	for _, args := range jobs {
		var job fovea.UpdateJob
		if err := json.Unmarshal(args, &job); err != nil {
			return 0, err
		}
		there, err := b.blob(job.Changes)
		if err != nil {
			return 0, err
		}
		if !there {
			missing++
		}
	}
	return missing, nil
}

// models copies what the models of a snapshot need, and returns how many of them
// have lost their weights.
func (b *backup) models(ctx context.Context, models *model.Ops) (missing int, err error) {
	err = models.EachFiles(ctx, func(f model.Files) error {
		there, err := b.blob(f.Weights)
		if err == nil && !there {
			missing++
		}
		if err == nil {
			_, err = b.blob(f.Report)
		}
		return err
	})
	return missing, err
}

// objects copies the embedded S3, if there is one.
func (b *backup) objects(ctx context.Context) (err error) {
	a, err := s3api.OpenArchive(filepath.Join(b.from, "s3"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	dir := filepath.Join(b.to, "s3")
	if err := os.MkdirAll(filepath.Join(dir, "blobs"), 0o700); err != nil {
		return err
	}
	return b.rounds(filepath.Join(dir, "s3.db"), func(file string) (missing int, err error) {
		if _, err := b.under("s3", a.Blobs(ctx)); err != nil {
			return 0, err
		}
		if err := a.Snapshot(ctx, file); err != nil {
			return 0, err
		}
		snap, err := s3api.OpenArchive(dir)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, snap.Close()) }()
		return b.under("s3", snap.Blobs(ctx))
	})
}

// rounds calls fn, which writes the snapshot of a database to a file, until
// nothing is missing.
func (b *backup) rounds(file string, fn func(file string) (missing int, err error)) error {
	for try := 1; ; try++ {
		if err := removeDatabase(file); err != nil { // of a round before, or of a backup that was interrupted
			return err
		}
		missing, err := fn(file)
		if err != nil {
			return err
		}
		if missing == 0 {
			b.dirs[filepath.Dir(file)] = true
			return cmp.Or(os.Chmod(file, 0o600), syncFile(file))
		}
		if try == backupTries {
			return fmt.Errorf("%d files that the database named were removed before they were copied, %d times: try when less is going on", missing, try)
		}
	}
}

// removeDatabase removes the files of a SQLite database as far as they are
// there.
func removeDatabase(file string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (b *backup) blobs(list iter.Seq2[string, error]) (missing int, err error) {
	for name, err := range list {
		if err != nil {
			return missing, err
		}
		there, err := b.blob(name)
		if err != nil {
			return missing, err
		}
		if !there {
			missing++
		}
	}
	return missing, nil
}

// blob copies a blob and reports whether there is one.
func (b *backup) blob(name string) (bool, error) {
	if err := fovea.CheckBlobName(name); err != nil {
		return false, err
	}
	return b.file(filepath.Join("blobs", filepath.FromSlash(name)))
}

// under copies files under a folder of the data folder, and returns how many
// are gone.
func (b *backup) under(dir string, list iter.Seq2[string, error]) (missing int, err error) {
	for name, err := range list {
		if err != nil {
			return missing, err
		}
		there, err := b.file(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return missing, err
		}
		if !there {
			missing++
		}
	}
	return missing, nil
}

// file copies a file that never changes, and reports whether there is one.
func (b *backup) file(name string) (bool, error) {
	from, to := filepath.Join(b.from, name), filepath.Join(b.to, name)
	if err := b.folder(filepath.Dir(to)); err != nil {
		return false, err
	}
	if _, err := os.Lstat(to); err == nil {
		return true, nil
	}
	err := os.Link(from, to)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = copyFile(from, to) // on another disk, or one that has no links
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	b.files++
	return true, nil
}

// folder makes a folder of the copy, and those above it.
func (b *backup) folder(dir string) error {
	if b.dirs[dir] {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for d := dir; !b.dirs[d]; d = filepath.Dir(d) {
		b.dirs[d] = true
		if d == filepath.Clean(b.to) {
			break
		}
	}
	return nil
}

// sync makes the names in the folders durable.
func (b *backup) sync() error {
	b.dirs[filepath.Dir(filepath.Clean(b.to))] = true
	for dir := range b.dirs {
		if err := syncFile(dir); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a file whole, durably, or not at all.
func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return os.Rename(out.Name(), to)
}

// syncFile makes a file, or the names in a folder, durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
