package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"strings"
)

// checks are the checksums that a request promises of its body.
type checks struct {
	md5       []byte // nil if there is no Content-MD5
	algorithm *algorithm
	value     string // base64; "" if it comes in the trailer, or not at all
	trailer   bool
}

// checks reads them from the headers. S3 takes one checksum, and beside it a
// Content-MD5.
func (q *request) checks() (*checks, error) {
	c := &checks{}
	if v, ok := q.Header["Content-Md5"]; ok {
		sum, err := base64.StdEncoding.DecodeString(v[0])
		if err != nil || len(sum) != md5.Size {
			return nil, errorf("InvalidDigest", "The Content-MD5 you specified was invalid: %.80q.", v[0])
		}
		c.md5 = sum
	}
	trailers := strings.Split(strings.ToLower(q.Header.Get("X-Amz-Trailer")), ",")
	for i := range algorithms {
		a := &algorithms[i]
		value := q.header(a.header())
		trailing := false
		for _, t := range trailers {
			trailing = trailing || strings.TrimSpace(t) == strings.ToLower(a.header())
		}
		if value == "" && !trailing {
			continue
		}
		if c.algorithm != nil || value != "" && trailing {
			return nil, errorf("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.")
		}
		if raw, err := base64.StdEncoding.DecodeString(value); value != "" && (err != nil || len(raw) != a.new().Size()) {
			return nil, errorf("InvalidRequest", "Value for %s header is invalid.", strings.ToLower(a.header()))
		}
		c.algorithm, c.value, c.trailer = a, value, trailing
	}
	if name := q.header("X-Amz-Sdk-Checksum-Algorithm"); name != "" && c.algorithm == nil {
		a, err := algorithmNamed(name)
		if err != nil {
			return nil, err
		}
		c.algorithm = &a
	}
	return c, nil
}

// verify compares what was computed of the body with what was promised, and
// returns the checksum to keep. It is called when the body has been read.
func (c *checks) verify(q *request, digest, value []byte) (sum, error) {
	if c.md5 != nil && !bytes.Equal(c.md5, digest) {
		return sum{}, errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if c.algorithm == nil {
		return sum{}, nil
	}
	got, want := encodeSum(value), c.value
	if c.trailer {
		if q.signed == nil {
			return sum{}, errorf("NotImplemented", "A trailer needs a signed request.")
		}
		if want = q.signed.Trailer().Get(c.algorithm.header()); want == "" {
			return sum{}, errorf("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our "+
				"published schema: %s is missing.", strings.ToLower(c.algorithm.header()))
		}
	}
	if want != "" && got != want {
		return sum{}, errorf("BadDigest", "The %s you specified did not match the calculated checksum: %.100q is not %s.", c.algorithm.name, want, got)
	}
	return sum{c.algorithm.name, got, fullObject}, nil
}
