package s3api

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A condition is what must hold of the latest version for a write to go on.
type condition struct {
	match     string // If-Match: its ETag, or *
	noneMatch string // If-None-Match: only * has a meaning for writes
}

// check reports PreconditionFailed if the condition does not hold of o, which
// is nil if there is no object.
func (c condition) check(bucket, key string, o *object) error {
	exists := o != nil && !o.marker
	if c.noneMatch != "" && exists && (c.noneMatch == "*" || matchesETag(c.noneMatch, o.etag)) {
		return errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold: s3://%s/%s exists.", bucket, key)
	}
	if c.match == "" {
		return nil
	}
	if !exists {
		return noSuchKey(bucket, key)
	}
	if !matchesETag(c.match, o.etag) {
		return errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold: "+
			"s3://%s/%s has the ETag \"%s\".", bucket, key, o.etag)
	}
	return nil
}

// checkConditions evaluates the four conditions on what is there, in the order
// of RFC 9110 §13.2.2. The prefix is that of the headers.
func (q *request) checkConditions(o *object, prefix string) error {
	failed := errorf("PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
	unchanged := failed
	if prefix == "If-" && (q.Method == http.MethodGet || q.Method == http.MethodHead) {
		unchanged = errorf("NotModified", "Not Modified")
	}
	modified := o.modified.Truncate(time.Second)
	if v := q.header(prefix + "Match"); v != "" {
		if !matchesETag(v, o.etag) {
			return failed
		}
	} else if t, ok := q.time(prefix + "Unmodified-Since"); ok && modified.After(t) {
		return failed
	}
	if v := q.header(prefix + "None-Match"); v != "" {
		if matchesETag(v, o.etag) {
			return unchanged
		}
	} else if t, ok := q.time(prefix + "Modified-Since"); ok && !modified.After(t) {
		return unchanged
	}
	return nil
}

// time reads a header with a date; one that is not a date does not count.
func (q *request) time(name string) (time.Time, bool) {
	v := q.header(name)
	if v == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(v)
	return t, err == nil
}

// matchesETag reports whether a list of ETags has the one, or is *.
func matchesETag(list, etag string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(v string) bool {
		v = strings.TrimPrefix(strings.TrimSpace(v), "W/")
		return v == "*" || strings.Trim(v, `"`) == etag
	})
}

// putCondition reads the conditions of a write.
func (q *request) putCondition() condition {
	return condition{match: q.Header.Get("If-Match"), noneMatch: q.Header.Get("If-None-Match")}
}
