package s3api

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// overrides are the parameters with which a client chooses the headers of an
// answer.
var overrides = map[string]string{
	"response-content-type":        "Content-Type",
	"response-content-language":    "Content-Language",
	"response-expires":             "Expires",
	"response-cache-control":       "Cache-Control",
	"response-content-disposition": "Content-Disposition",
	"response-content-encoding":    "Content-Encoding",
}

// getObjectOp answers GetObject and HeadObject.
func getObjectOp(q *request) error {
	if err := q.checkExtras(); err != nil {
		return err
	}
	r := q.s.Store.read(q.Context())
	o, err := getObject(r, q.bucket, q.key, q.query.Get("versionId"))
	if err != nil {
		return err
	}
	b, err := getBucket(r, q.bucket)
	if err != nil {
		return err
	}
	q.describe(b, o)
	if err := q.checkConditions(o, "If-"); err != nil {
		return err
	}
	off, n, status, err := q.chooseRange(o)
	if err != nil {
		return err
	}
	h := q.w.Header()
	if status == http.StatusPartialContent {
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", off, off+n-1, o.size))
	} else if q.header("X-Amz-Checksum-Mode") == "ENABLED" { // which is that of the whole
		q.setSum(o.info.Sum)
	}
	h.Set("Content-Length", itoa(n))
	if q.Method == http.MethodHead {
		return q.done(status)
	}
	return q.send(o, off, n, status)
}

// send copies the bytes to the client. It puts the deadline off for every
// slice, so that only a client that takes nothing is cut off.
func (q *request) send(o *object, off, n int64, status int) error {
	const slice = 1 << 20
	body := q.s.Store.blobs.open(o.body.slice(off, n))
	defer body.Close()
	if _, _, err := body.file(); err != nil && err != io.EOF {
		return err // while the status can still say so
	}
	q.w.WriteHeader(status)
	q.wrote = true
	for n > 0 {
		q.expiresIn(2 * idleTimeout)
		k, err := body.sendTo(q.w, min(n, slice))
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// describe sets the headers that say what the object is.
func (q *request) describe(b *bucket, o *object) {
	h := q.w.Header()
	for name, v := range o.info.Headers {
		h.Set(name, v)
	}
	for name, v := range o.info.Meta {
		h["x-amz-meta-"+name] = []string{v} // in lower case, as S3 sends it
	}
	h.Set("ETag", quote(o.etag))
	h.Set("Last-Modified", lastModified(o.modified))
	h.Set("Accept-Ranges", "bytes")
	if o.info.Class != "" {
		h.Set("X-Amz-Storage-Class", o.info.Class)
	}
	if len(o.tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.tags)))
	}
	q.setVersion(b, o.version)
	for param, name := range overrides {
		if v := q.query.Get(param); v != "" {
			h.Set(name, v)
		}
	}
	h.Set("X-Content-Type-Options", "nosniff")
	if executable(h.Get("Content-Type")) {
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	}
}

// executable reports whether a browser may run code in content of that type
// (T06).
func executable(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return true
	}
	return strings.Contains(t, "html") || strings.Contains(t, "xml") || strings.Contains(t, "javascript") ||
		strings.Contains(t, "ecmascript") || t == "application/pdf" || t == "text/xsl" || t == "multipart/x-mixed-replace"
}

// checkConditions evaluates the four conditions on what is there, in the order
// of RFC 9110 §13.2.2. The prefix is that of the headers.
func (q *request) checkConditions(o *object, prefix string) error {
	failed := errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
	unchanged := failed
	if prefix == "If-" && (q.Method == http.MethodGet || q.Method == http.MethodHead) {
		unchanged = errorf("NotModified", "Not Modified")
	}
	modified := o.modified.Truncate(time.Second)
	if v := q.header(prefix + "Match"); v != "" {
		if !matchesETag(v, o.etag) {
			return failed
		}
	} else if t, ok := q.time(prefix + "Unmodified-Since"); ok && modified.After(t) {
		return failed
	}
	if v := q.header(prefix + "None-Match"); v != "" {
		if matchesETag(v, o.etag) {
			return unchanged
		}
	} else if t, ok := q.time(prefix + "Modified-Since"); ok && !modified.After(t) {
		return unchanged
	}
	return nil
}

// time reads a header with a date; one that is not a date does not count.
func (q *request) time(name string) (time.Time, bool) {
	v := q.header(name)
	if v == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(v)
	return t, err == nil
}

// matchesETag reports whether a list of ETags has the one, or is *.
func matchesETag(list, etag string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(v string) bool {
		v = strings.TrimPrefix(strings.TrimSpace(v), "W/")
		return v == "*" || strings.Trim(v, `"`) == etag
	})
}

