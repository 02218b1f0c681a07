package s3api

import (
	"encoding/xml"
	"net/http"
	"slices"
)

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

func (q *request) checkACL() error {
	if acl := q.header("X-Amz-Acl"); !slices.Contains(cannedACLs, acl) {
		return errorf("InvalidArgument", "The canned ACL %.40q is not known.", acl)
	}
	return nil
}
