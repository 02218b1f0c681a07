package s3api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// chooseRange returns the bytes that the request asks for, by part number or
// by range.
func (q *request) chooseRange(o *object) (off, n int64, status int, err error) {
	if q.query.Has("partNumber") {
		return q.partRange(o)
	}
	spec := q.header("Range")
	if v := q.header("If-Range"); v != "" && !matchesETag(v, o.etag) {
		if t, err := http.ParseTime(v); err != nil || !t.Equal(o.modified.Truncate(time.Second)) {
			spec = ""
		}
	}
	off, n, ok := parseRange(spec, o.size)
	if !ok {
		return 0, o.size, http.StatusOK, nil
	}
	if n <= 0 {
		e := errorf("InvalidRange", "The requested range %.60q is not satisfiable: the object has %d bytes.", spec, o.size)
		e.Header = http.Header{"Content-Range": {fmt.Sprintf("bytes */%d", o.size)}}
		return 0, 0, 0, e
	}
	return off, n, http.StatusPartialContent, nil
}

// parseRange reads one range of bytes. What is no range, or several, does not
// count (ok is false); one that lies outside has no length.
func parseRange(spec string, size int64) (off, n int64, ok bool) {
	rest, found := strings.CutPrefix(spec, "bytes=")
	first, last, dash := strings.Cut(rest, "-")
	if !found || !dash {
		return 0, 0, false
	}
	if first == "" { // the last so many bytes
		k, err := strconv.ParseUint(last, 10, 63)
		if err != nil {
			return 0, 0, false
		}
		n = min(int64(k), size)
		return size - n, n, true
	}
	from, err := strconv.ParseUint(first, 10, 63)
	if err != nil {
		return 0, 0, false
	}
	to := uint64(max(size-1, 0))
	if last != "" {
		if to, err = strconv.ParseUint(last, 10, 63); err != nil || to < from {
			return 0, 0, false
		}
	}
	if int64(from) >= size {
		return 0, 0, true
	}
	return int64(from), min(int64(to), size-1) - int64(from) + 1, true
}

// partRange returns the bytes of a part. An object that was not uploaded in
// parts is its own part 1.
func (q *request) partRange(o *object) (off, n int64, status int, err error) {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts || q.header("Range") != "" {
		return 0, 0, 0, errorf("InvalidArgument", "Part number must be an integer between 1 and %d, without a range.", maxParts)
	}
	parts, err := q.s.Store.partsOf(q.Context(), o)
	if err != nil {
		return 0, 0, 0, err
	}
	if parts == nil {
		parts = []part{{Number: 1, Size: o.size}}
	} else {
		q.w.Header().Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(parts)))
	}
	for i, p := range parts {
		if i == number-1 {
			if p.Size == 0 {
				return 0, 0, http.StatusOK, nil
			}
			return off, p.Size, http.StatusPartialContent, nil
		}
		off += p.Size
	}
	return 0, 0, 0, &Error{Code: "InvalidPartNumber", Status: http.StatusRequestedRangeNotSatisfiable,
		Message: fmt.Sprintf("The requested partnumber is not satisfiable: %d of %d.", number, len(parts))}
}
