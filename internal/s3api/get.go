package s3api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
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
	if err := http.NewResponseController(q.w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err // here, where the deadline still holds
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
