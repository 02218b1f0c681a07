package s3api

import (
	"cmp"
)

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
