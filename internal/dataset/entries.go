package dataset

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"

	"fovea"
	"fovea/internal/segment"
)

// A Query asks for a page of entries.
type Query struct {
	Filter   segment.Filter
	Revision int64  // the page is of; 0 for the current one
	Token    string // of the page before; "" for the first page
	Max      int    // entries of the page; more than 0
}

// A Page is a page of entries, and the token of the next page, "" if it is the
// last (CL-2.3).
type Page struct {
	Rows []segment.Row
	Next string
}

// Entries returns a page of the dataset's entries in the order of the manifest,
// those that were added later after them (CL-7.25, LV-2.46). The pages of one
// listing are of one revision: what changes meanwhile does not show. A dataset
// without content has no entries; whether it may be listed the caller decides.
func (o *Ops) Entries(ctx context.Context, v *View, q Query) (*Page, error) {
	if v.Dataset.Revision == 0 && q.Revision == 0 {
		return &Page{}, nil
	}
	scope := fmt.Sprintf("entries %d %s", v.Dataset.ID, describe(q.Filter))
	if q.Revision != 0 {
		scope += fmt.Sprintf(" of revision %d", q.Revision)
	}
	number, after := cmp.Or(q.Revision, v.Dataset.Revision), int64(-1)
	if q.Token != "" {
		pos, err := o.Pager.Open(scope, q.Token)
		if err != nil {
			return nil, err
		}
		number, after = int64(binary.BigEndian.Uint64(pos)), int64(binary.BigEndian.Uint64(pos[8:]))
	}
	rev, err := o.revision(ctx, v, number)
	if err != nil {
		return nil, err
	}
	rows, more, err := o.Reader.Page(ctx, rev.Segments, after, q.Filter, q.Max)
	if err != nil {
		if _, gone := o.revision(ctx, v, number); fovea.KindOf(gone) == fovea.NotFound {
			err = gone // and the sweep has taken its segments
		}
		return nil, err
	}
	page := &Page{Rows: rows}
	if more {
		pos := binary.BigEndian.AppendUint64(nil, uint64(number))
		pos = binary.BigEndian.AppendUint64(pos, uint64(rows[len(rows)-1].Seq))
		page.Next = o.Pager.Issue(scope, pos)
	}
	return page, nil
}

// describe writes a filter so that equal filters, and no others, look alike.
func describe(f segment.Filter) string {
	labeled := "any"
	if f.Labeled != nil {
		labeled = fmt.Sprint(*f.Labeled)
	}
	return fmt.Sprintf("%q %s %q %v %v %d %d", f.Labels, labeled, f.SourceRef, f.Errors, f.Class, f.Before, f.After)
}

// Labels returns a page of at most limit labels of the dataset in order of
// their first appearance (CL-7.42), and the token of the next page.
func (o *Ops) Labels(ctx context.Context, v *View, token string, limit int) ([]fovea.LabelCount, string, error) {
	if v.Revision == nil {
		return nil, "", nil
	}
	scope := fmt.Sprintf("labels %d", v.Dataset.ID)
	number, from := v.Revision.Number, 0
	labels := v.Revision.Labels
	if token != "" {
		pos, err := o.Pager.Open(scope, token)
		if err != nil {
			return nil, "", err
		}
		number, from = int64(binary.BigEndian.Uint64(pos)), int(binary.BigEndian.Uint64(pos[8:]))
		if number != v.Revision.Number {
			rev, err := o.revision(ctx, v, number)
			if err != nil {
				return nil, "", err
			}
			labels = rev.Labels
		}
	}
	from = min(from, len(labels))
	to := min(from+limit, len(labels))
	if to == len(labels) {
		return labels[from:to], "", nil
	}
	pos := binary.BigEndian.AppendUint64(nil, uint64(number))
	pos = binary.BigEndian.AppendUint64(pos, uint64(to))
	return labels[from:to], o.Pager.Issue(scope, pos), nil
}

// revision returns a revision whole, or NotFound: of the current one that the
// dataset was deleted since it was found, of an older one that it is not there.
func (o *Ops) revision(ctx context.Context, v *View, number int64) (*fovea.Revision, error) {
	var rev *fovea.Revision
	err := o.Store.View(ctx, func(tx fovea.Tx) (err error) {
		rev, err = tx.Revision(v.Dataset.ID, number)
		return err
	})
	switch {
	case err == nil || fovea.KindOf(err) != fovea.NotFound:
		return rev, err
	case number == v.Dataset.Revision:
		return nil, noDataset(v.Project, v.Dataset.Split)
	}
	return nil, noRevision(v, number)
}
