package s3api

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fovea"
	"fovea/internal/sigv4"
)

// idleTimeout is how long a client may take to send or take the next bytes.
const idleTimeout = 60 * time.Second

// httpTime is the form of Last-Modified.
const httpTime = "Mon, 02 Jan 2006 15:04:05 GMT"

// A Server answers the S3 protocol. It must see requests as they came: a mux
// that cleans paths breaks keys with "//" in them, and their signatures.
type Server struct {
	Store    *Store          // required
	Verifier *sigv4.Verifier // required, unless NoAuth
	NoAuth   bool            // anybody may do everything
	Region   string          // default us-east-1
	Account  string          // 12 digits; owns everything

	// Domains are those under which the first label of a host names a
	// bucket, such as "localhost" for http://bucket.localhost:7373/key. A
	// bucket may always be the first element of the path instead.
	Domains []string

	// AllowOrigins are the origins whose pages may use buckets that have no
	// CORS rules of their own; "*" is every origin.
	AllowOrigins []string

	Log *slog.Logger // of failures that are ours; default slog.Default
}

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

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := fovea.CallerOf(r.Context()).RequestID
	if id == "" {
		id = newRequestID()
	}
	w.Header().Set("X-Amz-Request-Id", id)
	w.Header().Set("X-Amz-Id-2", id)
	w.Header().Set("Server", "fovea")
	q := &request{Request: r, w: w, s: s, id: id, size: r.ContentLength, before: w.Header().Clone()}
	patience := http.NewResponseController(w)
	defer func() {
		patience.SetReadDeadline(time.Time{})
		patience.SetWriteDeadline(time.Time{})
	}()
	if r.Body != nil {
		r.Body = &patientBody{ReadCloser: r.Body, c: patience}
	}
	patience.SetWriteDeadline(time.Now().Add(2 * idleTimeout))
	if err := q.serve(); err != nil {
		q.fail(err)
	}
}

func newRequestID() string {
	var b [8]byte
	rand.Read(b[:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// serve parses, authenticates and answers the request.
func (q *request) serve() error {
	if err := q.parse(); err != nil {
		return err
	}
	if q.Method == http.MethodOptions {
		return q.preflight()
	}
	if err := q.allowOrigin(); err != nil { // first, so that a page can read why it was refused
		return err
	}
	if err := q.authenticate(); err != nil {
		return err
	}
	if owner := q.header("X-Amz-Expected-Bucket-Owner"); owner != "" && owner != q.s.Account {
		return errorf("AccessDenied", "The bucket is not owned by account %.20q, as x-amz-expected-bucket-owner says.", owner)
	}
	op, err := q.route()
	if err != nil {
		return err
	}
	return op(q)
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
	if q.bucket = q.hostBucket(); q.bucket != "" {
		q.key = path
	} else {
		q.bucket, q.key, _ = strings.Cut(path, "/")
	}
	if q.key != "" {
		return checkKey(q.key)
	}
	return nil
}

// hostBucket returns the bucket that the host names, "" if none.
func (q *request) hostBucket() string {
	host := q.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	for _, d := range q.s.Domains {
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

// fail answers an error.
func (q *request) fail(err error) {
	e := asError(err)
	switch {
	case e != nil:
	case errors.Is(err, io.ErrUnexpectedEOF), q.Context().Err() != nil: // the client has gone
		e = errorf("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header.")
	case isTimeout(err):
		e = errorf("RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period of %v.", idleTimeout)
	default:
		cmp.Or(q.s.Log, slog.Default()).Error("S3 request failed", "request_id", q.id, "method", q.Method, "bucket", q.bucket, "key", q.key, "err", err)
		e = errorf("InternalError", "We encountered an internal error. Please try again. The server's log has it under the request ID.")
	}
	if q.wrote { // the answer is under way: all that is left is not to end it well
		panic(http.ErrAbortHandler)
	}
	q.dropHeaders(e.Status == http.StatusNotModified)
	for name, v := range e.Header {
		q.w.Header()[name] = v
	}
	if e.Status == http.StatusNotModified || q.Method == http.MethodHead {
		q.w.WriteHeader(e.Status)
		return
	}
	q.writeXML(e.Status, errorXML{Code: e.Code, Message: e.Message, Resource: "/" + strings.TrimSuffix(q.bucket+"/"+q.key, "/"),
		BucketName: q.bucket, Key: q.key, RequestID: q.id, HostID: q.id})
}

// dropHeaders removes what was said of an object that is not sent after all.
// An answer of 304 keeps what describes the object and not the body.
func (q *request) dropHeaders(notModified bool) {
	h := q.w.Header()
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Range", "Content-Encoding"} {
		h.Del(name)
	}
	if notModified {
		return
	}
	for name := range h {
		if _, ok := q.before[name]; !ok && name != "Vary" && !strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// owner is the canonical user ID of the account.
func (s *Server) owner() owner {
	sum := sha256.Sum256([]byte("account " + s.Account))
	return owner{ID: hex.EncodeToString(sum[:]), DisplayName: s.Account}
}

// A patientBody puts off the read deadline while bytes come.
type patientBody struct {
	io.ReadCloser
	c   *http.ResponseController
	set time.Time
}

// Read implements io.Reader.
func (b *patientBody) Read(p []byte) (int, error) {
	if now := time.Now(); now.Sub(b.set) > idleTimeout/12 {
		b.set = now
		b.c.SetReadDeadline(now.Add(idleTimeout))
		b.c.SetWriteDeadline(now.Add(2 * idleTimeout))
	}
	return b.ReadCloser.Read(p)
}
