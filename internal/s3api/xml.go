package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/xml"
	"io"
	"net/http"
	"time"
)

const (
	namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
	xmlTime   = "2006-01-02T15:04:05.000Z"

	// maxXML bounds the documents that clients send. The largest is the
	// list of 10,000 parts, each with its checksums.
	maxXML = 8 << 20
)

type errorXML struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	Resource   string
	BucketName string `xml:",omitempty"`
	Key        string `xml:",omitempty"`
	RequestID  string `xml:"RequestId"`
	HostID     string `xml:"HostId"`
}

type owner struct {
	ID          string
	DisplayName string
}

func xmlTimeOf(t time.Time) string { return t.UTC().Format(xmlTime) }

// writeXML answers with a document.
func (q *request) writeXML(status int, v any) error {
	data, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.WriteHeader(status)
	q.wrote = true
	io.WriteString(q.w, xml.Header)
	_, err = q.w.Write(data)
	return err
}

// answer answers with a document of that name in the namespace of S3.
func (q *request) answer(name string, v any) error {
	var buf bytes.Buffer
	enc := xml.NewEncoder(&buf)
	start := xml.StartElement{Name: xml.Name{Local: name}, Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}}
	if err := enc.EncodeElement(v, start); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "application/xml")
	q.w.WriteHeader(http.StatusOK)
	q.wrote = true
	io.WriteString(q.w, xml.Header)
	_, err := q.w.Write(buf.Bytes())
	return err
}

// document reads a document that the client sent.
func (q *request) document() ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(q.body, maxXML+1))
	if err == nil && len(data) > maxXML {
		err = errorf("MaxMessageLengthExceeded", "Your request was too big: more than %d bytes.", maxXML)
	}
	return data, err
}

// readAll reads a document and verifies its checksums.
func (q *request) readAll() ([]byte, error) {
	data, err := q.document()
	if err != nil {
		return nil, err
	}
	c, err := q.checks()
	if err != nil {
		return nil, err
	}
	digest := md5.Sum(data)
	var value []byte
	if c.algorithm != nil {
		h := c.algorithm.new()
		h.Write(data)
		value = h.Sum(nil)
	}
	_, err = c.verify(q, digest[:], value)
	return data, err
}

// readXML reads a document into v.
func (q *request) readXML(v any) error {
	data, err := q.readAll()
	if err != nil {
		return err
	}
	return parseXML(data, v)
}

func parseXML(data []byte, v any) error {
	if err := xml.Unmarshal(data, v); err != nil {
		return errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema: %v", err)
	}
	return nil
}
