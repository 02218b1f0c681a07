package sigv4

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	stampLayout = "20060102T150405Z"
	dateLayout  = "20060102"
	maxSigned   = 8 << 10 // bytes of a SignedHeaders list
)

// An auth is what a request says of its own signature.
type auth struct {
	scope     Scope
	signed    []string // lower case, sorted, each once
	list      string   // signed as it came
	signature string   // 64 lower-case hexadecimal digits
	stamp     string   // ISO 8601 basic
	time      time.Time
	presigned bool
	expires   time.Duration // presigned: how long after time
	query     []pair        // the whole query, decoded, without the signature
}

func missing() *Error {
	return errorf(MissingAuthentication, "Missing Authentication Token: the request is not signed. "+
		"Configure an access key in your client.")
}

// parseAuth reads the one signature that the request has.
func parseAuth(r *http.Request) (*auth, error) {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	inQuery := slices.ContainsFunc(query, isAuthParam)
	headers := r.Header["Authorization"]
	switch {
	case len(headers) > 1:
		return nil, errorf(IncompleteSignature, "The request has %d Authorization headers; send one.", len(headers))
	case len(headers) == 1 && inQuery:
		return nil, errorf(IncompleteSignature, "The request is signed in its Authorization header and in its query; sign it once.")
	case len(headers) == 1:
		return parseHeaderAuth(r, headers[0], query)
	case inQuery:
		return parseQueryAuth(query)
	}
	if _, ok := lookup(query, "AWSAccessKeyId"); ok {
		return nil, unsupported("Signature Version 2")
	}
	return nil, missing()
}

func unsupported(what string) *Error {
	return errorf(Unsupported, "The authorization mechanism %s is not supported. Please use %s. "+
		"For boto3: boto3.client('s3', config=botocore.config.Config(signature_version='s3v4')). "+
		"For the AWS CLI: aws configure set default.s3.signature_version s3v4.", what, algorithm)
}

func isAuthParam(p pair) bool {
	return p.name == "X-Amz-Algorithm" || p.name == "X-Amz-Credential" || p.name == "X-Amz-Signature"
}

func parseHeaderAuth(r *http.Request, header string, query []pair) (*auth, error) {
	cred, signed, sig, err := splitHeader(header)
	if err != nil {
		return nil, err
	}
	a := &auth{query: query}
	if err := a.fill(cred, signed, sig); err != nil {
		return nil, err
	}
	name := "X-Amz-Date"
	if len(r.Header[name]) == 0 {
		name = "Date"
	}
	value, err := single(r.Header, name)
	if err != nil {
		return nil, err
	}
	if err := a.setTime(name, value); err != nil {
		return nil, err
	}
	return a, a.require(name)
}

// splitHeader takes an Authorization header apart. Every part must be there
// once, and no other.
func splitHeader(header string) (cred, signed, sig string, err error) {
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme != algorithm {
		if len(scheme) > 32 {
			scheme = scheme[:32]
		}
		return "", "", "", unsupported(strconv.Quote(scheme))
	}
	parts := map[string]*string{"Credential": &cred, "SignedHeaders": &signed, "Signature": &sig}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.Trim(part, " \t"), "=")
		p := parts[name]
		if p == nil || *p != "" {
			return "", "", "", errorf(IncompleteSignature, "The Authorization header has a repeated or unknown part %.40q.", name)
		}
		*p = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if *parts[name] == "" {
			return "", "", "", errorf(IncompleteSignature, "Authorization header requires '%s' parameter.", name)
		}
	}
	return cred, signed, sig, nil
}

// parseQueryAuth reads a presigned query and takes the signature out of it.
func parseQueryAuth(query []pair) (*auth, error) {
	values := map[string]string{}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		n := 0
		for _, p := range query {
			if p.name == name {
				values[name] = p.value
				n++
			}
		}
		if n != 1 || values[name] == "" {
			return nil, errorf(IncompleteSignature, "A presigned URL has each of X-Amz-Algorithm, X-Amz-Credential, X-Amz-Date, "+
				"X-Amz-Expires, X-Amz-SignedHeaders and X-Amz-Signature once; this one has %s %d times.", name, n)
		}
	}
	if got := values["X-Amz-Algorithm"]; got != algorithm {
		return nil, unsupported(strconv.Quote(got[:min(len(got), 32)]))
	}
	a := &auth{presigned: true}
	if err := a.fill(values["X-Amz-Credential"], values["X-Amz-SignedHeaders"], values["X-Amz-Signature"]); err != nil {
		return nil, err
	}
	if err := a.setTime("X-Amz-Date", values["X-Amz-Date"]); err != nil {
		return nil, err
	}
	secs, err := strconv.ParseUint(values["X-Amz-Expires"], 10, 31)
	if err != nil {
		return nil, errorf(IncompleteSignature, "X-Amz-Expires is %.40q; it must be a number of seconds.", values["X-Amz-Expires"])
	}
	a.expires = time.Duration(secs) * time.Second
	a.query = slices.DeleteFunc(query, func(p pair) bool { return p.name == "X-Amz-Signature" })
	return a, nil
}

func (a *auth) fill(cred, signed, sig string) error {
	scope, err := parseCredential(cred)
	if err != nil {
		return err
	}
	if !isHex64(sig) {
		return errorf(IncompleteSignature, "The signature must be 64 lower-case hexadecimal digits.")
	}
	if len(signed) > maxSigned {
		return errorf(IncompleteSignature, "The list of signed headers is longer than %d bytes.", maxSigned)
	}
	names := strings.Split(signed, ";")
	for i, name := range names {
		if name == "" || name != strings.ToLower(name) || i > 0 && names[i-1] >= name {
			return errorf(IncompleteSignature, "SignedHeaders must be lower-case names in order, each once; %.60q is not.", name)
		}
	}
	a.scope, a.signed, a.list, a.signature = scope, names, signed, sig
	return nil
}

// setTime reads the time of signing, which header or parameter name gave.
func (a *auth) setTime(name, value string) error {
	t, err := time.Parse(stampLayout, value)
	if err != nil && name == "Date" {
		t, err = http.ParseTime(value)
	}
	if err != nil {
		return errorf(IncompleteSignature, "%s is %.40q; it must look like 20060102T150405Z.", name, value)
	}
	a.time, a.stamp = t.UTC(), t.UTC().Format(stampLayout)
	if day := a.stamp[:len(dateLayout)]; day != a.scope.Date {
		return errorf(BadScope, "The date %s in the credential scope does not match the date %s of the request.", a.scope.Date, day)
	}
	return nil
}

// require reports UnsignedHeader unless the signature covers the header.
func (a *auth) require(name string) error {
	name = strings.ToLower(name)
	if _, ok := slices.BinarySearch(a.signed, name); !ok {
		return errorf(UnsignedHeader, "The header %s must be signed and is not among the signed headers %.200q.", name, a.list)
	}
	return nil
}

// single returns the value of a header that may be there once.
func single(h http.Header, name string) (string, error) {
	switch v := h[name]; len(v) {
	case 0:
		return "", errorf(IncompleteSignature, "The request has no %s header.", strings.ToLower(name))
	case 1:
		return v[0], nil
	default:
		return "", errorf(IncompleteSignature, "The request has %d %s headers; send one.", len(v), strings.ToLower(name))
	}
}

func isHex64(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
