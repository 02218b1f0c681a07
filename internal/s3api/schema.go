package s3api

import "fmt"

// schemaVersion is that of the tables which this program writes.
const schemaVersion = 1

// migrate makes the tables of a new store. It refuses those of a later
// program.
func (s *Store) migrate() error {
	var version int
	if err := s.w.QueryRow(`PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("the store was written by a later fovea (schema %d, this one knows %d); use that one", version, schemaVersion)
	}
	_, err := s.w.Exec(schema + fmt.Sprintf("PRAGMA user_version = %d", schemaVersion))
	return err
}

// schema makes the tables. Times are milliseconds since the Unix epoch.
//
// objects has a row for every version and every delete marker; of the versions
// of a key the one with the largest id is the latest, and latest says so.
// blobs counts the rows whose extents name a blob. A count of zero stays as a
// row, with the time it came to that, until the sweep has removed the file.
const schema = `
CREATE TABLE IF NOT EXISTS buckets (
	name       TEXT PRIMARY KEY,
	region     TEXT NOT NULL,
	created    INTEGER NOT NULL,
	versioning TEXT NOT NULL DEFAULT '' CHECK (versioning IN ('', 'Enabled', 'Suspended'))
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS documents (
	bucket TEXT NOT NULL REFERENCES buckets (name) ON DELETE CASCADE,
	kind   TEXT NOT NULL,
	doc    BLOB NOT NULL,
	PRIMARY KEY (bucket, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS objects (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	bucket   TEXT NOT NULL REFERENCES buckets (name),
	key      TEXT NOT NULL,
	version  TEXT NOT NULL,
	latest   INTEGER NOT NULL CHECK (latest IN (0, 1)),
	marker   INTEGER NOT NULL CHECK (marker IN (0, 1)),
	size     INTEGER NOT NULL,
	etag     TEXT NOT NULL,
	modified INTEGER NOT NULL,
	info     TEXT NOT NULL,
	tags     TEXT NOT NULL,
	body     BLOB NOT NULL,
	parts    TEXT NOT NULL DEFAULT '',
	upload   TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS objects_version ON objects (bucket, key, version);
CREATE UNIQUE INDEX IF NOT EXISTS objects_latest ON objects (bucket, key) WHERE latest = 1;
CREATE INDEX IF NOT EXISTS objects_order ON objects (bucket, key, id DESC);

CREATE TABLE IF NOT EXISTS uploads (
	id      TEXT PRIMARY KEY,
	bucket  TEXT NOT NULL REFERENCES buckets (name),
	key     TEXT NOT NULL,
	created INTEGER NOT NULL,
	info    TEXT NOT NULL,
	tags    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_order ON uploads (bucket, key, id);

CREATE TABLE IF NOT EXISTS parts (
	upload   TEXT NOT NULL REFERENCES uploads (id),
	number   INTEGER NOT NULL,
	size     INTEGER NOT NULL,
	etag     TEXT NOT NULL,
	modified INTEGER NOT NULL,
	sum      TEXT NOT NULL,
	body     BLOB NOT NULL,
	PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS blobs (
	id    INTEGER PRIMARY KEY,
	refs  INTEGER NOT NULL CHECK (refs >= 0),
	freed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS blobs_freed ON blobs (freed) WHERE refs = 0;
`
