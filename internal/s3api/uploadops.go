package s3api

import (
	"cmp"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A sumXML is a checksum as an element named for its algorithm, and its type.
type sumXML struct{ sum }

// MarshalXML implements xml.Marshaler.
func (s sumXML) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if err := s.encode(e); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

func (s sumXML) encode(e *xml.Encoder) error {
	element := func(name, value string) error {
		return e.EncodeElement(value, xml.StartElement{Name: xml.Name{Local: name}})
	}
	if err := element("Checksum"+s.Algorithm, s.Value); err != nil {
		return err
	}
	return element("ChecksumType", s.Type)
}

// A flatSum is a checksum whose element stands among those of its parent.
type flatSum struct {
	XMLName xml.Name
	Value   string `xml:",chardata"`
}

func flatten(s sum) *flatSum {
	if s.Algorithm == "" {
		return nil
	}
	return &flatSum{xml.Name{Local: "Checksum" + s.Algorithm}, s.Value}
}

func createUpload(q *request) error {
	in, err := q.readInfo()
	if err != nil {
		return err
	}
	u := &upload{bucket: q.bucket, key: q.key, info: in}
	if u.tags, err = parseTagHeader(q.header("X-Amz-Tagging")); err != nil {
		return err
	}
	if name := q.header("X-Amz-Checksum-Algorithm"); name != "" {
		a, err := algorithmNamed(name)
		if err != nil {
			return err
		}
		typ := cmp.Or(strings.ToUpper(q.header("X-Amz-Checksum-Type")), a.defaultType())
		if !a.allows(typ) {
			return errorf("InvalidRequest", "The %.40s checksum type cannot be used with the %s checksum algorithm.", typ, a.name)
		}
		u.info.Sum = sum{Algorithm: a.name, Type: typ}
		q.w.Header().Set("X-Amz-Checksum-Algorithm", a.name)
		q.w.Header().Set("X-Amz-Checksum-Type", typ)
	}
	if err := q.s.Store.createUpload(q.Context(), u); err != nil {
		return err
	}
	return q.answer("InitiateMultipartUploadResult", struct {
		Bucket, Key string
		UploadID    string `xml:"UploadId"`
	}{q.bucket, q.key, u.id})
}

// upload returns the upload that the request names, and the part number.
func (q *request) upload() (*upload, int, error) {
	number, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil || number < 1 || number > maxParts {
		return nil, 0, errorf("InvalidArgument", "Part number must be an integer between 1 and %d, inclusive.", maxParts)
	}
	u, err := getUpload(q.s.Store.read(q.Context()), q.bucket, q.key, q.query.Get("uploadId"))
	return u, number, err
}

func uploadPart(q *request) error {
	u, number, err := q.upload()
	if err != nil {
		return err
	}
	c, err := q.checks()
	if err != nil {
		return err
	}
	if name := u.info.Sum.Algorithm; name != "" {
		a, err := algorithmNamed(name)
		if err != nil {
			return err
		}
		if c.algorithm != nil && c.algorithm.name != name {
			return errorf("InvalidRequest", "Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s.",
				strings.ToLower(name), strings.ToLower(c.algorithm.name))
		}
		c.algorithm = &a
	}
	st, kept, err := q.receive(c)
	if err != nil {
		return err
	}
	p := newPart(number, st, kept)
	if err := q.s.Store.putPart(q.Context(), u, p, st); err != nil {
		return err
	}
	q.w.Header().Set("ETag", quote(p.etag))
	if kept.Algorithm != "" {
		q.w.Header().Set("X-Amz-Checksum-"+kept.Algorithm, kept.Value)
	}
	return q.done(http.StatusOK)
}

func completeUpload(q *request) error {
	var in struct {
		Part []struct {
			PartNumber        int
			ETag              string
			ChecksumCRC32     string
			ChecksumCRC32C    string
			ChecksumCRC64NVME string
			ChecksumSHA1      string
			ChecksumSHA256    string
		}
	}
	data, err := q.document()
	if err != nil {
		return err
	}
	if err := parseXML(data, &in); err != nil {
		return err
	}
	c := completion{size: -1, cond: q.putCondition()}
	for _, p := range in.Part {
		c.parts = append(c.parts, wantedPart{p.PartNumber, p.ETag, map[string]string{"CRC32": p.ChecksumCRC32, "CRC32C": p.ChecksumCRC32C,
			"CRC64NVME": p.ChecksumCRC64NVME, "SHA1": p.ChecksumSHA1, "SHA256": p.ChecksumSHA256}})
	}
	for _, a := range algorithms {
		if v := q.header(a.header()); v != "" {
			c.sum = sum{Algorithm: a.name, Value: v}
		}
	}
	if v := q.header("X-Amz-Mp-Object-Size"); v != "" {
		if c.size, err = strconv.ParseInt(v, 10, 64); err != nil || c.size < 0 {
			return errorf("InvalidRequest", "x-amz-mp-object-size is not a number of bytes: %.40q.", v)
		}
	}
	o, err := q.s.Store.complete(q.Context(), q.bucket, q.key, q.query.Get("uploadId"), c)
	if err != nil {
		return err
	}
	if o.version != nullVersion {
		q.w.Header().Set("X-Amz-Version-Id", o.version)
	}
	return q.answer("CompleteMultipartUploadResult", struct {
		Location, Bucket, Key, ETag string
		Sum                         *flatSum
		ChecksumType                string `xml:",omitempty"`
	}{q.location(), q.bucket, q.key, quote(o.etag), flatten(o.info.Sum), o.info.Sum.Type})
}

// location returns the URL of the object.
func (q *request) location() string {
	scheme := "http://"
	if q.TLS != nil {
		scheme = "https://"
	}
	return scheme + q.Host + (&url.URL{Path: "/" + q.bucket + "/" + q.key}).EscapedPath()
}

func abortUpload(q *request) error {
	if err := q.s.Store.abortUpload(q.Context(), q.bucket, q.key, q.query.Get("uploadId")); err != nil {
		return err
	}
	return q.done(http.StatusNoContent)
}

func listParts(q *request) error {
	u, err := getUpload(q.s.Store.read(q.Context()), q.bucket, q.key, q.query.Get("uploadId"))
	if err != nil {
		return err
	}
	limit, err := q.number("max-parts", maxKeys, maxKeys)
	if err != nil {
		return err
	}
	after, err := q.number("part-number-marker", 0, maxParts)
	if err != nil {
		return err
	}
	parts, err := q.s.Store.listParts(q.Context(), u.id, after, limit+1)
	if err != nil {
		return err
	}
	type partXML struct {
		PartNumber   int
		LastModified string
		ETag         string
		Size         int64
		Sum          *flatSum
	}
	var out struct {
		Bucket, Key          string
		UploadID             string `xml:"UploadId"`
		Initiator, Owner     owner
		StorageClass         string
		PartNumberMarker     int
		NextPartNumberMarker int `xml:",omitempty"`
		MaxParts             int
		IsTruncated          bool
		ChecksumAlgorithm    string `xml:",omitempty"`
		ChecksumType         string `xml:",omitempty"`
		Part                 []partXML
	}
	out.Bucket, out.Key, out.UploadID, out.PartNumberMarker, out.MaxParts = q.bucket, q.key, u.id, after, limit
	out.Initiator, out.Owner, out.StorageClass = q.s.owner(), q.s.owner(), cmp.Or(u.info.Class, "STANDARD")
	out.ChecksumAlgorithm, out.ChecksumType = u.info.Sum.Algorithm, u.info.Sum.Type
	if len(parts) > limit {
		parts, out.IsTruncated = parts[:limit], true
	}
	for _, p := range parts {
		out.Part = append(out.Part, partXML{p.Number, xmlTimeOf(p.modified), quote(p.etag), p.Size, flatten(p.Sum)})
		out.NextPartNumberMarker = p.Number
	}
	return q.answer("ListPartsResult", &out)
}

func listUploads(q *request) error {
	if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
		return err
	}
	enc, encoding, err := q.encoding()
	if err != nil {
		return err
	}
	limit, err := q.number("max-uploads", maxUploads, maxUploads)
	if err != nil {
		return err
	}
	type uploadXML struct {
		Key               textXML
		UploadID          string `xml:"UploadId"`
		Initiator, Owner  owner
		StorageClass      string
		Initiated         string
		ChecksumAlgorithm string `xml:",omitempty"`
		ChecksumType      string `xml:",omitempty"`
	}
	var out struct {
		Bucket             string
		KeyMarker          textXML
		UploadIDMarker     string  `xml:"UploadIdMarker"`
		NextKeyMarker      textXML `xml:",omitempty"`
		NextUploadIDMarker string  `xml:"NextUploadIdMarker,omitempty"`
		Prefix             textXML
		Delimiter          textXML `xml:",omitempty"`
		MaxUploads         int
		EncodingType       string `xml:",omitempty"`
		IsTruncated        bool
		Upload             []uploadXML
		CommonPrefixes     []prefixXML
	}
	l := listing{bucket: q.bucket, prefix: q.query.Get("prefix"), delimiter: q.query.Get("delimiter"), after: q.query.Get("key-marker"), limit: limit}
	list, prefixes, more, err := q.s.Store.listUploads(q.Context(), l, q.query.Get("upload-id-marker"))
	if err != nil {
		return err
	}
	out.Bucket, out.KeyMarker, out.UploadIDMarker = q.bucket, enc(l.after), q.query.Get("upload-id-marker")
	out.Prefix, out.Delimiter, out.MaxUploads, out.EncodingType, out.IsTruncated = enc(l.prefix), enc(l.delimiter), limit, encoding, more
	for _, u := range list {
		out.Upload = append(out.Upload, uploadXML{enc(u.key), u.id, q.s.owner(), q.s.owner(), cmp.Or(u.info.Class, "STANDARD"),
			xmlTimeOf(u.created), u.info.Sum.Algorithm, u.info.Sum.Type})
		if more {
			out.NextKeyMarker, out.NextUploadIDMarker = enc(u.key), u.id
		}
	}
	for _, prefix := range prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, prefixXML{enc(prefix)})
		if more && (len(list) == 0 || prefix > list[len(list)-1].key) {
			out.NextKeyMarker, out.NextUploadIDMarker = enc(prefix), ""
		}
	}
	return q.answer("ListMultipartUploadsResult", &out)
}
