package s3api

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strconv"
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

// number returns a parameter that is a number, at most max, or a default.
func (q *request) number(name string, def, max int) (int, error) {
	text := q.query.Get(name)
	if text == "" {
		return def, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, errorf("InvalidArgument", "Provided %s not an integer or within integer range: %.40q.", name, text)
	}
	return min(int(n), max), nil
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

// done answers without a body.
func (q *request) done(status int) error {
	q.w.WriteHeader(status)
	q.wrote = true
	return nil
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

// getDocument answers what a client stored, or the error for nothing.
func getDocument(kind, code string) operation {
	return func(q *request) error {
		doc, err := q.s.Store.document(q.Context(), q.bucket, kind)
		if err != nil {
			return err
		}
		if doc == nil {
			return errorf(code, "The bucket %s has no %s configuration.", q.bucket, kind)
		}
		q.w.Header().Set("Content-Type", "application/xml")
		q.w.WriteHeader(http.StatusOK)
		q.wrote = true
		_, err = q.w.Write(doc)
		return err
	}
}

func deleteDocument(kind string) operation {
	return func(q *request) error {
		if err := q.s.Store.putDocument(q.Context(), q.bucket, kind, nil); err != nil {
			return err
		}
		return q.done(http.StatusNoContent)
	}
}

// absent answers for a kind of configuration that no bucket has here.
func absent(code string) operation {
	return func(q *request) error {
		if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
			return err
		}
		return errorf(code, "The bucket %s has no such configuration.", q.bucket)
	}
}

// empty answers an empty configuration.
func empty(name string) operation {
	return func(q *request) error {
		if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
			return err
		}
		return q.answer(name, struct{}{})
	}
}

func getRequestPayment(q *request) error {
	if _, err := getBucket(q.s.Store.read(q.Context()), q.bucket); err != nil {
		return err
	}
	return q.answer("RequestPaymentConfiguration", struct{ Payer string }{"BucketOwner"})
}

// A policy is stored so that clients find what they put. It is not enforced.
func putPolicy(q *request) error {
	doc, err := q.readAll()
	if err != nil {
		return err
	}
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal(doc, &policy); err != nil || len(policy.Statement) == 0 {
		return errorf("MalformedPolicy", "Policies must be valid JSON with a Statement.")
	}
	if err := q.s.Store.putDocument(q.Context(), q.bucket, "policy", doc); err != nil {
		return err
	}
	return q.done(http.StatusNoContent)
}

func getPolicy(q *request) error {
	doc, err := q.s.Store.document(q.Context(), q.bucket, "policy")
	if err != nil {
		return err
	}
	if doc == nil {
		return errorf("NoSuchBucketPolicy", "The bucket policy does not exist: %s", q.bucket)
	}
	q.w.Header().Set("Content-Type", "application/json")
	q.w.WriteHeader(http.StatusOK)
	q.wrote = true
	_, err = q.w.Write(doc)
	return err
}

func getPolicyStatus(q *request) error {
	if doc, err := q.s.Store.document(q.Context(), q.bucket, "policy"); err != nil {
		return err
	} else if doc == nil {
		return errorf("NoSuchBucketPolicy", "The bucket policy does not exist: %s", q.bucket)
	}
	return q.answer("PolicyStatus", struct{ IsPublic bool }{false})
}

// cannedACLs are accepted, and change nothing: everything here is private to
// the account whatever its ACL says.
var cannedACLs = []string{"", "private", "public-read", "public-read-write", "authenticated-read", "aws-exec-read",
	"bucket-owner-read", "bucket-owner-full-control", "log-delivery-write"}

type aclXML struct {
	Owner  owner
	Grants []grantXML `xml:"AccessControlList>Grant"`
}

type grantXML struct {
	Grantee struct {
		XSI  string `xml:"xmlns:xsi,attr"`
		Type string `xml:"xsi:type,attr"`
		owner
	}
	Permission string
}

// exists reports an error if what the request addresses is not there.
func (q *request) exists() error {
	r := q.s.Store.read(q.Context())
	if q.key == "" {
		_, err := getBucket(r, q.bucket)
		return err
	}
	_, err := getObject(r, q.bucket, q.key, q.query.Get("versionId"))
	return err
}

func getACL(q *request) error {
	if err := q.exists(); err != nil {
		return err
	}
	g := grantXML{Permission: "FULL_CONTROL"}
	g.Grantee.XSI, g.Grantee.Type, g.Grantee.owner = "http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", q.s.owner()
	return q.answer("AccessControlPolicy", aclXML{q.s.owner(), []grantXML{g}})
}

func putACL(q *request) error {
	if err := q.checkACL(); err != nil {
		return err
	}
	data, err := q.readAll()
	if err != nil {
		return err
	}
	if len(data) > 0 {
		if err := parseXML(data, &struct {
			XMLName xml.Name `xml:"AccessControlPolicy"`
		}{}); err != nil {
			return err
		}
	}
	if err := q.exists(); err != nil {
		return err
	}
	return q.done(http.StatusOK)
}

func (s *Server) region() string {
	if s.Region == "" {
		return "us-east-1"
	}
	return s.Region
}

// lastModified returns the time as the header has it.
func lastModified(t time.Time) string { return t.UTC().Format(httpTime) }
