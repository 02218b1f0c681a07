package s3api

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"fovea/internal/sigv4"
)

// A request is one request on its way through a handler.
type request struct {
	*http.Request
	w      http.ResponseWriter
	s      *Server
	id     string
	bucket string
	key    string
	query  url.Values
	body   io.Reader
	size   int64       // of the body, -1 if unknown
	signed *sigv4.Body // nil with NoAuth
	expect http.Header // presigned: parameters that stand for headers
	before http.Header // of the answer, as it came to this handler
	wrote  bool        // the status of the answer is out
}

// parse finds the bucket, the key and the parameters.
func (q *request) parse() error {
	path := q.URL.EscapedPath()
	if p, _, _ := strings.Cut(q.RequestURI, "?"); strings.HasPrefix(p, "/") {
		path = p
	}
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		return errorf("InvalidURI", "Couldn't parse the specified URI.")
	}
	if q.query, err = url.ParseQuery(q.URL.RawQuery); err != nil {
		return errorf("InvalidURI", "Couldn't parse the query of the specified URI.")
	}
	if q.bucket = q.s.HostBucket(q.Request); q.bucket != "" {
		q.key = path
	} else {
		q.bucket, q.key, _ = strings.Cut(path, "/")
	}
	if q.key != "" {
		return checkKey(q.key)
	}
	return nil
}

// HostBucket returns the bucket that the host of a request names, "" if none.
func (s *Server) HostBucket(r *http.Request) string {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, d := range s.Domains {
		if b, ok := strings.CutSuffix(host, "."+d); ok {
			return b
		}
	}
	return ""
}

func (q *request) authenticate() error {
	q.body = q.Body
	if q.Body == nil {
		q.body = http.NoBody
	}
	if q.s.NoAuth {
		return nil
	}
	_, body, err := q.s.Verifier.Verify(q.Request, sigv4.Options{Service: "s3"})
	if err != nil {
		return err
	}
	q.signed, q.body, q.size = body, body, body.Size()
	if q.query.Has("X-Amz-Signature") {
		q.expect = http.Header{}
		for name, v := range q.query {
			if strings.HasPrefix(strings.ToLower(name), "x-amz-") {
				q.expect.Set(name, v[0])
			}
		}
	}
	return nil
}

// header returns a header of the request, or the parameter of a presigned URL
// that stands for it.
func (q *request) header(name string) string {
	return cmp.Or(q.Header.Get(name), q.expect.Get(name))
}

// number returns a parameter that is a number, at most max, or a default.
func (q *request) number(name string, def, max int) (int, error) {
	text := q.query.Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errorf("InvalidArgument", "Provided %s not an integer or within integer range: %.40q.", name, text)
	}
	return min(int(n), max), nil
}

// done answers without a body.
func (q *request) done(status int) error {
	q.w.WriteHeader(status)
	q.wrote = true
	return nil
}
