package s3_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fakeS3 is a bucket in memory that speaks as much of S3 as blobs need. It
// has one bucket, "bucket".
type fakeS3 struct {
	t *testing.T

	mu       sync.Mutex
	objects  map[string]fakeObject
	uploads  map[string]map[int][]byte
	requests int
	pageSize int

	// fault, if set, may answer a request in the fake's place.
	fault func(w http.ResponseWriter, r *http.Request) bool
}

type fakeObject struct {
	data     []byte
	etag     string
	modified time.Time
}

func newFake(t *testing.T) *fakeS3 {
	return &fakeS3{t: t, objects: map[string]fakeObject{}, uploads: map[string]map[int][]byte{}, pageSize: 1000}
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	if f.fault != nil && f.fault(w, r) {
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	switch {
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=KEY/"):
		f.fail(w, http.StatusForbidden, "AccessDenied")
	case bucket != "bucket":
		f.fail(w, http.StatusNotFound, "NoSuchBucket")
	case key == "" && r.Method == http.MethodHead:
	case key == "" && r.Method == http.MethodGet && q.Get("list-type") == "2":
		f.list(w, q.Get("prefix"), q.Get("continuation-token"))
	case key == "" && r.Method == http.MethodPost && q.Has("delete"):
		f.deleteAll(w, body)
	case r.Method == http.MethodPost && q.Has("uploads"):
		id := fmt.Sprint(len(f.uploads), key)
		f.uploads[id] = map[int][]byte{}
		f.answer(w, "InitiateMultipartUploadResult", "<UploadId>"+id+"</UploadId>")
	case q.Has("uploadId"):
		f.upload(w, r, key, body)
	case r.Method == http.MethodPut:
		w.Header().Set("ETag", f.put(key, body))
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		f.get(w, r, key)
	default:
		f.t.Errorf("the fake knows no %s %s", r.Method, r.URL)
		f.fail(w, http.StatusNotImplemented, "NotImplemented")
	}
}

func (f *fakeS3) put(key string, data []byte) (etag string) {
	sum := md5.Sum(data)
	etag = `"` + hex.EncodeToString(sum[:]) + `"`
	f.objects[key] = fakeObject{data, etag, time.Now()}
	return etag
}

func (f *fakeS3) get(w http.ResponseWriter, r *http.Request, key string) {
	o, ok := f.objects[key]
	if !ok {
		f.fail(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("ETag", o.etag)
	http.ServeContent(w, r, "", o.modified, bytes.NewReader(o.data)) // knows Range and If-Match
}

func (f *fakeS3) upload(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	id := r.URL.Query().Get("uploadId")
	parts, ok := f.uploads[id]
	if !ok {
		f.fail(w, http.StatusNotFound, "NoSuchUpload")
		return
	}
	switch r.Method {
	case http.MethodPut:
		n, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
		if err != nil {
			f.t.Error(err)
		}
		parts[n] = body
		w.Header().Set("ETag", fmt.Sprintf(`"part-%d"`, n))
	case http.MethodDelete:
		delete(f.uploads, id)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPost:
		var in struct {
			Part []struct{ PartNumber int }
		}
		if err := xml.Unmarshal(body, &in); err != nil {
			f.t.Error(err)
		}
		var data []byte
		for i, p := range in.Part {
			if i < len(in.Part)-1 && len(parts[p.PartNumber]) < 5<<20 {
				f.fail(w, http.StatusBadRequest, "EntityTooSmall")
				return
			}
			data = append(data, parts[p.PartNumber]...)
		}
		delete(f.uploads, id)
		f.answer(w, "CompleteMultipartUploadResult", "<ETag>"+f.put(key, data)+"</ETag>")
	}
}

func (f *fakeS3) list(w http.ResponseWriter, prefix, after string) {
	var keys []string
	for key := range f.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var b strings.Builder
	for i, key := range keys {
		if i == f.pageSize {
			fmt.Fprintf(&b, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", keys[i-1])
			break
		}
		o := f.objects[key]
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>%s</LastModified></Contents>",
			key, len(o.data), o.modified.UTC().Format(time.RFC3339))
	}
	f.answer(w, "ListBucketResult", b.String())
}

func (f *fakeS3) deleteAll(w http.ResponseWriter, body []byte) {
	var in struct {
		Object []struct{ Key string }
	}
	if err := xml.Unmarshal(body, &in); err != nil || len(in.Object) > 1000 {
		f.fail(w, http.StatusBadRequest, "MalformedXML")
		return
	}
	failed := ""
	for _, o := range in.Object {
		if strings.HasSuffix(o.Key, "locked") {
			failed += "<Error><Key>" + o.Key + "</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
		}
		delete(f.objects, o.Key)
	}
	f.answer(w, "DeleteResult", failed)
}

func (f *fakeS3) answer(w http.ResponseWriter, root, inner string) {
	fmt.Fprintf(w, "%s<%s>%s</%s>", xml.Header, root, inner, root)
}

func (f *fakeS3) fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	f.answer(w, "Error", "<Code>"+code+"</Code><Message>"+code+"</Message>")
}
