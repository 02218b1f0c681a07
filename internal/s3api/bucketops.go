package s3api

import (
	"net/http"
	"time"
)

func listBuckets(q *request) error {
	type entry struct {
		Name         string
		CreationDate string
		BucketRegion string
	}
	var out struct {
		Owner             owner
		Buckets           []entry `xml:"Buckets>Bucket"`
		Prefix            string  `xml:",omitempty"`
		ContinuationToken string  `xml:",omitempty"`
	}
	limit, err := q.number("max-buckets", 10000, 10000)
	if err != nil {
		return err
	}
	out.Owner, out.Prefix = q.s.owner(), q.query.Get("prefix")
	list, err := q.s.Store.listBuckets(q.Context(), out.Prefix, q.query.Get("continuation-token"), limit+1)
	if err != nil {
		return err
	}
	if len(list) > limit {
		list = list[:limit]
		out.ContinuationToken = list[limit-1].name
	}
	for _, b := range list {
		out.Buckets = append(out.Buckets, entry{b.name, xmlTimeOf(b.created), b.region})
	}
	return q.answer("ListAllMyBucketsResult", &out)
}

func createBucket(q *request) error {
	var in struct {
		LocationConstraint string
	}
	data, err := q.readAll()
	if err != nil {
		return err
	}
	if len(data) > 0 {
		if err := parseXML(data, &in); err != nil {
			return err
		}
	}
	if q.header("X-Amz-Bucket-Object-Lock-Enabled") == "true" {
		return errorf("NotImplemented", "Object lock is not implemented.")
	}
	fresh, err := q.s.Store.createBucket(q.Context(), q.bucket, in.LocationConstraint)
	if err != nil {
		return err
	}
	if !fresh && q.s.region() != "us-east-1" { // there S3 answers 200 for one's own bucket
		return errorf("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it: %s.", q.bucket)
	}
	q.w.Header().Set("Location", "/"+q.bucket)
	return q.done(http.StatusOK)
}

func headBucket(q *request) error {
	b, err := getBucket(q.s.Store.read(q.Context()), q.bucket)
	if err != nil {
		return err
	}
	q.w.Header().Set("X-Amz-Bucket-Region", b.region)
	q.w.Header().Set("X-Amz-Access-Point-Alias", "false")
	return q.done(http.StatusOK)
}

func deleteBucket(q *request) error {
	if err := q.s.Store.deleteBucket(q.Context(), q.bucket); err != nil {
		return err
	}
	return q.done(http.StatusNoContent)
}

func getLocation(q *request) error {
	b, err := getBucket(q.s.Store.read(q.Context()), q.bucket)
	if err != nil {
		return err
	}
	region := b.region
	if region == "us-east-1" { // which S3 leaves out
		region = ""
	}
	return q.answer("LocationConstraint", struct {
		Region string `xml:",chardata"`
	}{region})
}

// versioningXML is the document of a bucket's versioning.
type versioningXML struct {
	Status    string `xml:",omitempty"`
	MFADelete string `xml:"MfaDelete,omitempty"`
}

func getVersioning(q *request) error {
	b, err := getBucket(q.s.Store.read(q.Context()), q.bucket)
	if err != nil {
		return err
	}
	return q.answer("VersioningConfiguration", versioningXML{Status: b.versioning})
}

func putVersioning(q *request) error {
	var in versioningXML
	if err := q.readXML(&in); err != nil {
		return err
	}
	if in.MFADelete == "Enabled" {
		return errorf("NotImplemented", "MFA delete is not implemented.")
	}
	if in.Status != versioningEnabled && in.Status != versioningSuspended {
		return errorf("IllegalVersioningConfigurationException", "The versioning status is %.40q; it must be Enabled or Suspended.", in.Status)
	}
	if err := q.s.Store.SetVersioning(q.Context(), q.bucket, in.Status == versioningEnabled); err != nil {
		return err
	}
	return q.done(http.StatusOK)
}

// lastModified returns the time as the header has it.
func lastModified(t time.Time) string { return t.UTC().Format(httpTime) }
