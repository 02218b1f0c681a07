package s3api

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// How many tags a thing may have.
const (
	maxObjectTags = 10
	maxBucketTags = 50
)

type tagXML struct{ Key, Value string }

// taggingXML is the document of tags.
type taggingXML struct {
	TagSet []tagXML `xml:"TagSet>Tag"`
}

// tags holds the document against the rules of S3.
func (x taggingXML) tags(most int) (tags, error) {
	if len(x.TagSet) > most {
		return nil, errorf("BadRequest", "There are %d tags; at most %d are allowed.", len(x.TagSet), most)
	}
	t := tags{}
	for _, tag := range x.TagSet {
		if n := utf8.RuneCountInString(tag.Key); n == 0 || n > 128 || strings.HasPrefix(tag.Key, "aws:") {
			return nil, errorf("InvalidTag", "The TagKey you have provided is invalid: %.140q.", tag.Key)
		}
		if utf8.RuneCountInString(tag.Value) > 256 {
			return nil, errorf("InvalidTag", "The TagValue you have provided is invalid: that of %.140q is longer than 256 characters.", tag.Key)
		}
		if _, ok := t[tag.Key]; ok {
			return nil, errorf("InvalidTag", "Cannot provide multiple Tags with the same key: %.140q.", tag.Key)
		}
		t[tag.Key] = tag.Value
	}
	return t, nil
}

// parseTagHeader reads tags in the form of a query.
func parseTagHeader(v string) (tags, error) {
	values, err := url.ParseQuery(v)
	if err != nil {
		return nil, errorf("InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var x taggingXML
	for name, vs := range values {
		for _, value := range vs {
			x.TagSet = append(x.TagSet, tagXML{name, value})
		}
	}
	return x.tags(maxObjectTags)
}

func getObjectTagging(q *request) error {
	o, err := getObject(q.s.Store.read(q.Context()), q.bucket, q.key, q.query.Get("versionId"))
	if err != nil {
		return err
	}
	var x taggingXML
	for name, value := range o.tags {
		x.TagSet = append(x.TagSet, tagXML{name, value})
	}
	slices.SortFunc(x.TagSet, func(a, b tagXML) int { return strings.Compare(a.Key, b.Key) })
	q.tellVersion(o)
	return q.answer("Tagging", x)
}

// tellVersion names the version that was touched, if it has a name.
func (q *request) tellVersion(o *object) {
	if o.version != nullVersion {
		q.w.Header().Set("X-Amz-Version-Id", o.version)
	}
}

func putObjectTagging(q *request) error {
	var x taggingXML
	if err := q.readXML(&x); err != nil {
		return err
	}
	t, err := x.tags(maxObjectTags)
	if err != nil {
		return err
	}
	return q.setTags(t, http.StatusOK)
}

func deleteObjectTagging(q *request) error { return q.setTags(tags{}, http.StatusNoContent) }

func (q *request) setTags(t tags, status int) error {
	o, err := q.s.Store.setTags(q.Context(), q.bucket, q.key, q.query.Get("versionId"), t)
	if err != nil {
		return err
	}
	q.tellVersion(o)
	return q.done(status)
}

func putBucketTagging(q *request) error {
	var x taggingXML
	if err := q.readXML(&x); err != nil {
		return err
	}
	if _, err := x.tags(maxBucketTags); err != nil {
		return err
	}
	doc, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
		taggingXML
	}{taggingXML: x})
	if err != nil {
		return err
	}
	if err := q.s.Store.putDocument(q.Context(), q.bucket, "tagging", doc); err != nil {
		return err
	}
	return q.done(http.StatusNoContent)
}
