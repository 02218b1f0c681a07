package s3api

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"
	"time"
)

// buffers are what bodies are copied through.
var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// A staged body is on disk, and no row names it yet.
type staged struct {
	w    *blobWriter // nil for an empty body
	body extents
	size int64
	md5  []byte
	sum  []byte // of the algorithm that was asked for; nil for none
}

// stage writes a body to a new blob and makes it durable. The algorithm may be
// nil. Whatever stage returns without an error must be settled or dropped.
func (s *Store) stage(body io.Reader, a *algorithm) (*staged, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	sums := []hash.Hash{md5.New()}
	if a != nil {
		sums = append(sums, a.new())
	}
	st := &staged{}
	for {
		n, err := fill(body, *buf)
		if n > 0 {
			if werr := s.write(st, (*buf)[:n], sums); werr != nil {
				err = werr
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			st.drop()
			return nil, err
		}
	}
	st.md5 = sums[0].Sum(nil)
	if a != nil {
		st.sum = sums[1].Sum(nil)
	}
	if st.w == nil {
		return st, nil
	}
	st.body = extents{{st.w.id, 0, st.size}}
	if err := st.w.sync(); err != nil {
		st.drop()
		return nil, err
	}
	return st, nil
}

// fill reads until p is full or r ends or fails. Unlike io.ReadFull it keeps
// the end of a body apart from a body that broke off.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = r.Read(p[n:])
		n += k
	}
	return n, err
}

// write takes one buffer of the body in.
func (s *Store) write(st *staged, p []byte, sums []hash.Hash) error {
	if st.w == nil {
		w, err := s.blobs.create()
		if err != nil {
			return err
		}
		st.w = w
	}
	for _, h := range sums {
		h.Write(p)
	}
	st.size += int64(len(p))
	_, err := st.w.Write(p)
	return err
}

// drop removes the blob, which no row names.
func (st *staged) drop() {
	if st.w != nil {
		st.w.discard()
	}
}

// settle ends the staging after the transaction that was to name the blob. If
// that was refused the blob goes; if its outcome is not known, the sweep finds
// out.
func (st *staged) settle(err error) {
	switch {
	case st.w == nil:
	case err != nil && asError(err) != nil:
		st.w.discard()
	default:
		st.w.close()
	}
}

// A condition is what must hold of the latest version for a write to go on.
type condition struct {
	match     string // If-Match: its ETag, or *
	noneMatch string // If-None-Match: only * has a meaning for writes
}

// check reports PreconditionFailed if the condition does not hold of o, which
// is nil if there is no object.
func (c condition) check(bucket, key string, o *object) error {
	exists := o != nil && !o.marker
	if c.noneMatch != "" && exists && (c.noneMatch == "*" || matchesETag(c.noneMatch, o.etag)) {
		return errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold: s3://%s/%s exists.", bucket, key)
	}
	if c.match == "" {
		return nil
	}
	if !exists {
		return noSuchKey(bucket, key)
	}
	if !matchesETag(c.match, o.etag) {
		return errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold: "+
			"s3://%s/%s has the ETag \"%s\".", bucket, key, o.etag)
	}
	return nil
}

// putObject stores a staged object and settles it. It sets version and
// modified of o, and reports whether the bucket has versions.
func (s *Store) putObject(ctx context.Context, o *object, st *staged, cond condition) (*bucket, error) {
	o.size, o.etag, o.body = st.size, hex.EncodeToString(st.md5), st.body
	var b *bucket
	err := s.update(ctx, func(t *tx) (err error) {
		if b, err = t.insertObject(o, cond, nil); err != nil {
			return err
		}
		return t.addBlobs(o.body)
	})
	st.settle(err)
	return b, err
}

