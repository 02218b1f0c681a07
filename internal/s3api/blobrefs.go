package s3api

import (
	"errors"
)

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
