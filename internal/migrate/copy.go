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
	"time"

	"golang.org/x/sync/errgroup"
)

// What is copied is remembered, and synced, every copySync or copyBatch
// objects, whichever comes first.
const (
	copySync  = 100 * time.Millisecond
	copyBatch = 64
)

// A copied object is one whose content is known.
type copied struct {
	place string
	size  int64
	sum   []byte // nil if there is no such object
}

// copyAll copies all objects that are not yet.
func (m *Migration) copyAll(ctx context.Context) error {
	var n, of int64
	err := m.st.db.QueryRowContext(ctx, `SELECT COALESCE(SUM(copied), 0), COUNT(*) FROM objects`).Scan(&n, &of)
	if err != nil || n == of {
		return err
	}
	m.log("copying %d images and masks to s3://%s/%s", of-n, m.To.Bucket, m.To.Key)
	g, gctx := errgroup.WithContext(ctx)
	places, done := make(chan string), make(chan copied)
	g.Go(func() error {
		defer close(places)
		return m.feed(gctx, places)
	})
	for range m.workers() {
		g.Go(func() error {
			for place := range places {
				c, err := m.copyOne(gctx, place)
				if err != nil {
					return fmt.Errorf("copy %s: %w", place, err)
				}
				done <- c
			}
			return nil
		})
	}
	failed := make(chan error, 1)
	go func() {
		failed <- g.Wait()
		close(done)
	}()
	err = m.gather(ctx, done, func(copied int) {
		n += int64(copied)
		m.bar("copied images and masks", n, of)
	})
	return cmp.Or(<-failed, err)
}

// feed sends the places of all objects that are not copied yet.
func (m *Migration) feed(ctx context.Context, places chan<- string) error {
	for last := ""; ; {
		page, err := collect(ctx, m.st, func(rows *sql.Rows, place *string) error { return rows.Scan(place) },
			`SELECT place FROM objects WHERE copied = 0 AND place > ? ORDER BY place LIMIT 1000`, last)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, last = range page {
			select {
			case places <- last:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

// gather remembers what was copied until done is closed. It goes on after an
// error, which it returns in the end, so that nobody waits for it.
func (m *Migration) gather(ctx context.Context, done <-chan copied, progress func(n int)) (err error) {
	tick := time.NewTicker(copySync)
	defer tick.Stop()
	var batch []copied
	flush := func() {
		if len(batch) > 0 && err == nil {
			if err = m.remember(ctx, batch); err == nil {
				progress(len(batch))
			}
		}
		batch = batch[:0]
	}
	for {
		select {
		case c, ok := <-done:
			if !ok {
				flush()
				return err
			}
			if batch = append(batch, c); len(batch) >= copyBatch {
				flush()
			}
		case <-tick.C:
			flush()
		}
	}
}

// remember stores which objects are copied, also if ctx has ended.
func (m *Migration) remember(ctx context.Context, batch []copied) error {
	return m.st.update(context.WithoutCancel(ctx), func(tx *sql.Tx) error {
		for _, c := range batch {
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
		return copied{place: place}, nil
	}
	if err != nil {
		return copied{}, err
	}
	defer body.Close()
	to, h := m.target(place), sha256.New()
	c := copied{place: place, size: info.Size}
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
		err = fmt.Errorf("it broke off after %d of %d bytes: %w", n, info.Size, io.ErrUnexpectedEOF)
	}
	if c.sum = h.Sum(nil); err != nil || stay {
		return c, err
	}
	theirs, err := m.S3.sum(ctx, to)
	if err == nil && !bytes.Equal(theirs.sum, c.sum) {
		err = fmt.Errorf("%s is there already, with another content, and is not overwritten; choose another place with --to, and another folder with --out", to)
	}
	return c, err
}
