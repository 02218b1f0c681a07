package s3api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// keptHeaders are the headers of an upload that come back with the object.
var keptHeaders = []string{"Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Expires",
	"X-Amz-Website-Redirect-Location"}

// maxMeta is how many bytes the user's metadata may have in all.
const maxMeta = 2 << 10

// storageClasses are accepted and told again. The bytes lie in the same place.
var storageClasses = []string{"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"}

// readInfo takes what the headers say of a new object.
func (q *request) readInfo() (info, error) {
	in := info{Headers: map[string]string{}, Meta: map[string]string{}}
	for _, name := range keptHeaders {
		if v := q.header(name); v != "" {
			in.Headers[name] = v
		}
	}
	if enc := in.Headers["Content-Encoding"]; enc != "" {
		if enc = withoutChunked(enc); enc == "" {
			delete(in.Headers, "Content-Encoding")
		} else {
			in.Headers["Content-Encoding"] = enc
		}
	}
	in.Headers["Content-Type"] = cmp.Or(in.Headers["Content-Type"], "binary/octet-stream")
	size := 0
	for _, h := range []http.Header{q.expect, q.Header} {
		for name, v := range h {
			if rest, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
				in.Meta[rest] = strings.Join(v, ",")
				size += len(rest) + len(in.Meta[rest])
			}
		}
	}
	if size > maxMeta {
		return in, errorf("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size: %d bytes of %d.", size, maxMeta)
	}
	if class := q.header("X-Amz-Storage-Class"); class != "" && class != "STANDARD" {
		if !slices.Contains(storageClasses, class) {
			return in, errorf("InvalidStorageClass", "The storage class you specified is not valid: %.40q.", class)
		}
		in.Class = class
	}
	return in, q.checkExtras()
}

// withoutChunked removes aws-chunked, which is only the form of the upload.
func withoutChunked(enc string) string {
	var kept []string
	for e := range strings.SplitSeq(enc, ",") {
		if e = strings.TrimSpace(e); e != "" && e != "aws-chunked" {
			kept = append(kept, e)
		}
	}
	return strings.Join(kept, ",")
}

// checkExtras refuses what a client asks for and would not get. AES256 is let
// pass: it asks for encryption at rest, which is the matter of the disk.
func (q *request) checkExtras() error {
	if v := q.header("X-Amz-Server-Side-Encryption"); v != "" && v != "AES256" {
		return errorf("NotImplemented", "Server-side encryption %.40q is not implemented; encrypt the disk of the data folder.", v)
	}
	for _, name := range []string{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "X-Amz-Object-Lock-Mode",
		"X-Amz-Object-Lock-Legal-Hold", "X-Amz-Write-Offset-Bytes"} {
		if q.header(name) != "" {
			return errorf("NotImplemented", "A header you provided implies functionality that is not implemented: %s.", strings.ToLower(name))
		}
	}
	return q.checkACL()
}

func (q *request) checkACL() error {
	if acl := q.header("X-Amz-Acl"); !slices.Contains(cannedACLs, acl) {
		return errorf("InvalidArgument", "The canned ACL %.40q is not known.", acl)
	}
	return nil
}

// putCondition reads the conditions of a write.
func (q *request) putCondition() condition {
	return condition{match: q.Header.Get("If-Match"), noneMatch: q.Header.Get("If-None-Match")}
}

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

// expiresIn is a deadline for a long piece of work that keeps a connection
// open.
func (q *request) expiresIn(d time.Duration) {
	http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(d))
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
