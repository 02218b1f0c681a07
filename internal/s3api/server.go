package s3api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
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

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	continueEmpty(w, r)
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

// owner is the canonical user ID of the account.
func (s *Server) owner() owner {
	sum := sha256.Sum256([]byte("account " + s.Account))
	return owner{ID: hex.EncodeToString(sum[:]), DisplayName: s.Account}
}

func (s *Server) region() string {
	if s.Region == "" {
		return "us-east-1"
	}
	return s.Region
}
