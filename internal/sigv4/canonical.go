package sigv4

import (
	"cmp"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// appendCanonical appends the canonical request: method, path, query, signed
// headers, their names, payload hash.
func appendCanonical(b []byte, r *http.Request, a *auth, payload string) []byte {
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = appendPath(b, rawPath(r), a.scope.Service == "s3")
	b = append(b, '\n')
	b = appendQuery(b, a.query)
	b = append(b, '\n')
	for _, name := range a.signed {
		b = append(b, name...)
		b = append(b, ':')
		for i, v := range headerValues(r, name) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTrimmed(b, v)
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, a.list...)
	b = append(b, '\n')
	return append(b, payload...)
}

// rawPath returns the path as it came over the wire. A server sees it in
// RequestURI even after a handler has rewritten the URL.
func rawPath(r *http.Request) string {
	if p, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(p, "/") {
		return p
	}
	return r.URL.EscapedPath()
}

// appendPath appends the canonical path. S3 takes each segment as it is and
// encodes it once; for all others the path is cleaned, and what was encoded
// on the wire is encoded once more.
func appendPath(b []byte, raw string, s3 bool) []byte {
	if raw == "" {
		return append(b, '/')
	}
	if !s3 {
		clean := path.Clean(raw)
		if strings.HasSuffix(raw, "/") && clean != "/" {
			clean += "/"
		}
		return appendEncoded(b, clean, true)
	}
	for i, seg := range strings.Split(raw, "/") {
		if i > 0 {
			b = append(b, '/')
		}
		if s, err := url.PathUnescape(seg); err == nil {
			seg = s
		}
		b = appendEncoded(b, seg, false)
	}
	return b
}

// appendQuery appends the parameters in the order of their encoded names,
// then of their encoded values.
func appendQuery(b []byte, query []pair) []byte {
	if len(query) == 0 {
		return b
	}
	enc := make([]pair, len(query))
	for i, p := range query {
		enc[i] = pair{string(appendEncoded(nil, p.name, false)), string(appendEncoded(nil, p.value, false))}
	}
	slices.SortFunc(enc, func(x, y pair) int {
		return cmp.Or(cmp.Compare(x.name, y.name), cmp.Compare(x.value, y.value))
	})
	for i, p := range enc {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, p.name...)
		b = append(b, '=')
		b = append(b, p.value...)
	}
	return b
}

// appendEncoded percent-encodes every byte of s but the unreserved characters
// of RFC 3986 and, if slash is set, the slash.
func appendEncoded(b []byte, s string, slash bool) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '/' && slash:
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

// headerValues returns the values of a header, also of those that net/http
// keeps outside the header map.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host":
		host := r.Host
		if host == "" && r.URL != nil {
			host = r.URL.Host
		}
		return []string{host}
	case "content-length":
		if v := r.Header["Content-Length"]; len(v) > 0 {
			return v
		}
		return []string{strconv.FormatInt(r.ContentLength, 10)}
	case "transfer-encoding":
		return r.TransferEncoding
	}
	return r.Header[textproto.CanonicalMIMEHeaderKey(name)]
}

// appendTrimmed appends a header value without the white space around it, and
// with one blank for each run of white space inside.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	blank := false
	for i := range len(v) {
		c := v[i]
		if c == ' ' || c == '\t' {
			blank = true
			continue
		}
		if blank {
			b, blank = append(b, ' '), false
		}
		b = append(b, c)
	}
	return b
}
