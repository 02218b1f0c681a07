package migrate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"path"

	"golang.org/x/sync/errgroup"
)

// copyBatch is how many objects are copied between two syncs of the state.
const copyBatch = 128

// A copied object is one whose content is known.
type copied struct {
	place string
	size  int64
	sum   []byte // nil if there is no such object
	done  bool
}

// copyAll copies all objects that are not yet.
func (m *Migration) copyAll(ctx context.Context) error {
	var n, of int64
	err := m.st.db.QueryRowContext(ctx, `SELECT COALESCE(SUM(copied), 0), COUNT(*) FROM objects`).Scan(&n, &of)
	if err != nil {
		return err
	}
	if n < of {
		m.log("copying %d images and masks to s3://%s/%s", of-n, m.To.Bucket, m.To.Key)
	}
	for last := ""; ; {
		batch, err := collect(ctx, m.st, func(rows *sql.Rows, c *copied) error { return rows.Scan(&c.place) },
			`SELECT place FROM objects WHERE copied = 0 AND place > ? ORDER BY place LIMIT ?`, last, copyBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		last = batch[len(batch)-1].place
		failed := m.copyBatch(ctx, batch)
		if err := m.remember(ctx, batch); err != nil {
			return errors.Join(failed, err)
		}
		if failed != nil {
			return failed
		}
		n += int64(len(batch))
		m.bar("copied images and masks", n, of)
	}
}

// copyBatch copies objects side by side, and returns the first error.
func (m *Migration) copyBatch(ctx context.Context, batch []copied) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(m.workers())
	for i := range batch {
		g.Go(func() error {
			c, err := m.copyOne(ctx, batch[i].place)
			if err != nil {
				return fmt.Errorf("copy %s: %w", batch[i].place, err)
			}
			batch[i] = c
			return nil
		})
	}
	return g.Wait()
}

// remember stores which objects of a batch are copied, also if ctx has ended.
func (m *Migration) remember(ctx context.Context, batch []copied) error {
	return m.st.update(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		for _, c := range batch {
			if !c.done {
				continue
			}
			if _, err := tx.Exec(`UPDATE objects SET copied = 1, size = ?, sum = ? WHERE place = ?`, c.size, c.sum, c.place); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyOne copies an object and returns its SHA-256. An object of the same
// content that is there already is not written again, and one of another
// content is not overwritten.
func (m *Migration) copyOne(ctx context.Context, place string) (copied, error) {
	body, info, err := m.Source.open(ctx, place)
	if errors.Is(err, fs.ErrNotExist) {
		return copied{place: place, done: true}, nil
	}
	if err != nil {
		return copied{}, err
	}
	defer body.Close()
	to, h := m.target(place), sha256.New()
	c := copied{place: place, size: info.Size, done: true}
	stay := m.SameS3 && to.String() == place
	there := stay
	if !stay {
		_, err := m.S3.Stat(ctx, to)
		if there = err == nil; !there && !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	if !there {
		kind := cmp.Or(info.ContentType, mime.TypeByExtension(path.Ext(to.Key)), "application/octet-stream")
		if _, err := m.S3.Write(ctx, to, kind, io.TeeReader(body, h), info.Size); err != nil {
			return c, err
		}
		c.sum = h.Sum(nil)
		return c, nil
	}
	n, err := io.Copy(h, body)
	if err == nil && n != info.Size {
		err = fmt.Errorf("it broke off after %d of %d bytes", n, info.Size)
	}
	if c.sum = h.Sum(nil); err != nil || stay {
		return c, err
	}
	theirs, err := m.S3.sum(ctx, to)
	if err == nil && !bytes.Equal(theirs.sum, c.sum) {
		err = fmt.Errorf("%s is there already, with another content, and is not overwritten; choose another place with --to", to)
	}
	return c, err
}
