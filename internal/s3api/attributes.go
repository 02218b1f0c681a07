package s3api

import (
	"strings"
)

func getAttributes(q *request) error {
	r := q.s.Store.read(q.Context())
	o, err := getObject(r, q.bucket, q.key, q.query.Get("versionId"))
	if err != nil {
		return err
	}
	b, err := getBucket(r, q.bucket)
	if err != nil {
		return err
	}
	var out struct {
		ETag         string                    `xml:",omitempty"`
		Checksum     *sumXML                   `xml:",omitempty"`
		ObjectParts  *struct{ PartsCount int } `xml:",omitempty"`
		StorageClass string                    `xml:",omitempty"`
		ObjectSize   *int64                    `xml:",omitempty"`
	}
	for name := range strings.SplitSeq(strings.Join(q.Header.Values("X-Amz-Object-Attributes"), ","), ",") {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = o.etag
		case "Checksum":
			if o.info.Sum.Algorithm != "" {
				out.Checksum = &sumXML{o.info.Sum}
			}
		case "ObjectParts":
			if o.info.Parts > 0 {
				out.ObjectParts = &struct{ PartsCount int }{o.info.Parts}
			}
		case "StorageClass":
			out.StorageClass = o.class()
		case "ObjectSize":
			out.ObjectSize = &o.size
		default:
			return errorf("InvalidArgument", "Invalid attribute name specified: %.40q.", name)
		}
	}
	q.w.Header().Set("Last-Modified", lastModified(o.modified))
	q.setVersion(b, o.version)
	return q.answer("GetObjectAttributesResponse", &out)
}
