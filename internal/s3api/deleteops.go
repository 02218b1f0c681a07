package s3api

import (
	"net/http"
)

func deleteObject(q *request) error {
	d, err := q.s.Store.deleteObject(q.Context(), q.bucket, q.key, q.query.Get("versionId"), condition{match: q.Header.Get("If-Match")})
	if err != nil {
		return err
	}
	if d.version != "" {
		q.w.Header().Set("X-Amz-Version-Id", d.version)
	}
	if d.marker {
		q.w.Header().Set("X-Amz-Delete-Marker", "true")
	}
	return q.done(http.StatusNoContent)
}

// maxDeletes is how many objects DeleteObjects takes at a time.
const maxDeletes = 1000

func deleteObjects(q *request) error {
	var in struct {
		Quiet  bool
		Object []struct {
			Key       string
			VersionID string `xml:"VersionId"`
			ETag      string
		}
	}
	if err := q.readXML(&in); err != nil {
		return err
	}
	if len(in.Object) == 0 || len(in.Object) > maxDeletes {
		return errorf("MalformedXML", "The list of objects has %d entries; it must have 1 to %d.", len(in.Object), maxDeletes)
	}
	type deleted struct {
		Key                   string
		VersionID             string `xml:"VersionId,omitempty"`
		DeleteMarker          bool   `xml:",omitempty"`
		DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
	}
	type failed struct {
		Key       string
		VersionID string `xml:"VersionId,omitempty"`
		Code      string
		Message   string
	}
	var out struct {
		Deleted []deleted
		Error   []failed
	}
	err := q.s.Store.update(q.Context(), func(t *tx) error {
		if _, err := getBucket(t, q.bucket); err != nil {
			return err
		}
		for _, o := range in.Object {
			err := checkKey(o.Key)
			var d deletion
			if err == nil {
				d, err = t.deleteObject(q.bucket, o.Key, o.VersionID, condition{match: o.ETag})
			}
			if e := asError(err); e != nil {
				out.Error = append(out.Error, failed{o.Key, o.VersionID, e.Code, e.Message})
				continue
			}
			if err != nil {
				return err
			}
			if in.Quiet {
				continue
			}
			entry := deleted{Key: o.Key, VersionID: o.VersionID}
			if d.marker {
				entry.DeleteMarker, entry.DeleteMarkerVersionID = true, d.version
			}
			out.Deleted = append(out.Deleted, entry)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return q.answer("DeleteResult", &out)
}
