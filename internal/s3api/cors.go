package s3api

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxCORSRules is how many rules a bucket may have.
const maxCORSRules = 100

// corsXML is the document of a bucket's CORS rules.
type corsXML struct {
	XMLName xml.Name   `xml:"CORSConfiguration"`
	Rules   []corsRule `xml:"CORSRule"`
}

// A corsRule says which pages may do what. Origins and headers may have one *.
type corsRule struct {
	ID             string   `xml:",omitempty"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	ExposeHeaders  []string `xml:"ExposeHeader"`
	MaxAgeSeconds  int      `xml:",omitempty"`
}

var corsMethods = []string{"GET", "PUT", "HEAD", "POST", "DELETE"}

// exposed are the headers that the AWS SDK in a browser looks for.
var exposed = []string{"ETag", "x-amz-request-id", "x-amz-id-2", "x-amz-version-id", "x-amz-delete-marker", "x-amz-checksum-crc32",
	"x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-type",
	"x-amz-mp-parts-count", "x-amz-tagging-count", "Content-Range", "Accept-Ranges"}

func putCORS(q *request) error {
	doc, err := q.readAll()
	if err != nil {
		return err
	}
	var in corsXML
	if err := parseXML(doc, &in); err != nil {
		return err
	}
	if n := len(in.Rules); n == 0 || n > maxCORSRules {
		return errorf("MalformedXML", "The CORS configuration has %d rules; it must have 1 to %d.", n, maxCORSRules)
	}
	for _, r := range in.Rules {
		if len(r.AllowedOrigins) == 0 || len(r.AllowedMethods) == 0 {
			return errorf("MalformedXML", "A CORS rule needs an AllowedOrigin and an AllowedMethod.")
		}
		for _, m := range r.AllowedMethods {
			if !slices.Contains(corsMethods, m) {
				return errorf("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %.20s", m)
			}
		}
		for _, v := range slices.Concat(r.AllowedOrigins, r.AllowedHeaders) {
			if strings.Count(v, "*") > 1 {
				return errorf("InvalidRequest", "AllowedOrigin or AllowedHeader %.100q can not have more than one wildcard.", v)
			}
		}
	}
	if err := q.s.Store.putDocument(q.Context(), q.bucket, "cors", doc); err != nil {
		return err
	}
	return q.done(http.StatusOK)
}

// corsRules returns the rules for the bucket of the request: its own, or else
// those of the server.
func (q *request) corsRules() ([]corsRule, error) {
	if q.bucket != "" {
		doc, err := q.s.Store.document(q.Context(), q.bucket, "cors")
		if e := asError(err); err != nil && (e == nil || e.Code != "NoSuchBucket") {
			return nil, err
		}
		if doc != nil {
			var in corsXML
			return in.Rules, parseXML(doc, &in)
		}
	}
	if len(q.s.AllowOrigins) == 0 {
		return nil, nil
	}
	return []corsRule{{AllowedOrigins: q.s.AllowOrigins, AllowedMethods: corsMethods, AllowedHeaders: []string{"*"}, ExposeHeaders: exposed,
		MaxAgeSeconds: 3600}}, nil
}

// matches reports whether the rule lets that be done.
func (r *corsRule) matches(origin, method string, headers []string) bool {
	any := func(patterns []string, v string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return matchesStar(p, v) })
	}
	if !any(r.AllowedOrigins, origin) || !slices.Contains(r.AllowedMethods, method) {
		return false
	}
	for _, h := range headers {
		h = strings.ToLower(strings.TrimSpace(h))
		if h != "" && !slices.ContainsFunc(r.AllowedHeaders, func(p string) bool { return matchesStar(strings.ToLower(p), h) }) {
			return false
		}
	}
	return true
}

// matchesStar compares with a pattern that may have one *.
func matchesStar(pattern, v string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == v
	}
	return len(v) >= len(before)+len(after) && strings.HasPrefix(v, before) && strings.HasSuffix(v, after)
}

// allowOrigin sets the headers that let a page of another origin see the
// answer, if a rule does.
func (q *request) allowOrigin() error {
	origin := q.Header.Get("Origin")
	if origin == "" {
		return nil
	}
	_, err := q.applyCORS(origin, q.Method, nil)
	return err
}

// applyCORS sets the headers of the first rule that matches, and reports
// whether one does.
func (q *request) applyCORS(origin, method string, headers []string) (bool, error) {
	h := q.w.Header()
	h.Add("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
	rules, err := q.corsRules()
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(rules, func(r corsRule) bool { return r.matches(origin, method, headers) })
	if i < 0 {
		return false, nil
	}
	r := rules[i]
	h.Set("Access-Control-Allow-Origin", origin)
	if slices.Contains(r.AllowedOrigins, "*") {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(r.AllowedMethods, ", "))
	if len(r.ExposeHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(r.ExposeHeaders, ", "))
	}
	if len(headers) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.ToLower(strings.Join(headers, ", ")))
	}
	if r.MaxAgeSeconds > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(r.MaxAgeSeconds))
	}
	return true, nil
}

// preflight answers the question of a browser, which is never signed.
func (q *request) preflight() error {
	origin, method := q.Header.Get("Origin"), q.Header.Get("Access-Control-Request-Method")
	if origin == "" || method == "" {
		return errorf("BadRequest", "Insufficient information. Origin request header needed, and Access-Control-Request-Method.")
	}
	var headers []string
	for v := range strings.SplitSeq(q.Header.Get("Access-Control-Request-Headers"), ",") {
		if v = strings.TrimSpace(v); v != "" {
			headers = append(headers, v)
		}
	}
	ok, err := q.applyCORS(origin, method, headers)
	if err != nil {
		return err
	}
	if !ok {
		return errorf("AccessForbidden", "CORSResponse: This CORS request is not allowed. The bucket's CORS rules, or the server's origins, "+
			"must allow this origin, method and headers.")
	}
	return q.done(http.StatusOK)
}
