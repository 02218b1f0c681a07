package s3api

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func createUpload(q *request) error {
	in, err := q.readInfo()
	if err != nil {
		return err
	}
	u := &upload{bucket: q.bucket, key: q.key, info: in}
	if u.tags, err = parseTagHeader(q.header("X-Amz-Tagging")); err != nil {
		return err
	}
	if name := q.header("X-Amz-Checksum-Algorithm"); name != "" {
		a, err := algorithmNamed(name)
		if err != nil {
			return err
		}
		typ := cmp.Or(strings.ToUpper(q.header("X-Amz-Checksum-Type")), a.defaultType())
		if !a.allows(typ) {
			return errorf("InvalidRequest", "The %.40s checksum type cannot be used with the %s checksum algorithm.", typ, a.name)
		}
		u.info.Sum = sum{Algorithm: a.name, Type: typ}
		q.w.Header().Set("X-Amz-Checksum-Algorithm", a.name)
		q.w.Header().Set("X-Amz-Checksum-Type", typ)
	}
	if err := q.s.Store.createUpload(q.Context(), u); err != nil {
		return err
	}
	return q.answer("InitiateMultipartUploadResult", struct {
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{q.bucket, q.key, u.id})
}

// upload returns the upload that the request names, and the part number.
func (q *request) upload() (*upload, int, error) {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return nil, 0, errorf("InvalidArgument", "Part number must be an integer between 1 and %d, inclusive.", maxParts)
	}
	u, err := getUpload(q.s.Store.read(q.Context()), q.bucket, q.key, q.query.Get("uploadId"))
	return u, number, err
}

func uploadPart(q *request) error {
	u, number, err := q.upload()
	if err != nil {
		return err
	}
	c, err := q.checks()
	if err != nil {
		return err
	}
	if name := u.info.Sum.Algorithm; name != "" {
		a, err := algorithmNamed(name)
		if err != nil {
			return err
		}
		if c.algorithm != nil && c.algorithm.name != name {
			return errorf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s.",
				strings.ToLower(name), strings.ToLower(c.algorithm.name))
		}
		c.algorithm = &a
	}
	st, kept, err := q.receive(c)
	if err != nil {
		return err
	}
	p := newPart(number, st, kept)
	if err := q.s.Store.putPart(q.Context(), u, p, st); err != nil {
		return err
	}
	q.w.Header().Set("ETag", quote(p.etag))
	if kept.Algorithm != "" {
		q.w.Header().Set("X-Amz-Checksum-"+kept.Algorithm, kept.Value)
	}
	return q.done(http.StatusOK)
}

func completeUpload(q *request) error {
	var in struct {
		Part []struct {
			PartNumber        int
			ETag              string
			ChecksumCRC32     string
			ChecksumCRC32C    string
			ChecksumCRC64NVME string
			ChecksumSHA1      string
			ChecksumSHA256    string
		}
	}
	data, err := q.document()
	if err != nil {
		return err
	}
	if err := parseXML(data, &in); err != nil {
		return err
	}
	c := completion{size: -1, cond: q.putCondition()}
	for _, p := range in.Part {
		c.parts = append(c.parts, wantedPart{p.PartNumber, p.ETag, map[string]string{"CRC32": p.ChecksumCRC32, "CRC32C": p.ChecksumCRC32C,
			"CRC64NVME": p.ChecksumCRC64NVME, "SHA1": p.ChecksumSHA1, "SHA256": p.ChecksumSHA256}})
	}
	for _, a := range algorithms {
		if v := q.header(a.header()); v != "" {
			c.sum = sum{Algorithm: a.name, Value: v}
		}
	}
	if v := q.header("X-Amz-Mp-Object-Size"); v != "" {
		if c.size, err = strconv.ParseInt(v, 10, 64); err != nil || c.size < 0 {
			return errorf("InvalidRequest", "x-amz-mp-object-size is not a number of bytes: %.40q.", v)
		}
	}
	o, err := q.s.Store.complete(q.Context(), q.bucket, q.key, q.query.Get("uploadId"), c)
	if err != nil {
		return err
	}
	if o.version != nullVersion {
		q.w.Header().Set("X-Amz-Version-Id", o.version)
	}
	return q.answer("CompleteMultipartUploadResult", struct {
		Location, Bucket, Key, ETag string
		Sum                         *flatSum
		ChecksumType                string `xml:",omitempty"`
	}{q.location(), q.bucket, q.key, quote(o.etag), flatten(o.info.Sum), o.info.Sum.Type})
}

// location returns the URL of the object.
func (q *request) location() string {
	scheme := "http://"
	if q.TLS != nil {
		scheme = "https://"
	}
	return scheme + q.Host + (&url.URL{Path: "/" + q.bucket + "/" + q.key}).EscapedPath()
}

func abortUpload(q *request) error {
	if err := q.s.Store.abortUpload(q.Context(), q.bucket, q.key, q.query.Get("uploadId")); err != nil {
		return err
	}
	return q.done(http.StatusNoContent)
}
