package s3api

import (
	"net/http"
	"strconv"
)

func putObject(q *request) error {
	in, err := q.readInfo()
	if err != nil {
		return err
	}
	o := &object{bucket: q.bucket, key: q.key, info: in}
	if o.tags, err = parseTagHeader(q.header("X-Amz-Tagging")); err != nil {
		return err
	}
	c, err := q.checks()
	if err != nil {
		return err
	}
	if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
		return err
	}
	st, kept, err := q.receive(c)
	if err != nil {
		return err
	}
	o.info.Sum = kept
	b, err := q.s.Store.putObject(q.Context(), o, st, q.putCondition())
	if err != nil {
		return err
	}
	q.setVersion(b, o.version)
	q.setSum(kept)
	q.w.Header().Set("ETag", quote(o.etag))
	return q.done(http.StatusOK)
}

// receive stages the body of the request and verifies its checksums.
func (q *request) receive(c *checks) (*staged, sum, error) {
	if q.size < 0 {
		return nil, sum{}, errorf("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	if q.size > maxPart {
		return nil, sum{}, errorf("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size: %d bytes of %d. "+
			"Upload it in parts.", q.size, int64(maxPart))
	}
	st, err := q.s.Store.stage(q.body, c.algorithm)
	if err != nil {
		return nil, sum{}, err
	}
	if st.size != q.size {
		st.drop()
		return nil, sum{}, errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header: "+
			"%d of %d.", st.size, q.size)
	}
	kept, err := c.verify(q, st.md5, st.sum)
	if err != nil {
		st.drop()
		return nil, sum{}, err
	}
	return st, kept, nil
}

func (q *request) setVersion(b *bucket, version string) {
	if b.versioned() {
		q.w.Header().Set("X-Amz-Version-Id", version)
	}
}

// setSum sends a checksum back.
func (q *request) setSum(s sum) {
	if s.Algorithm != "" {
		q.w.Header().Set("X-Amz-Checksum-"+s.Algorithm, s.Value)
		q.w.Header().Set("X-Amz-Checksum-Type", s.Type)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
