package s3api

import (
	"context"
	"encoding/hex"
	"time"
)

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
