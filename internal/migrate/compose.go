package migrate

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"fovea"
)

// manifestOf returns where the new manifest of a dataset is.
func (m *Migration) manifestOf(d *dataset) fovea.ObjectRef {
	return fovea.ObjectRef{Bucket: m.To.Bucket, Key: fmt.Sprintf("%smanifests/%s/%s/%s.manifest", m.To.Key, d.project.service, d.project.name, d.split)}
}

// A summing is what composing, or reading back, sums up of a side of a dataset.
type summing struct {
	Lines   int64   // of the source, or entries of the destination
	Written int64   // lines of the new manifest
	Labels  []Label // of all lines that can be read
}

func summingName(d *dataset, side int) string { return fmt.Sprintf("summing/%d/%d", d.id, side) }

// summing returns what was summed up, and whether it was.
func (m *Migration) summing(ctx context.Context, d *dataset, side int) (s summing, ok bool, err error) {
	text, err := m.st.meta(ctx, summingName(d, side))
	if err != nil || text == "" {
		return s, false, err
	}
	return s, true, json.Unmarshal([]byte(text), &s)
}

// compose writes the new manifest of a dataset and uploads it, and remembers
// what each line of the source is, unless that is done.
func (m *Migration) compose(ctx context.Context, d *dataset) (err error) {
	if _, done, err := m.summing(ctx, d, 0); done || err != nil {
		return err
	}
	f, err := os.CreateTemp(m.Dir, temporary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	return m.st.update(ctx, func(tx *sql.Tx) error {
		c := composer{m: m, d: d, tx: tx, out: bufio.NewWriterSize(f, 256<<10), labels: newTally()}
		sum, err := c.run()
		if err != nil {
			return err
		}
		if err := m.uploadManifest(ctx, d, f); err != nil {
			return err
		}
		text, err := json.Marshal(sum)
		if err != nil {
			return err
		}
		return setMeta(tx, summingName(d, 0), string(text))
	})
}

// uploadManifest uploads the manifest that a file holds.
func (m *Migration) uploadManifest(ctx context.Context, d *dataset, f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	if size == 0 { // a dataset without entries is made without a manifest
		return nil
	}
	ref := m.manifestOf(d)
	m.log("writing %s", ref)
	_, err = m.S3.Write(ctx, ref, "application/jsonl", f, size)
	return err
}

// A composer writes the manifest of one dataset in one transaction.
type composer struct {
	m      *Migration
	d      *dataset
	tx     *sql.Tx
	out    *bufio.Writer
	labels *tally
	sum    summing
	line   line
	buf    []byte
}

// composeBatch is how many lines, of maxLine bytes at most, are in memory.
const composeBatch = 64

// A kept line is one as it is in the state.
type kept struct {
	id     int64
	text   []byte
	places []string
	bad    string
}

// run goes through all lines.
func (c *composer) run() (summing, error) {
	if _, err := c.tx.Exec(`DELETE FROM leaves WHERE dataset = ? AND side = 0`, c.d.id); err != nil {
		return c.sum, err
	}
	for last := lineID(c.d.id, 0); ; {
		batch, err := c.read(last)
		if err != nil {
			return c.sum, err
		}
		for i := range batch {
			if err := c.add(&batch[i]); err != nil {
				return c.sum, err
			}
			last = batch[i].id
		}
		if len(batch) == 0 {
			c.sum.Labels = c.labels.sorted()
			return c.sum, c.out.Flush()
		}
	}
}

func (c *composer) read(last int64) (batch []kept, err error) {
	rows, err := c.tx.Query(`SELECT id, text, places, problem FROM lines WHERE id > ? AND id < ? ORDER BY id LIMIT ?`,
		last, lineID(c.d.id+1, 0), composeBatch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var k kept
		var places string
		if err := rows.Scan(&k.id, &k.text, &places, &k.bad); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(places), &k.places); err != nil {
			return nil, err
		}
		batch = append(batch, k)
	}
	return batch, rows.Err()
}

// add writes a line to the manifest, if it can be there, and remembers it.
func (c *composer) add(k *kept) error {
	number := k.id - lineID(c.d.id, 0)
	c.sum.Lines++
	images := map[string]string{}
	normal, target := k.text, ""
	if c.line.read(k.text) == nil && len(c.line.refs) == len(k.places) {
		c.labels.add(&c.line)
		sums, err := c.sums(k)
		if err != nil {
			return err
		}
		normal = c.line.appendNormal(nil, c.d.project.service, func(i int) ([]byte, bool) {
			return sums[i], k.places[i] != "" || c.line.refs[i].sure
		})
		for i, r := range c.line.refs {
			if sums[i] != nil {
				images[r.key] = hex.EncodeToString(sums[i])
			}
			if r.key == sourceRef && k.places[i] != "" {
				target = c.m.target(k.places[i]).String()
			}
		}
	}
	written := int64(0)
	if k.bad == "" {
		c.sum.Written++
		written = c.sum.Written
		if err := c.write(k); err != nil {
			return err
		}
	}
	leaf := leafHash(normal)
	return putLeaf(c.tx, c.d.id, 0, leafRow{ref: target, line: number, written: written, leaf: leaf[:], images: images, problem: k.bad})
}

// sums returns the SHA-256 of what each ref of a line names. The first one
// that names an object that is not there makes the line one that cannot be
// migrated, as AWS's own export leaves such lines out (LV-13.19b).
func (c *composer) sums(k *kept) ([][]byte, error) {
	sums := make([][]byte, len(k.places))
	for i, place := range k.places {
		if place == "" {
			continue
		}
		if err := c.tx.QueryRow(`SELECT sum FROM objects WHERE place = ?`, place).Scan(&sums[i]); err != nil {
			return nil, err
		}
		if sums[i] == nil && k.bad == "" {
			k.bad = fmt.Sprintf("%s names %s, which does not exist", c.line.refs[i].key, place)
		}
	}
	return sums, nil
}

// write writes a line with the new places.
func (c *composer) write(k *kept) error {
	c.buf = c.line.appendReplaced(c.buf[:0], func(i int) (string, bool) {
		if k.places[i] == "" {
			return "", false
		}
		return c.m.target(k.places[i]).String(), true
	})
	_, err := c.out.Write(append(c.buf, '\n'))
	return err
}

// A leafRow is an entry of one side of a dataset.
type leafRow struct {
	ref     string
	line    int64
	written int64
	leaf    []byte
	images  map[string]string // SHA-256 in hexadecimal by the key of the ref
	problem string
}

func putLeaf(tx *sql.Tx, dataset int64, side int, r leafRow) error {
	images, err := json.Marshal(r.images)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO leaves (dataset, side, ref, line, written, leaf, images, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		dataset, side, r.ref, r.line, r.written, r.leaf, string(images), r.problem)
	return err
}
