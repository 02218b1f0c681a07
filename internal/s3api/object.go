package s3api

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"
	"unicode/utf8"
)

// nullVersion is the version of what was stored while the bucket had no
// versioning, or had it suspended.
const nullVersion = "null"

// maxKey is the longest key in bytes of UTF-8.
const maxKey = 1024

// An object is one version of a key, or a delete marker.
type object struct {
	id       int64
	bucket   string
	key      string
	version  string
	latest   bool
	marker   bool
	size     int64
	etag     string // without quotation marks
	modified time.Time
	info     info
	tags     tags
	body     extents // not loaded by lists
	upload   string  // the multipart upload that made it
}

// An info is what a client said of an object and gets back with it.
type info struct {
	Headers map[string]string `json:"h,omitempty"` // such as Content-Type
	Meta    map[string]string `json:"m,omitempty"` // x-amz-meta-, names in lower case without it
	Class   string            `json:"c,omitempty"` // storage class, if not STANDARD
	Sum     sum               `json:"s,omitzero"`
	Parts   int               `json:"p,omitempty"` // of a multipart upload
}

// tags are the tags of an object.
type tags map[string]string

// A part is a part of a multipart upload, or of the object it became.
type part struct {
	Number   int       `json:"n"`
	Size     int64     `json:"z"`
	Sum      sum       `json:"s,omitzero"`
	etag     string    // without quotation marks
	modified time.Time // only while uploading
	body     extents   // only while uploading
}

// checkKey refuses what cannot be a key.
func checkKey(key string) error {
	switch {
	case key == "":
		return errorf("InvalidRequest", "The object key is empty.")
	case len(key) > maxKey:
		return errorf("KeyTooLongError", "Your key is too long: %d bytes of UTF-8, and at most %d are allowed.", len(key), maxKey)
	case !utf8.ValidString(key):
		return errorf("InvalidURI", "The object key is not valid UTF-8.")
	}
	return nil
}

// newVersion returns a version ID that was never used.
func newVersion() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// mustJSON encodes one of the package's own types.
func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

const objectColumns = `id, bucket, key, version, latest, marker, size, etag, modified, info, tags, body, upload`

// scanObject reads a row of objectColumns, nil if there is none.
func scanObject(row *sql.Row) (*object, error) {
	var (
		o          object
		modified   int64
		info, tags string
		body       []byte
	)
	err := row.Scan(&o.id, &o.bucket, &o.key, &o.version, &o.latest, &o.marker, &o.size, &o.etag, &modified, &info, &tags, &body, &o.upload)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	o.modified = time.UnixMilli(modified).UTC()
	if err := errors.Join(json.Unmarshal([]byte(info), &o.info), json.Unmarshal([]byte(tags), &o.tags)); err != nil {
		return nil, err
	}
	o.body, err = decodeExtents(body)
	return &o, err
}

// findObject returns a version, the latest if version is "", nil if there is
// none.
func findObject(q querier, bucket, key, version string) (*object, error) {
	if version == "" {
		return scanObject(q.queryRow(`SELECT `+objectColumns+` FROM objects WHERE bucket = ?1 AND key = ?2 AND latest = 1`, bucket, key))
	}
	return scanObject(q.queryRow(`SELECT `+objectColumns+` FROM objects WHERE bucket = ?1 AND key = ?2 AND version = ?3`, bucket, key, version))
}

// getObject returns a version that has content, the latest if version is "".
// A missing one and a delete marker are errors as S3 words them.
func getObject(q querier, bucket, key, version string) (*object, error) {
	o, err := findObject(q, bucket, key, version)
	if err != nil {
		return nil, err
	}
	if o == nil {
		if _, err := getBucket(q, bucket); err != nil {
			return nil, err
		}
		if version != "" {
			return nil, errorf("NoSuchVersion", "The specified version does not exist: s3://%s/%s?versionId=%s", bucket, key, version)
		}
		return nil, noSuchKey(bucket, key)
	}
	if o.marker {
		e := noSuchKey(bucket, key)
		if version != "" {
			e = errorf("MethodNotAllowed", "The specified method is not allowed against this resource: version %s is a delete marker.", version)
		}
		e.Header = map[string][]string{"X-Amz-Delete-Marker": {"true"}, "X-Amz-Version-Id": {o.version}}
		if version != "" {
			e.Header.Set("Last-Modified", o.modified.Format(httpTime))
		}
		return nil, e
	}
	return o, nil
}

// partsOf returns the parts of an object that a multipart upload made.
func (s *Store) partsOf(ctx context.Context, o *object) ([]part, error) {
	var text string
	if err := s.read(ctx).queryRow(`SELECT parts FROM objects WHERE id = ?1`, o.id).Scan(&text); err != nil {
		return nil, err
	}
	if text == "" {
		return nil, nil
	}
	var parts []part
	return parts, json.Unmarshal([]byte(text), &parts)
}

// setTags replaces the tags of an object and returns its version.
func (s *Store) setTags(ctx context.Context, bucket, key, version string, tg tags) (*object, error) {
	var o *object
	err := s.update(ctx, func(t *tx) (err error) {
		if o, err = getObject(t, bucket, key, version); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE objects SET tags = ?2 WHERE id = ?1`, o.id, mustJSON(tg))
		return err
	})
	return o, err
}

func (o *object) class() string {
	if o.info.Class == "" {
		return "STANDARD"
	}
	return o.info.Class
}
