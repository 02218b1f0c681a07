package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"strings"
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

// checks are the checksums that a request promises of its body.
type checks struct {
	md5       []byte // nil if there is no Content-MD5
	algorithm *algorithm
	value     string // base64; "" if it comes in the trailer, or not at all
	trailer   bool
}

// checks reads them from the headers. S3 takes one checksum, and beside it a
// Content-MD5.
func (q *request) checks() (*checks, error) {
	c := &checks{}
	if v, ok := q.Header["Content-Md5"]; ok {
		sum, err := base64.StdEncoding.DecodeString(v[0])
		if err != nil || len(sum) != md5.Size {
			return nil, errorf("InvalidDigest", "The Content-MD5 you specified was invalid: %.80q.", v[0])
		}
		c.md5 = sum
	}
	trailers := strings.Split(strings.ToLower(q.Header.Get("X-Amz-Trailer")), ",")
	for i := range algorithms {
		a := &algorithms[i]
		value := q.header(a.header())
		trailing := false
		for _, t := range trailers {
			trailing = trailing || strings.TrimSpace(t) == strings.ToLower(a.header())
		}
		if value == "" && !trailing {
			continue
		}
		if c.algorithm != nil || value != "" && trailing {
			return nil, errorf("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.")
		}
		if raw, err := base64.StdEncoding.DecodeString(value); value != "" && (err != nil || len(raw) != a.new().Size()) {
			return nil, errorf("InvalidRequest", "Value for %s header is invalid.", strings.ToLower(a.header()))
		}
		c.algorithm, c.value, c.trailer = a, value, trailing
	}
	if name := q.header("X-Amz-Sdk-Checksum-Algorithm"); name != "" && c.algorithm == nil {
		a, err := algorithmNamed(name)
		if err != nil {
			return nil, err
		}
		c.algorithm = &a
	}
	return c, nil
}

// verify compares what was computed of the body with what was promised, and
// returns the checksum to keep. It is called when the body has been read.
func (c *checks) verify(q *request, digest, value []byte) (sum, error) {
	if c.md5 != nil && !bytes.Equal(c.md5, digest) {
		return sum{}, errorf("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if c.algorithm == nil {
		return sum{}, nil
	}
	got, want := encodeSum(value), c.value
	if c.trailer {
		if q.signed == nil {
			return sum{}, errorf("NotImplemented", "A trailer needs a signed request.")
		}
		if want = q.signed.Trailer().Get(c.algorithm.header()); want == "" {
			return sum{}, errorf("MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our "+
				"published schema: %s is missing.", strings.ToLower(c.algorithm.header()))
		}
	}
	if want != "" && got != want {
		return sum{}, errorf("BadDigest", "The %s you specified did not match the calculated checksum: %.100q is not %s.", c.algorithm.name, want, got)
	}
	return sum{c.algorithm.name, got, fullObject}, nil
}