// chooseRange returns the bytes that the request asks for, by part number or
// by range.
func (q *request) chooseRange(o *object) (off, n int64, status int, err error) {
	if q.query.Has("partNumber") {
		return q.partRange(o)
	}
	spec := q.header("Range")
	if v := q.header("If-Range"); v != "" && !matchesETag(v, o.etag) {
		if t, err := http.ParseTime(v); err != nil || !t.Equal(o.modified.Truncate(time.Second)) {
			spec = ""
		}
	}
	off, n, ok := parseRange(spec, o.size)
	if !ok {
		return 0, o.size, http.StatusOK, nil
	}
	if n <= 0 {
		e := errorf("InvalidRange", "The requested range %.60q is not satisfiable: the object has %d bytes.", spec, o.size)
		e.Header = http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", o.size)}}
		return 0, 0, 0, e
	}
	return off, n, http.StatusPartialContent, nil
}

// parseRange reads one range of bytes. What is no range, or several, does not
// count (ok is false); one that lies outside has no length.
func parseRange(spec string, size int64) (off, n int64, ok bool) {
	rest, found := strings.CutPrefix(spec, "bytes=")
	first, last, dash := strings.Cut(rest, "-")
	if !found || !dash {
		return 0, 0, false
	}
	if first == "" { // the last so many bytes
		k, err := strconv.ParseUint(last, 10, 63)
		if err != nil {
			return 0, 0, false
		}
		n = min(int64(k), size)
		return size - n, n, true
	}
	from, err := strconv.ParseUint(first, 10, 63)
	if err != nil {
		return 0, 0, false
	}
	to := uint64(max(size-1, 0))
	if last != "" {
		if to, err = strconv.ParseUint(last, 10, 63); err != nil || to < from {
			return 0, 0, false
		}
	}
	if int64(from) >= size {
		return 0, 0, true
	}
	return int64(from), min(int64(to), size-1) - int64(from) + 1, true
}

// partRange returns the bytes of a part. An object that was not uploaded in
// parts is its own part 1.
func (q *request) partRange(o *object) (off, n int64, status int, err error) {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts || q.header("Range") != "" {
		return 0, 0, 0, errorf("InvalidArgument", "Part number must be an integer between 1 and %d, without a range.", maxParts)
	}
	parts, err := q.s.Store.partsOf(q.Context(), o)
	if err != nil {
		return 0, 0, 0, err
	}
	if parts == nil {
		parts = []part{{Number: 1, Size: o.size}}
	} else {
		q.w.Header().Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(parts)))
	}
	for i, p := range parts {
		if i == number-1 {
			if p.Size == 0 {
				return 0, 0, http.StatusOK, nil
			}
			return off, p.Size, http.StatusPartialContent, nil
		}
		off += p.Size
	}
	return 0, 0, 0, &Error{Code: "InvalidPartNumber", Status: http.StatusRequestedRangeNotSatisfiable,
		Message: fmt.Sprintf("The requested partnumber is not satisfiable: %d of %d.", number, len(parts))}
}

func getAttributes(q *request) error {
	r := q.s.Store.read(q.Context())
	o, err := getObject(r, q.bucket, q.key, q.query.Get("versionId"))
	if err != nil {
		return err
	}
	b, err := getBucket(r, q.bucket)
	if err != nil {
		return err
	}
	var out struct {
		ETag         string                    `xml:",omitempty"`
		Checksum     *sumXML                   `xml:",omitempty"`
		ObjectParts  *struct{ PartsCount int } `xml:",omitempty"`
		StorageClass string                    `xml:",omitempty"`
		ObjectSize   *int64                    `xml:",omitempty"`
	}
	for name := range strings.SplitSeq(strings.Join(q.Header.Values("X-Amz-Object-Attributes"), ","), ",") {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = o.etag
		case "Checksum":
			if o.info.Sum.Algorithm != "" {
				out.Checksum = &sumXML{o.info.Sum}
			}
		case "ObjectParts":
			if o.info.Parts > 0 {
				out.ObjectParts = &struct{ PartsCount int }{o.info.Parts}
			}
		case "StorageClass":
			out.StorageClass = o.class()
		case "ObjectSize":
			out.ObjectSize = &o.size
		default:
			return errorf("InvalidArgument", "Invalid attribute name specified: %.40q.", name)
		}
	}
	q.w.Header().Set("Last-Modified", lastModified(o.modified))
	q.setVersion(b, o.version)
	return q.answer("GetObjectAttributesResponse", &out)
}

func (o *object) class() string {
	if o.info.Class == "" {
		return "STANDARD"
	}
	return o.info.Class
}
