package s3api

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
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
