package sigv4

import (
	"net/http"
	"slices"
	"strings"
)

// A Scope says who signed a request and for what.
type Scope struct {
	KeyID   string // the access key
	Date    string // yyyymmdd in UTC
	Region  string
	Service string
}

// String returns the credential scope as it is signed.
func (s Scope) String() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator
}

// Peek returns the scope that a request claims, so that it can be routed to
// its service before anything is verified. A request of the old Signature
// Version 2, which only S3 had, is given the service s3, where Verify refuses
// it by name. It reports MissingAuthentication if the request is unsigned.
func Peek(r *http.Request) (Scope, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		if strings.HasPrefix(h, "AWS ") {
			return Scope{Service: "s3"}, nil
		}
		cred, _, _, err := splitHeader(h)
		if err != nil {
			return Scope{}, err
		}
		return parseCredential(cred)
	}
	if !strings.Contains(r.URL.RawQuery, "=") {
		return Scope{}, missing()
	}
	q, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return Scope{}, err
	}
	if cred, ok := lookup(q, "X-Amz-Credential"); ok {
		return parseCredential(cred)
	}
	if _, ok := lookup(q, "AWSAccessKeyId"); ok {
		return Scope{Service: "s3"}, nil
	}
	return Scope{}, missing()
}

// parseCredential reads KEY/DATE/REGION/SERVICE/aws4_request.
func parseCredential(cred string) (Scope, error) {
	p := strings.Split(cred, "/")
	if len(p) != 5 || slices.Contains(p, "") || p[4] != terminator || len(cred) > 512 || len(p[1]) != len(dateLayout) {
		return Scope{}, errorf(IncompleteSignature, "The credential must have the form <key>/<yyyymmdd>/<region>/<service>/%s.", terminator)
	}
	return Scope{KeyID: p[0], Date: p[1], Region: p[2], Service: p[3]}, nil
}
