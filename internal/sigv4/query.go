package sigv4

import (
	"net/url"
	"strings"
)

// A pair is a decoded parameter of a query.
type pair struct{ name, value string }

// parseQuery decodes a query, keeping its order.
func parseQuery(raw string) ([]pair, error) {
	if raw == "" {
		return nil, nil
	}
	var query []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return nil, errorf(IncompleteSignature, "The query has a malformed percent escape in %.60q.", part)
		}
		query = append(query, pair{n, v})
	}
	return query, nil
}

func lookup(query []pair, name string) (string, bool) {
	for _, p := range query {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}
