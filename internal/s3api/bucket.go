package s3api

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"regexp"
	"strings"
	"time"
)

// The states of a bucket's versioning. A bucket starts without.
const (
	versioningEnabled   = "Enabled"
	versioningSuspended = "Suspended"
)

// A bucket is a row of buckets.
type bucket struct {
	name       string
	region     string
	created    time.Time
	versioning string // "", Enabled or Suspended
}

// versioned reports whether versions of the bucket are told to clients.
func (b *bucket) versioned() bool { return b.versioning != "" }

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkBucketName holds a name against the rules of S3 for new buckets.
func checkBucketName(name string) error {
	_, err := netip.ParseAddr(name)
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || err == nil {
		return errorf("InvalidBucketName", "The specified bucket is not valid: %.80q. A name has 3 to 63 characters, which are lower-case "+
			"letters, digits, dots and hyphens, begins and ends with a letter or digit, and is no IP address.", name)
	}
	return nil
}

// CreateBucket makes a bucket; an existing one stays as it is. An empty region
// is the store's.
func (s *Store) CreateBucket(ctx context.Context, name, region string) error {
	_, err := s.createBucket(ctx, name, region)
	return err
}

// createBucket reports whether the bucket is new.
func (s *Store) createBucket(ctx context.Context, name, region string) (bool, error) {
	if err := checkBucketName(name); err != nil {
		return false, err
	}
	var n int64
	err := s.update(ctx, func(t *tx) (err error) {
		n, err = t.exec(`INSERT INTO buckets (name, region, created) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING`,
			name, cmp.Or(region, s.opts.Region), t.now.UnixMilli())
		return err
	})
	return n > 0, err
}

// SetVersioning turns versioning of a bucket on, or suspends it.
func (s *Store) SetVersioning(ctx context.Context, name string, on bool) error {
	state := versioningSuspended
	if on {
		state = versioningEnabled
	}
	return s.update(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE buckets SET versioning = ?2 WHERE name = ?1`, name, state)
		if err == nil && n == 0 {
			return noSuchBucket(name)
		}
		return err
	})
}

// getBucket returns the bucket, or reports NoSuchBucket.
func getBucket(q querier, name string) (*bucket, error) {
	b := &bucket{name: name}
	var created int64
	err := q.queryRow(`SELECT region, created, versioning FROM buckets WHERE name = ?1`, name).Scan(&b.region, &created, &b.versioning)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noSuchBucket(name)
	}
	b.created = time.UnixMilli(created).UTC()
	return b, err
}

// listBuckets returns up to limit buckets in order of name, after one name and
// with a prefix.
func (s *Store) listBuckets(ctx context.Context, prefix, after string, limit int) ([]bucket, error) {
	rows, err := s.read(ctx).query(`SELECT name, region, created FROM buckets
		WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3`, after, prefix, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []bucket
	for rows.Next() {
		var b bucket
		var created int64
		if err := rows.Scan(&b.name, &b.region, &created); err != nil {
			return nil, err
		}
		b.created = time.UnixMilli(created).UTC()
		list = append(list, b)
	}
	return list, rows.Err()
}

// deleteBucket removes an empty bucket, with its unfinished uploads.
func (s *Store) deleteBucket(ctx context.Context, name string) error {
	return s.update(ctx, func(t *tx) error {
		if _, err := getBucket(t, name); err != nil {
			return err
		}
		var full bool
		if err := t.queryRow(`SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)`, name).Scan(&full); err != nil {
			return err
		}
		if full {
			return errorf("BucketNotEmpty", "The bucket %s is not empty. You must delete all versions in the bucket.", name)
		}
		ids, err := t.uploadsOf(name)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.dropUpload(id); err != nil {
				return err
			}
		}
		_, err = t.exec(`DELETE FROM buckets WHERE name = ?1`, name)
		return err
	})
}

// document returns a document that a client stored with the bucket, such as
// its CORS rules, nil if there is none.
func (s *Store) document(ctx context.Context, name, kind string) ([]byte, error) {
	q := s.read(ctx)
	if _, err := getBucket(q, name); err != nil {
		return nil, err
	}
	var doc []byte
	err := q.queryRow(`SELECT doc FROM documents WHERE bucket = ?1 AND kind = ?2`, name, kind).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return doc, err
}

// putDocument stores a document; nil removes it.
func (s *Store) putDocument(ctx context.Context, name, kind string, doc []byte) error {
	return s.update(ctx, func(t *tx) error {
		if _, err := getBucket(t, name); err != nil {
			return err
		}
		if doc == nil {
			_, err := t.exec(`DELETE FROM documents WHERE bucket = ?1 AND kind = ?2`, name, kind)
			return err
		}
		_, err := t.exec(`INSERT INTO documents (bucket, kind, doc) VALUES (?1, ?2, ?3)
			ON CONFLICT (bucket, kind) DO UPDATE SET doc = ?3`, name, kind, doc)
		return err
	})
}
