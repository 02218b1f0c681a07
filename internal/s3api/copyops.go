package s3api

import (
	"fmt"
	"net/url"
	"strings"
)

// source returns the object that x-amz-copy-source names, after it has met the
// conditions that the request has for it.
func (q *request) source() (*object, error) {
	text, version, _ := strings.Cut(q.header("X-Amz-Copy-Source"), "?versionId=")
	text, err := url.PathUnescape(strings.TrimPrefix(text, "/"))
	bucket, key, ok := strings.Cut(text, "/")
	if err != nil || !ok || bucket == "" || key == "" {
		return nil, errorf("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey.")
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	o, err := getObject(q.s.Store.read(q.Context()), bucket, key, version)
	if err != nil {
		return nil, err
	}
	b, err := getBucket(q.s.Store.read(q.Context()), bucket)
	if err != nil {
		return nil, err
	}
	if b.versioned() {
		q.w.Header().Set("X-Amz-Copy-Source-Version-Id", o.version)
	}
	return o, q.checkConditions(o, "X-Amz-Copy-Source-If-")
}

// copyXML is the answer of both copies.
type copyXML struct {
	LastModified string
	ETag         string
	Sum          *flatSum
	ChecksumType string `xml:",omitempty"`
}

func copyObject(q *request) error {
	in, err := q.readInfo()
	if err != nil {
		return err
	}
	src, err := q.source()
	if err != nil {
		return err
	}
	o := &object{bucket: q.bucket, key: q.key}
	if o.info, err = q.directive("X-Amz-Metadata-Directive", in, src.info); err != nil {
		return err
	}
	if in.Class != "" || q.header("X-Amz-Storage-Class") != "" {
		o.info.Class = in.Class
	}
	if o.tags = src.tags; q.header("X-Amz-Tagging-Directive") == "REPLACE" {
		if o.tags, err = parseTagHeader(q.header("X-Amz-Tagging")); err != nil {
			return err
		}
	}
	same := src.bucket == o.bucket && src.key == o.key && src.latest
	if same && q.header("X-Amz-Metadata-Directive") != "REPLACE" && q.header("X-Amz-Tagging-Directive") != "REPLACE" &&
		q.header("X-Amz-Storage-Class") == "" && q.header("X-Amz-Checksum-Algorithm") == "" {
		return errorf("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing "+
			"the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	if src.size > maxPart {
		return errorf("InvalidRequest", "The specified copy source is larger than the maximum allowable size for a copy source: %d; copy it in parts.", int64(maxPart))
	}
	var a *algorithm
	if name := q.header("X-Amz-Checksum-Algorithm"); name != "" {
		found, err := algorithmNamed(name)
		if err != nil {
			return err
		}
		a = &found
	}
	b, err := q.s.Store.copyObject(q.Context(), src, o, a, q.putCondition())
	if err != nil {
		return err
	}
	q.setVersion(b, o.version)
	return q.answer("CopyObjectResult", copyXML{xmlTimeOf(o.modified), quote(o.etag), flatten(o.info.Sum), o.info.Sum.Type})
}

// directive returns the metadata of a copy: that of the source, or that of the
// request.
func (q *request) directive(header string, replaced, copied info) (info, error) {
	switch v := q.header(header); v {
	case "", "COPY":
		return copied, nil
	case "REPLACE":
		return replaced, nil
	default:
		return info{}, errorf("InvalidArgument", "Unknown metadata directive: %.40q.", v)
	}
}

func uploadPartCopy(q *request) error {
	u, number, err := q.upload()
	if err != nil {
		return err
	}
	src, err := q.source()
	if err != nil {
		return err
	}
	off, n := int64(0), src.size
	if spec := q.header("X-Amz-Copy-Source-Range"); spec != "" {
		var ok bool
		off, n, ok = parseRange(spec, src.size)
		if !ok || n <= 0 || spec != fmt.Sprintf("bytes=%d-%d", off, off+n-1) { // S3 does not cut this range to fit
			return errorf("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last, within the %d bytes of the source.", src.size)
		}
	}
	if n > maxPart {
		return errorf("InvalidRequest", "The specified copy range is larger than the maximum allowable size of a part: %d.", int64(maxPart))
	}
	p, err := q.s.Store.copyPart(q.Context(), src, off, n, u, number)
	if err != nil {
		return err
	}
	return q.answer("CopyPartResult", copyXML{LastModified: xmlTimeOf(p.modified), ETag: quote(p.etag), Sum: flatten(p.Sum)})
}