// insertObject makes o the latest version of its key, replacing what the
// bucket's versioning does not keep.
func (t *tx) insertObject(o *object, cond condition, parts []part) (*bucket, error) {
	b, err := getBucket(t, o.bucket)
	if err != nil {
		return nil, err
	}
	old, err := findObject(t, o.bucket, o.key, "")
	if err != nil {
		return nil, err
	}
	if err := cond.check(o.bucket, o.key, old); err != nil {
		return nil, err
	}
	o.version, o.latest = nullVersion, true
	if b.versioning == versioningEnabled {
		o.version = newVersion()
	} else if err := t.dropVersion(o.bucket, o.key, nullVersion); err != nil {
		return nil, err
	}
	if _, err := t.exec(`UPDATE objects SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest = 1`, o.bucket, o.key); err != nil {
		return nil, err
	}
	text := ""
	if parts != nil {
		text = mustJSON(parts)
	}
	o.modified = t.now.Truncate(time.Millisecond)
	_, err = t.exec(`INSERT INTO objects (bucket, key, version, latest, marker, size, etag, modified, info, tags, body, parts, upload)
		VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
		o.bucket, o.key, o.version, o.marker, o.size, o.etag, o.modified.UnixMilli(), mustJSON(o.info), mustJSON(o.tags),
		o.body.encode(), text, o.upload)
	return b, err
}

// dropVersion removes a version if it is there.
func (t *tx) dropVersion(bucket, key, version string) error {
	o, err := findObject(t, bucket, key, version)
	if err != nil || o == nil {
		return err
	}
	return t.dropObject(o)
}

// dropObject removes a version and gives its blobs back.
func (t *tx) dropObject(o *object) error {
	if err := t.releaseBlobs(o.body); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM objects WHERE id = ?1`, o.id)
	return err
}

// addBlobs enters new blobs, named by one row.
func (t *tx) addBlobs(es extents) error {
	for _, id := range es.blobs() {
		if _, err := t.exec(`INSERT INTO blobs (id, refs) VALUES (?1, 1)`, id); err != nil {
			return err
		}
	}
	return nil
}

// errGone says that the bytes of an object were removed while it was copied.
var errGone = errors.New("the bytes of the source are gone")

// shareBlobs counts another row that names blobs which are there.
func (t *tx) shareBlobs(es extents) error {
	for _, id := range es.blobs() {
		n, err := t.exec(`UPDATE blobs SET refs = refs + 1, freed = 0 WHERE id = ?1`, id)
		if err != nil {
			return err
		}
		if n == 0 {
			return errGone
		}
	}
	return nil
}

// releaseBlobs takes one row off the count of each blob.
func (t *tx) releaseBlobs(es extents) error {
	for _, id := range es.blobs() {
		_, err := t.exec(`UPDATE blobs SET refs = refs - 1, freed = CASE refs WHEN 1 THEN ?2 ELSE 0 END WHERE id = ?1`, id, t.now.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// A deletion is what DeleteObject came to.
type deletion struct {
	version string // of the version or marker that went or came; "" in a bucket without versions
	marker  bool   // that version is a delete marker
}

// deleteObject removes a version; without one it removes the object of a
// bucket without versions, and hides that of a bucket with versions behind a
// delete marker. Removing what is not there succeeds.
func (s *Store) deleteObject(ctx context.Context, bucket, key, version string, cond condition) (deletion, error) {
	var d deletion
	err := s.update(ctx, func(t *tx) (err error) {
		d, err = t.deleteObject(bucket, key, version, cond)
		return err
	})
	return d, err
}

func (t *tx) deleteObject(bucket, key, version string, cond condition) (deletion, error) {
	b, err := getBucket(t, bucket)
	if err != nil {
		return deletion{}, err
	}
	old, err := findObject(t, bucket, key, version)
	if err != nil {
		return deletion{}, err
	}
	if err := cond.check(bucket, key, old); err != nil {
		return deletion{}, err
	}
	switch {
	case version != "" && old == nil:
		return deletion{version: version}, nil
	case version != "":
		if err := t.dropObject(old); err != nil {
			return deletion{}, err
		}
		return deletion{version: version, marker: old.marker}, t.promote(bucket, key)
	case !b.versioned():
		if old == nil {
			return deletion{}, nil
		}
		return deletion{}, t.dropObject(old)
	}
	m := &object{bucket: bucket, key: key, marker: true}
	_, err = t.insertObject(m, condition{}, nil)
	return deletion{version: m.version, marker: true}, err
}

// promote makes the newest version the latest if no version is.
func (t *tx) promote(bucket, key string) error {
	_, err := t.exec(`UPDATE objects SET latest = 1 WHERE id = (SELECT max(id) FROM objects WHERE bucket = ?1 AND key = ?2)`, bucket, key)
	return err
}
