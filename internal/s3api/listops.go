package s3api

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"
)

// A textXML is a key, a prefix or a delimiter in a list, encoded for a URL if
// the client asked for that. XML cannot carry every character of a key.
type textXML string

// maxKeys is how many entries a page of a list has at most.
const maxKeys = 1000

// encoding returns the function that encodes keys, and the word for it.
func (q *request) encoding() (func(string) textXML, string, error) {
	switch v := q.query.Get("encoding-type"); v {
	case "":
		return func(s string) textXML { return textXML(s) }, "", nil
	case "url":
		return func(s string) textXML {
			return textXML(strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%2F", "/"))
		}, v, nil
	default:
		return nil, "", errorf("InvalidArgument", "Invalid Encoding Method specified in Request: %.40q.", v)
	}
}

type entryXML struct {
	Key               textXML
	VersionID         string `xml:"VersionId,omitempty"`
	IsLatest          *bool  `xml:",omitempty"`
	LastModified      string
	ETag              string   `xml:",omitempty"`
	ChecksumAlgorithm string   `xml:",omitempty"`
	ChecksumType      string   `xml:",omitempty"`
	Size              *int64   `xml:",omitempty"`
	StorageClass      string   `xml:",omitempty"`
	Owner             *owner   `xml:",omitempty"`
	XMLName           xml.Name // Contents, Version or DeleteMarker
}

type prefixXML struct{ Prefix textXML }

// listXML is the answer of all three lists.
type listXML struct {
	Name                  string
	Prefix                textXML
	Delimiter             textXML  `xml:",omitempty"`
	Marker                *textXML `xml:",omitempty"` // version 1
	NextMarker            textXML  `xml:",omitempty"`
	StartAfter            textXML  `xml:",omitempty"` // version 2
	ContinuationToken     string   `xml:",omitempty"`
	NextContinuationToken string   `xml:",omitempty"`
	KeyCount              *int     `xml:",omitempty"`
	KeyMarker             *textXML `xml:",omitempty"` // versions
	VersionIDMarker       *string  `xml:"VersionIdMarker,omitempty"`
	NextKeyMarker         textXML  `xml:",omitempty"`
	NextVersionIDMarker   string   `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys               int
	EncodingType          string `xml:",omitempty"`
	IsTruncated           bool
	Entries               []entryXML
	CommonPrefixes        []prefixXML
}

// listing reads the parameters that all lists have.
func (q *request) listing() (listing, error) {
	limit, err := q.number("max-keys", maxKeys, maxKeys)
	return listing{bucket: q.bucket, prefix: q.query.Get("prefix"), delimiter: q.query.Get("delimiter"), limit: limit}, err
}

// listObjects answers both versions of ListObjects.
func listObjects(q *request) error {
	l, err := q.listing()
	if err != nil {
		return err
	}
	enc, encoding, err := q.encoding()
	if err != nil {
		return err
	}
	v2 := q.query.Get("list-type") == "2"
	out := &listXML{Name: q.bucket, Prefix: enc(l.prefix), Delimiter: enc(l.delimiter), MaxKeys: l.limit, EncodingType: encoding}
	if v2 {
		l.after = q.query.Get("start-after")
		out.StartAfter, out.ContinuationToken = enc(l.after), q.query.Get("continuation-token")
		if q.query.Has("continuation-token") {
			after, err := base64.RawURLEncoding.DecodeString(out.ContinuationToken)
			if err != nil || len(after) == 0 {
				return errorf("InvalidArgument", "The continuation token provided is incorrect.")
			}
			l.after = string(after)
		}
	} else {
		l.after = q.query.Get("marker")
		marker := enc(l.after)
		out.Marker = &marker
	}
	p, err := q.s.Store.list(q.Context(), l)
	if err != nil {
		return err
	}
	out.fill(q, p, enc, !v2 || q.query.Get("fetch-owner") == "true")
	switch {
	case v2:
		n := len(p.objects) + len(p.prefixes)
		out.KeyCount = &n
		if p.more {
			out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(p.next))
		}
	case p.more && l.delimiter != "":
		out.NextMarker = enc(p.next)
	}
	return q.answer("ListBucketResult", out)
}

// fill enters what a page has.
func (out *listXML) fill(q *request, p *page, enc func(string) textXML, owners bool) {
	out.IsTruncated = p.more
	who := q.s.owner()
	for i := range p.objects {
		o := &p.objects[i]
		e := entryXML{Key: enc(o.key), LastModified: xmlTimeOf(o.modified), XMLName: xml.Name{Local: "Contents"}}
		if !o.marker {
			e.ETag, e.Size, e.StorageClass = quote(o.etag), &o.size, o.class()
			e.ChecksumAlgorithm, e.ChecksumType = o.info.Sum.Algorithm, o.info.Sum.Type
		}
		if owners {
			e.Owner = &who
		}
		out.Entries = append(out.Entries, e)
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{enc(prefix)})
	}
}

func listVersions(q *request) error {
	l, err := q.listing()
	if err != nil {
		return err
	}
	enc, encoding, err := q.encoding()
	if err != nil {
		return err
	}
	l.versions, l.after = true, q.query.Get("key-marker")
	version := q.query.Get("version-id-marker")
	if version != "" {
		if l.after == "" {
			return errorf("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
		}
		if l.afterID, err = q.s.Store.versionID(q.Context(), q.bucket, l.after, version); err != nil {
			return err
		}
		if l.afterID == 0 {
			return errorf("InvalidArgument", "Invalid version id specified: %.80q.", version)
		}
	}
	marker := enc(l.after)
	out := &listXML{Name: q.bucket, Prefix: enc(l.prefix), Delimiter: enc(l.delimiter), MaxKeys: l.limit, EncodingType: encoding,
		KeyMarker: &marker, VersionIDMarker: &version}
	p, err := q.s.Store.list(q.Context(), l)
	if err != nil {
		return err
	}
	out.fill(q, p, enc, true)
	for i := range p.objects {
		o, e := &p.objects[i], &out.Entries[i]
		e.VersionID, e.IsLatest, e.XMLName.Local = o.version, &o.latest, "Version"
		if o.marker {
			e.XMLName.Local = "DeleteMarker"
		}
	}
	if p.more {
		out.NextKeyMarker = enc(p.next)
		if n := len(p.objects); n > 0 && p.nextID != 0 {
			out.NextVersionIDMarker = p.objects[n-1].version
		}
	}
	return q.answer("ListVersionsResult", out)
}
