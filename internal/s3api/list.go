package s3api

import (
	"context"
	"encoding/json"
	"strings"
	"time"
)

// A listing is what one page of a list shall hold.
type listing struct {
	bucket    string
	prefix    string
	delimiter string
	after     string // only keys after this one
	afterID   int64  // versions: of key after, only those older than this id; 0 for none of that key
	limit     int
	versions  bool // all versions and markers instead of the latest objects
}

// A page is one page of a list.
type page struct {
	objects  []object // without body and tags
	prefixes []string
	more     bool
	next     string // pass as after to go on
	nextID   int64  // versions: id of the last version
}

// seekAfter is how many rows of one common prefix are stepped over before the
// next key is looked up instead.
const seekAfter = 16

// list returns one page.
func (s *Store) list(ctx context.Context, l listing) (*page, error) {
	if _, err := getBucket(s.read(ctx), l.bucket); err != nil {
		return nil, err
	}
	p := &page{}
	if l.limit <= 0 {
		return p, nil
	}
	c := cursor{from: l.prefix, end: prefixEnd(l.prefix)}
	if l.after >= l.prefix {
		c.from, c.fromID = l.after, l.afterID
		c.open = true
	}
	if g := l.group(l.after); g != "" && g == l.after { // the last page ended with this prefix
		c = cursor{from: prefixEnd(g), end: c.end}
	}
	for more := true; more && !p.more; {
		var err error
		if more, err = s.listFrom(ctx, l, &c, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// A cursor is a place in the order of keys.
type cursor struct {
	from   string
	open   bool  // from itself is left out
	fromID int64 // versions: of from, those older than this are left in
	end    string
}

// noEnd is greater than every key, because 0xff is in no UTF-8.
const noEnd = "\xff"

// prefixEnd returns what is greater than all keys that begin with prefix, and
// not greater than any key behind them.
func prefixEnd(prefix string) string {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1])
		}
	}
	return noEnd
}

// group returns the common prefix under which a key is listed, "" for none.
func (l listing) group(key string) string {
	if l.delimiter == "" || !strings.HasPrefix(key, l.prefix) {
		return ""
	}
	rest := key[len(l.prefix):]
	if i := strings.Index(rest, l.delimiter); i >= 0 {
		return key[:len(l.prefix)+i+len(l.delimiter)]
	}
	return ""
}

const (
	listColumns   = `SELECT id, key, version, latest, marker, size, etag, modified, info FROM objects WHERE bucket = ?1 AND key >= ?2 AND key < ?4 AND `
	latestQuery   = listColumns + `latest = 1 AND marker = 0 AND (key > ?2 OR NOT ?3) ORDER BY key LIMIT ?6`
	versionsQuery = listColumns + `(key > ?2 OR NOT ?3 OR id < ?5) ORDER BY key, id DESC LIMIT ?6`
)

// listFrom fills the page from the cursor on. It returns true, with the cursor
// moved, if it is better to begin anew behind a common prefix.
func (s *Store) listFrom(ctx context.Context, l listing, c *cursor, p *page) (bool, error) {
	query := latestQuery
	if l.versions {
		query = versionsQuery
	}
	rows, err := s.read(ctx).query(query, l.bucket, c.from, c.open, c.end, c.fromID, l.limit+seekAfter+2)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	n, skipped := 0, 0
	for rows.Next() {
		var o object
		var modified int64
		var text string
		if err := rows.Scan(&o.id, &o.key, &o.version, &o.latest, &o.marker, &o.size, &o.etag, &modified, &text); err != nil {
			return false, err
		}
		n++
		c.from, c.open, c.fromID = o.key, true, o.id
		if g := l.group(o.key); g != "" {
			if k := len(p.prefixes); k > 0 && p.prefixes[k-1] == g {
				if skipped++; skipped >= seekAfter {
					*c = cursor{from: prefixEnd(g), end: c.end}
					return true, nil
				}
				continue
			}
			if !p.take(l.limit) {
				return false, nil
			}
			p.prefixes = append(p.prefixes, g)
			p.next, p.nextID = g, 0
			continue
		}
		if !p.take(l.limit) {
			return false, nil
		}
		o.bucket, o.modified = l.bucket, time.UnixMilli(modified).UTC()
		if err := json.Unmarshal([]byte(text), &o.info); err != nil {
			return false, err
		}
		p.objects = append(p.objects, o)
		p.next, p.nextID = o.key, o.id
	}
	return n == l.limit+seekAfter+2, rows.Err()
}

// take reports whether the page has room for another entry, and remembers if
// it has not.
func (p *page) take(limit int) bool {
	p.more = len(p.objects)+len(p.prefixes) >= limit
	return !p.more
}

// versionID returns the id of a version, 0 if it is not there.
func (s *Store) versionID(ctx context.Context, bucket, key, version string) (int64, error) {
	o, err := findObject(s.read(ctx), bucket, key, version)
	if err != nil || o == nil {
		return 0, err
	}
	return o.id, nil
}
