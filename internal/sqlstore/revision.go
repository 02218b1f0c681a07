package sqlstore

import (
	"encoding/json"
	"fmt"

	"fovea"
)

const revisionColumns = `dataset, number, created, cause, caller, entries, labeled, errors, normal, anomaly, labels, bucket, next_seq, report`

func scanRevision(s scanner) (*fovea.Revision, error) {
	var r fovea.Revision
	var created int64
	var labels string
	err := s.Scan(&r.Dataset, &r.Number, &created, &r.Cause, &r.Caller,
		&r.Stats.Entries, &r.Stats.Labeled, &r.Stats.Errors, &r.Stats.Normal, &r.Stats.Anomaly,
		&labels, &r.Bucket, &r.NextSeq, &r.Report)
	if err != nil {
		return nil, err
	}
	r.Created = fromMillis(created)
	r.Labels, err = decodeLabels(labels)
	return &r, err
}

// A storedLabel is a fovea.LabelCount with the names that it has in the
// database, whatever becomes of the type.
type storedLabel struct {
	Name    string `json:"name"`
	Lines   int64  `json:"lines"`
	Entries int64  `json:"entries"`
	Boxed   int64  `json:"boxed"`
}

func encodeLabels(labels []fovea.LabelCount) (string, error) {
	list := make([]storedLabel, len(labels))
	for i, l := range labels {
		list[i] = storedLabel(l)
	}
	data, err := json.Marshal(list)
	return string(data), err
}

// decodeLabels returns nil for no labels.
func decodeLabels(text string) (labels []fovea.LabelCount, err error) {
	var list []storedLabel
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	for _, l := range list {
		labels = append(labels, fovea.LabelCount(l))
	}
	return labels, nil
}

// Revision implements fovea.Tx.
func (t *tx) Revision(id fovea.DatasetID, number int64) (*fovea.Revision, error) {
	r, err := t.RevisionStats(id, number)
	if err != nil {
		return nil, err
	}
	var packed []byte
	err = t.row(`SELECT segments FROM revision_segments WHERE dataset = $1 AND number = $2`, id, number).Scan(&packed)
	if err == nil {
		r.Segments, err = unpackSegments(packed)
	}
	if err != nil {
		return nil, fmt.Errorf("read the segments of revision %d of dataset %d: %w", number, id, err)
	}
	return r, nil
}

// RevisionStats implements fovea.Tx.
func (t *tx) RevisionStats(id fovea.DatasetID, number int64) (*fovea.Revision, error) {
	r, err := scanRevision(t.row(`SELECT `+revisionColumns+` FROM revisions WHERE dataset = $1 AND number = $2`, id, number))
	if err != nil {
		return nil, missing(err, "revision %d of dataset %d", number, id)
	}
	return r, nil
}

// PutRevision implements fovea.Tx. A revision is never changed, so a second
// one of its number is an error.
func (t *tx) PutRevision(r *fovea.Revision) error {
	labels, err := encodeLabels(r.Labels)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("put revision %d of dataset %d", r.Number, r.Dataset)
	err = t.exec(what, `
		INSERT INTO revisions (`+revisionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.Dataset, r.Number, millis(r.Created), storable(r.Cause), r.Caller,
		r.Stats.Entries, r.Stats.Labeled, r.Stats.Errors, r.Stats.Normal, r.Stats.Anomaly,
		labels, storable(r.Bucket), r.NextSeq, r.Report)
	if err != nil {
		return err
	}
	return t.exec(what, `INSERT INTO revision_segments (dataset, number, segments) VALUES ($1, $2, $3)`,
		r.Dataset, r.Number, packSegments(r.Segments))
}
