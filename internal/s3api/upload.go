package s3api

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"
)

// What S3 allows of a multipart upload.
const (
	maxParts   = 10000
	minPart    = 5 << 20 // bytes of every part but the last
	maxPart    = 5 << 30
	maxObject  = 5 << 40
	maxUploads = 1000 // of a page
)

// An upload is a multipart upload that is under way.
type upload struct {
	id      string
	bucket  string
	key     string
	created time.Time
	info    info // info.Sum has the algorithm and type of its checksum
	tags    tags
}

// createUpload begins a multipart upload.
func (s *Store) createUpload(ctx context.Context, u *upload) error {
	u.id = newVersion()
	return s.update(ctx, func(t *tx) error {
		if _, err := getBucket(t, u.bucket); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO uploads (id, bucket, key, created, info, tags) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
			u.id, u.bucket, u.key, t.now.UnixMilli(), mustJSON(u.info), mustJSON(u.tags))
		return err
	})
}

// getUpload returns an upload, or reports NoSuchUpload.
func getUpload(q querier, bucket, key, id string) (*upload, error) {
	u := &upload{id: id, bucket: bucket, key: key}
	var created int64
	var info, tags string
	err := q.queryRow(`SELECT created, info, tags FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3`, id, bucket, key).
		Scan(&created, &info, &tags)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errorf("NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, "+
			"or the upload may have been aborted or completed.")
	}
	if err != nil {
		return nil, err
	}
	u.created = time.UnixMilli(created).UTC()
	return u, errors.Join(json.Unmarshal([]byte(info), &u.info), json.Unmarshal([]byte(tags), &u.tags))
}

// putPart stores a part, replacing the one of its number. The bytes are a
// staged blob, or shared with another object if st is nil.
func (s *Store) putPart(ctx context.Context, u *upload, p *part, st *staged) error {
	err := s.update(ctx, func(t *tx) error {
		if _, err := getUpload(t, u.bucket, u.key, u.id); err != nil {
			return err
		}
		take := t.shareBlobs
		if st != nil {
			take = t.addBlobs
		}
		if err := take(p.body); err != nil {
			return err
		}
		old, err := t.partBody(u.id, p.Number)
		if err != nil {
			return err
		}
		if err := t.releaseBlobs(old); err != nil {
			return err
		}
		p.modified = t.now.Truncate(time.Millisecond)
		_, err = t.exec(`INSERT INTO parts (upload, number, size, etag, modified, sum, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (upload, number) DO UPDATE SET size = ?3, etag = ?4, modified = ?5, sum = ?6, body = ?7`,
			u.id, p.Number, p.Size, p.etag, p.modified.UnixMilli(), mustJSON(p.Sum), p.body.encode())
		return err
	})
	if st != nil {
		st.settle(err)
	}
	return err
}

func (t *tx) partBody(upload string, number int) (extents, error) {
	var body []byte
	err := t.queryRow(`SELECT body FROM parts WHERE upload = ?1 AND number = ?2`, upload, number).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeExtents(body)
}

// newPart returns the part that a staged body is.
func newPart(number int, st *staged, kept sum) *part {
	return &part{Number: number, Size: st.size, Sum: kept, etag: hex.EncodeToString(st.md5), body: st.body}
}

// listUploads returns a page of the uploads of a bucket, in order of key and
// then of time, and the common prefixes. With marker they begin after that
// upload of the key l.after, without it after all of that key.
func (s *Store) listUploads(ctx context.Context, l listing, marker string) (list []upload, prefixes []string, more bool, err error) {
	rows, err := s.read(ctx).query(`SELECT id, key, created, info FROM uploads WHERE bucket = ?1 AND key >= ?2 AND key < ?3
		AND (key > ?4 OR (key = ?4 AND ?5 <> '' AND (created, id) > (SELECT created, id FROM uploads WHERE id = ?5))) ORDER BY key, created, id`,
		l.bucket, l.prefix, prefixEnd(l.prefix), l.after, marker)
	if err != nil {
		return nil, nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		u := upload{bucket: l.bucket}
		var created int64
		var text string
		if err := rows.Scan(&u.id, &u.key, &created, &text); err != nil {
			return nil, nil, false, err
		}
		g := l.group(u.key)
		if g != "" && (g == l.after || len(prefixes) > 0 && prefixes[len(prefixes)-1] == g) {
			continue
		}
		if len(list)+len(prefixes) >= l.limit {
			return list, prefixes, true, nil
		}
		if g != "" {
			prefixes = append(prefixes, g)
			continue
		}
		u.created = time.UnixMilli(created).UTC()
		if err := json.Unmarshal([]byte(text), &u.info); err != nil {
			return nil, nil, false, err
		}
		list = append(list, u)
	}
	return list, prefixes, false, rows.Err()
}

const partsQuery = `SELECT number, size, etag, modified, sum, body FROM parts WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3`

// listParts returns up to limit parts after one number.
func (s *Store) listParts(ctx context.Context, upload string, after, limit int) ([]part, error) {
	rows, err := s.read(ctx).query(partsQuery, upload, after, limit)
	if err != nil {
		return nil, err
	}
	return scanParts(rows)
}

func (t *tx) allParts(upload string) ([]part, error) {
	rows, err := t.QueryContext(t.ctx, partsQuery, upload, 0, maxParts)
	if err != nil {
		return nil, err
	}
	return scanParts(rows)
}

func scanParts(rows *sql.Rows) ([]part, error) {
	defer rows.Close()
	var list []part
	for rows.Next() {
		var p part
		var modified int64
		var text string
		var body []byte
		if err := rows.Scan(&p.Number, &p.Size, &p.etag, &modified, &text, &body); err != nil {
			return nil, err
		}
		p.modified = time.UnixMilli(modified).UTC()
		var err error
		if p.body, err = decodeExtents(body); err == nil {
			err = json.Unmarshal([]byte(text), &p.Sum)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}

// abortUpload forgets an upload and its parts.
func (s *Store) abortUpload(ctx context.Context, bucket, key, id string) error {
	return s.update(ctx, func(t *tx) error {
		if _, err := getUpload(t, bucket, key, id); err != nil {
			return err
		}
		return t.dropUpload(id)
	})
}

// dropUpload removes the rows of an upload and gives the blobs of its parts
// back.
func (t *tx) dropUpload(id string) error {
	parts, err := t.allParts(id)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := t.releaseBlobs(p.body); err != nil {
			return err
		}
	}
	if _, err := t.exec(`DELETE FROM parts WHERE upload = ?1`, id); err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM uploads WHERE id = ?1`, id)
	return err
}

func (t *tx) uploadsOf(bucket string) ([]string, error) {
	rows, err := t.QueryContext(t.ctx, `SELECT id FROM uploads WHERE bucket = ?1`, bucket)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
