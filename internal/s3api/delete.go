package s3api

import (
	"context"
)

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
