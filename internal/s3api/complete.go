package s3api

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
)

// A wantedPart is a part that CompleteMultipartUpload names.
type wantedPart struct {
	number int
	etag   string
	sums   map[string]string // by algorithm, as far as the client gave them
}

// A completion is what CompleteMultipartUpload asks for.
type completion struct {
	parts []wantedPart
	sum   sum   // of the whole; zero if the client gave none
	size  int64 // of the whole; -1 if the client gave none
	cond  condition
}

// complete makes an object of the parts of an upload. If the upload has been
// completed before, and its object is still there, that is the answer: the
// client did not hear it the first time.
func (s *Store) complete(ctx context.Context, bkt, key, id string, c completion) (*object, error) {
	var o *object
	err := s.update(ctx, func(t *tx) error {
		u, err := getUpload(t, bkt, key, id)
		if err != nil {
			var found error
			if o, found = t.completed(bkt, key, id); found != nil || o == nil {
				return err
			}
			return nil
		}
		have, err := t.allParts(id)
		if err != nil {
			return err
		}
		parts, err := choose(have, c.parts)
		if err != nil {
			return err
		}
		if o, err = assemble(u, parts, c); err != nil {
			return err
		}
		if _, err := t.insertObject(o, c.cond, parts); err != nil {
			return err
		}
		if err := t.shareBlobs(o.body); err != nil {
			return err
		}
		return t.dropUpload(id)
	})
	return o, err
}

// completed returns the object that an upload became, nil if it is gone.
func (t *tx) completed(bucket, key, upload string) (*object, error) {
	return scanObject(t.queryRow(`SELECT `+objectColumns+` FROM objects WHERE bucket = ?1 AND key = ?2 AND upload = ?3`, bucket, key, upload))
}

// choose returns the parts that are wanted, which must be in order and as the
// client knows them.
func choose(have []part, want []wantedPart) ([]part, error) {
	if len(want) == 0 {
		return nil, errorf("MalformedXML", "You must specify at least one part.")
	}
	for i := 1; i < len(want); i++ {
		if want[i].number <= want[i-1].number {
			return nil, errorf("InvalidPartOrder", "The list of parts was not in ascending order: part %d follows part %d.",
				want[i].number, want[i-1].number)
		}
	}
	byNumber := make(map[int]*part, len(have))
	for i := range have {
		byNumber[have[i].Number] = &have[i]
	}
	parts := make([]part, 0, len(want))
	for i, w := range want {
		p := byNumber[w.number]
		if p == nil || p.etag != strings.Trim(w.etag, `"`) {
			return nil, errorf("InvalidPart", "One or more of the specified parts could not be found: part %d with ETag %.80q. "+
				"The part may not have been uploaded, or was replaced.", w.number, w.etag)
		}
		if given := w.sums[p.Sum.Algorithm]; given != "" && given != p.Sum.Value {
			return nil, errorf("InvalidPart", "The %s of part %d is %s, not %.80q.", p.Sum.Algorithm, w.number, p.Sum.Value, given)
		}
		if p.Size < minPart && i < len(want)-1 {
			return nil, errorf("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size: "+
				"part %d has %d bytes; all but the last need %d.", w.number, p.Size, minPart)
		}
		parts = append(parts, *p)
	}
	return parts, nil
}

// assemble returns the object that consists of the parts.
func assemble(u *upload, parts []part, c completion) (*object, error) {
	o := &object{bucket: u.bucket, key: u.key, info: u.info, tags: u.tags, upload: u.id}
	h := md5.New()
	var sums []string
	var sizes []int64
	for _, p := range parts {
		raw, err := hex.DecodeString(p.etag)
		if err != nil {
			return nil, err
		}
		h.Write(raw)
		o.body = append(o.body, p.body...)
		o.size += p.Size
		sums, sizes = append(sums, p.Sum.Value), append(sizes, p.Size)
	}
	if o.size > maxObject {
		return nil, errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size: %d bytes of %d.", o.size, int64(maxObject))
	}
	if c.size >= 0 && c.size != o.size {
		return nil, errorf("InvalidRequest", "The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d.", c.size, o.size)
	}
	o.etag = fmt.Sprintf("%x-%d", h.Sum(nil), len(parts))
	o.info.Parts = len(parts)
	if o.info.Sum.Algorithm == "" {
		return o, nil
	}
	return o, o.joinSums(sums, sizes, c.sum)
}

// joinSums gives the object its checksum, which must be the one that the
// client has given, if it has.
func (o *object) joinSums(sums []string, sizes []int64, given sum) error {
	a, err := algorithmNamed(o.info.Sum.Algorithm)
	if err != nil {
		return err
	}
	value, err := a.join(o.info.Sum.Type, sums, sizes)
	if err != nil {
		return err
	}
	if o.info.Sum.Type == composite {
		value += fmt.Sprintf("-%d", len(sums))
	}
	if given.Value != "" && (given.Algorithm != a.name || given.Value != value) {
		return errorf("BadDigest", "The %s you specified, %.80q, did not match what we computed: %s %s.", given.Algorithm, given.Value, a.name, value)
	}
	o.info.Sum.Value = value
	return nil
}
