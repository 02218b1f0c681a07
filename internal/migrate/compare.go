package migrate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"os"
	"slices"
)

// An entriesWriter writes an entries file and sums it up.
type entriesWriter struct {
	f     *os.File
	out   *bufio.Writer
	enc   *json.Encoder
	hash  hash.Hash
	lines int64
}

// newEntriesWriter begins a file, under a name that close replaces.
func newEntriesWriter(path string) (*entriesWriter, error) {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	w := &entriesWriter{f: f, hash: sha256.New()}
	w.out = bufio.NewWriterSize(io.MultiWriter(f, w.hash), 256<<10)
	w.enc = json.NewEncoder(w.out)
	w.enc.SetEscapeHTML(false)
	return w, nil
}

func (w *entriesWriter) write(e EntryFact) error {
	w.lines++
	return w.enc.Encode(e)
}

// close makes the file durable under its name.
func (w *entriesWriter) close(path string) error {
	if err := errors.Join(w.out.Flush(), w.f.Sync(), w.f.Close()); err != nil {
		return err
	}
	return rename(w.f.Name(), path)
}

// A comparison goes through both sides of a dataset in the order of their refs.
type comparison struct {
	d           *dataset
	write       func(EntryFact) error
	trees       [2]merkle
	differences int64
	there       *leafRow // of the destination, with the ref of the rows that follow
	matched     bool     // a row of the source has the ref of there
}

// compare compares both sides of a dataset, writes each entry, and returns how
// many differ, and the trees.
func compare(ctx context.Context, s *state, d *dataset, write func(EntryFact) error) (*comparison, error) {
	c := &comparison{d: d, write: write}
	rows, err := s.db.QueryContext(ctx, `
		SELECT l.side, l.ref, l.line, l.written, l.leaf, l.images, l.problem, COALESCE(f.text, '')
		FROM leaves l LEFT JOIN findings f ON l.side = 0 AND l.written > 0 AND f.dataset = l.dataset AND f.line = l.written
		WHERE l.dataset = ? ORDER BY l.ref, l.side DESC, l.line`, d.id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var row leafRow
		var side int
		var images, dropped string
		if err := rows.Scan(&side, &row.ref, &row.line, &row.written, &row.leaf, &images, &row.problem, &dropped); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(images), &row.images); err != nil {
			return nil, err
		}
		c.trees[side].add([sha256.Size]byte(row.leaf))
		if err := c.add(side, row, dropped); err != nil {
			return nil, err
		}
	}
	return c, errors.Join(rows.Err(), c.flush())
}

// add judges a row. For each ref that of the destination comes first.
func (c *comparison) add(side int, row leafRow, dropped string) error {
	if side == 1 {
		err := c.flush()
		c.there, c.matched = &row, false
		return err
	}
	there := c.there
	if there != nil && there.ref != row.ref {
		if err := c.flush(); err != nil {
			return err
		}
		there = nil
	}
	e := EntryFact{Split: c.d.split, SourceRef: row.ref, Line: row.line, Leaf: hex.EncodeToString(row.leaf), Images: row.images}
	switch {
	case row.problem != "":
		e.Change, e.Reason = LeftOut, row.problem
	case dropped != "":
		e.Change, e.Reason = Dropped, dropped
	case there == nil:
		e.Change = Missing
	case c.matched:
		e.Change, e.Reason = Dropped, "another line of the source has the same image"
	default:
		c.matched = true
		if !bytes.Equal(there.leaf, row.leaf) {
			e.Change, e.NewLeaf, e.NewImages = Changed, hex.EncodeToString(there.leaf), there.images
		}
	}
	if e.Change != "" {
		c.differences++
	}
	return c.write(e)
}

// flush writes the entry of the destination that no line of the source has
// matched.
func (c *comparison) flush() error {
	there := c.there
	c.there = nil
	if there == nil || c.matched {
		return nil
	}
	c.differences++
	return c.write(EntryFact{Split: c.d.split, SourceRef: there.ref, Change: Added, NewLeaf: hex.EncodeToString(there.leaf), NewImages: there.images})
}

// objectsOf counts the contents that a side of a dataset names, each once, and
// their bytes.
func objectsOf(ctx context.Context, s *state, dataset int64, side int) (n, size int64, err error) {
	err = s.db.QueryRowContext(ctx, `
		WITH sizes AS (SELECT lower(hex(sum)) AS sum, size FROM objects WHERE sum IS NOT NULL UNION SELECT lower(hex(sum)), size FROM sums WHERE sum IS NOT NULL),
		     named AS (SELECT DISTINCT j.value AS sum FROM leaves l, json_each(l.images) j WHERE l.dataset = ? AND l.side = ?)
		SELECT COUNT(*), COALESCE(SUM(sizes.size), 0) FROM named JOIN sizes ON sizes.sum = named.sum`, dataset, side).Scan(&n, &size)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n, size, err
}

// equalLabels reports whether both sides use the same labels as often.
func equalLabels(a, b summing) bool { return slices.Equal(a.Labels, b.Labels) }
