package s3api

import (
	"context"
	"crypto/md5"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fovea/internal/sqlitefile"
)

// An Archive is the folder of a store, to be read beside the process that
// serves it. It changes nothing.
type Archive struct {
	db    *sql.DB
	blobs *blobs
}

// OpenArchive opens the folder of a store that is there.
func OpenArchive(dir string) (*Archive, error) {
	file := filepath.Join(dir, "s3.db")
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("open S3 store %s: %w", dir, err)
	}
	db, err := openDB(file, 1, "mode=rw")
	if err != nil {
		return nil, fmt.Errorf("open S3 store %s: %w", dir, err)
	}
	var version int
	if err = db.QueryRow(`PRAGMA user_version`).Scan(&version); err == nil && version != schemaVersion {
		err = fmt.Errorf("its schema has version %d and this fovea's %d: use the fovea of the server that runs on it", version, schemaVersion)
	}
	var root *os.Root
	if err == nil {
		root, err = os.OpenRoot(filepath.Join(dir, "blobs"))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open S3 store %s: %w", dir, err), db.Close())
	}
	return &Archive{db, &blobs{root: root, now: time.Now, pins: map[int64]int{}}}, nil
}

// Close closes the archive.
func (a *Archive) Close() error { return errors.Join(a.db.Close(), a.blobs.close()) }

// Integrity reads all of the database and returns what is wrong with it, in the
// words of SQLite.
func (a *Archive) Integrity(ctx context.Context) (faults []string, err error) {
	return sqlitefile.Integrity(ctx, a.db)
}

// Snapshot writes the database as of one moment to a file, which must not be
// there.
func (a *Archive) Snapshot(ctx context.Context, file string) error {
	if _, err := a.db.ExecContext(ctx, `VACUUM INTO ?1`, file); err != nil {
		return fmt.Errorf("write a snapshot of the S3 database to %s: %w", file, err)
	}
	return nil
}

// archiveBatch is how many rows are read at a time.
const archiveBatch = 500

// Blobs yields the paths, within the folder, of the files that objects and
// parts need.
func (a *Archive) Blobs(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for after := int64(-1); ; {
			ids, err := a.ids(ctx, `SELECT id FROM blobs WHERE refs > 0 AND id > ?1 ORDER BY id LIMIT ?2`, after)
			if err != nil {
				yield("", fmt.Errorf("list the files of the S3 store: %w", err))
				return
			}
			for _, id := range ids {
				if !yield("blobs/"+blobName(id), nil) {
					return
				}
				after = id
			}
			if len(ids) < archiveBatch {
				return
			}
		}
	}
}

func (a *Archive) ids(ctx context.Context, query string, after int64) ([]int64, error) {
	rows, err := a.db.QueryContext(ctx, query, after, archiveBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// A Damage is an object whose bytes are not there, or not those that were
// stored.
type Damage struct {
	Object  string // S3 URI with the version
	Problem string
}

// A Verification counts what Verify has looked at, and what is damaged.
type Verification struct {
	Objects int64
	Bytes   int64
	Damaged []Damage
}

// Verify reads the bytes of every version of every object and compares them with
// its size and its ETag, which is made of MD5 sums. Of an object that was
// copied from a multipart upload the size only. What is deleted meanwhile is no
// damage.
func (a *Archive) Verify(ctx context.Context) (*Verification, error) {
	v := &Verification{}
	for after := int64(-1); ; {
		ids, err := a.ids(ctx, `SELECT id FROM objects WHERE marker = 0 AND id > ?1 ORDER BY id LIMIT ?2`, after)
		if err != nil {
			return nil, fmt.Errorf("verify the S3 store: %w", err)
		}
		for _, id := range ids {
			after = id
			if err := a.verify(ctx, v, id); err != nil {
				return nil, fmt.Errorf("verify the S3 store: %w", err)
			}
		}
		if len(ids) < archiveBatch {
			return v, nil
		}
	}
}

// verify checks one object, unless it is gone.
func (a *Archive) verify(ctx context.Context, v *Verification, id int64) error {
	o, parts, err := a.object(ctx, id)
	if err != nil || o == nil {
		return err
	}
	v.Objects++
	v.Bytes += o.size
	problem := a.check(ctx, o, parts)
	if problem == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	if now, _, err := a.object(ctx, id); err != nil || now == nil {
		return err // deleted while it was read
	}
	v.Damaged = append(v.Damaged, Damage{"s3://" + o.bucket + "/" + o.key + "?versionId=" + o.version, problem.Error()})
	return nil
}

// object returns an object and the sizes of its parts, nil if there is none.
func (a *Archive) object(ctx context.Context, id int64) (*object, []part, error) {
	o, err := scanObject(a.db.QueryRowContext(ctx, `SELECT `+objectColumns+` FROM objects WHERE id = ?1`, id))
	if err != nil || o == nil {
		return nil, nil, err
	}
	var text string
	err = a.db.QueryRowContext(ctx, `SELECT parts FROM objects WHERE id = ?1`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	var parts []part
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &parts)
	}
	return o, parts, err
}

// check compares the bytes of an object with what its row says.
func (a *Archive) check(ctx context.Context, o *object, parts []part) error {
	if n := o.body.size(); n != o.size {
		return fmt.Errorf("its row has %d bytes in files and %d in all", n, o.size)
	}
	body := a.blobs.open(slices.Clone(o.body))
	defer body.Close()
	sizes := []int64{o.size}
	if len(parts) > 0 {
		sizes = sizes[:0]
		for _, p := range parts {
			sizes = append(sizes, p.Size)
		}
	}
	var sums []byte
	for _, n := range sizes {
		h := md5.New()
		if _, err := io.CopyN(h, contextReader{ctx, body}, n); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		sums = h.Sum(sums)
	}
	etag := hex.EncodeToString(sums)
	if len(parts) > 0 {
		all := md5.Sum(sums)
		etag = fmt.Sprintf("%x-%d", all, len(parts))
	} else if strings.Contains(o.etag, "-") {
		return nil
	}
	if etag != o.etag {
		return fmt.Errorf("its bytes have the ETag %s and not %s", etag, o.etag)
	}
	return nil
}

// A contextReader reads until its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
