package lint

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"fovea/internal/manifest"
)

// SplitRef takes an S3 URI apart, s3://BUCKET/KEY with both not empty. The
// scheme may be in upper case (CL-6.23).
func SplitRef(ref []byte) (bucket, key []byte, ok bool) {
	if len(ref) < 5 || ref[0]|0x20 != 's' || string(ref[1:5]) != "3://" {
		return nil, nil, false
	}
	rest := ref[5:]
	slash := bytes.IndexByte(rest, '/')
	if slash <= 0 || slash == len(rest)-1 {
		return nil, nil, false
	}
	return rest[:slash], rest[slash+1:], true
}

// MendRef says what to do about a source-ref that SplitRef does not accept.
func MendRef(ref []byte) string {
	s := strings.TrimSpace(string(ref))
	if len(s) > 2048 {
		return "Write the S3 URI of the image, as in s3://BUCKET/KEY."
	}
	if uri := meantRef(s); uri != "" {
		return fmt.Sprintf("Write %s.", Quote([]byte(uri)))
	}
	lower := strings.ToLower(s)
	switch {
	case s == "":
		return "Write the S3 URI of the image, as in s3://BUCKET/KEY."
	case strings.HasPrefix(lower, "s3:///"):
		return "Name the bucket between s3:// and the next slash."
	case strings.HasPrefix(lower, "s3://"):
		return "Name an object after the bucket, as in s3://BUCKET/KEY."
	case strings.HasPrefix(lower, "file:"), strings.HasPrefix(s, "/"), len(s) > 2 && s[1] == ':' && s[2] == '\\':
		return "Upload the image to S3 and write its URI, as in s3://BUCKET/KEY."
	case strings.Contains(s, "://"):
		return "Copy the image to S3 and write its URI, as in s3://BUCKET/KEY."
	}
	return fmt.Sprintf("Write the bucket before the path: %s.", Quote([]byte("s3://BUCKET/"+strings.TrimPrefix(s, "./"))))
}

// meantRef returns the S3 URI that another form of it stands for, or "".
func meantRef(s string) string {
	uri := ""
	switch lower := strings.ToLower(s); {
	case strings.HasPrefix(lower, "s3a://"), strings.HasPrefix(lower, "s3n://"):
		uri = "s3://" + s[len("s3a://"):]
	case strings.HasPrefix(lower, "s3://"):
		uri = "s3://" + s[len("s3://"):]
	case strings.HasPrefix(lower, "s3:/"):
		uri = "s3://" + s[len("s3:/"):]
	case strings.HasPrefix(lower, "s3:\\\\"):
		uri = "s3://" + strings.ReplaceAll(s[len("s3:\\\\"):], `\`, "/")
	case strings.HasPrefix(lower, "arn:"):
		if _, path, ok := strings.Cut(s, ":s3:::"); ok {
			uri = "s3://" + path
		}
	case strings.HasPrefix(lower, "https://"), strings.HasPrefix(lower, "http://"):
		uri = fromURL(s)
	}
	if _, _, ok := SplitRef([]byte(uri)); !ok {
		return ""
	}
	return uri
}

// fromURL returns the S3 URI of an object's address on AWS, with the bucket in
// the host name or in the path, or "".
func fromURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Hostname())
	service, ok := strings.CutSuffix(host, ".amazonaws.com")
	switch {
	case !ok:
		return ""
	case service == "s3", strings.HasPrefix(service, "s3."), strings.HasPrefix(service, "s3-"):
		return "s3:/" + u.Path
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if bucket, _, ok := strings.Cut(service+".", mark); ok {
			return "s3://" + bucket + u.Path
		}
	}
	return ""
}

// A Doubt is something odd about a source-ref that is not wrong.
type Doubt struct {
	Code     string
	Message  string
	Expected string
	Mend     string
}

// The codes of doubts about a source-ref.
const (
	SchemeCase = "WARNING_SOURCE_REF_SCHEME"
	OddBucket  = "WARNING_SOURCE_REF_BUCKET"
	OddKey     = "WARNING_SOURCE_REF_KEY"
)

// DoubtRef returns what is odd about the S3 URI of an image that SplitRef took
// apart. It is the first of several, and nil for most. Only what was escaped in
// JSON can have characters that JSON does not allow.
func DoubtRef(ref, bucket, key []byte, escaped bool) *Doubt {
	switch {
	case ref[0] == 'S':
		return &Doubt{SchemeCase, "The scheme of the source-ref is in upper case.", "s3://",
			"Write s3:// in lower case, so that other programs find the image."}
	case !isBucket(bucket):
		return &Doubt{OddBucket, "The source-ref names a bucket that cannot exist.",
			"3 to 63 lower-case letters, digits, dots and hyphens", "Check the name of the bucket."}
	case key[len(key)-1] == '/':
		return &Doubt{OddKey, "The source-ref ends with a slash, as the placeholder of a folder does.",
			"the S3 URI of an image", "Remove the line, or name an image."}
	case len(key) > 1024:
		return &Doubt{OddKey, "The key of the source-ref is longer than S3 allows.", "at most 1024 bytes",
			"Check the key."}
	case key[0] == ' ', key[len(key)-1] <= ' ', escaped && bytes.ContainsAny(key, "\x00\n\r\t\x7f\ufffd"):
		return &Doubt{OddKey, "The source-ref has white space or a control character that can hardly be meant.",
			"the key as it is in S3", "Remove what is too much."}
	}
	return doubtFormat(key)
}

// doubtFormat returns what is odd about the extension of the key of an image.
func doubtFormat(key []byte) *Doubt {
	dot := bytes.LastIndexByte(key, '.')
	if dot < 0 || len(key)-dot > 6 {
		return nil
	}
	switch string(key[dot+1:]) {
	case "jpg", "png", "jpeg", "JPG", "PNG", "JPEG":
		return nil
	}
	switch strings.ToLower(string(key[dot+1:])) {
	case "tif", "tiff", "gif", "bmp", "webp", "heic", "heif", "avif", "svg", "pdf", "json", "txt", "csv", "xml", "zip", "mp4":
		return &Doubt{OddKey, "The name of the image ends as no PNG or JPEG does.", "a PNG or a JPEG",
			"Check that the image is a PNG or a JPEG, or convert it: training reads nothing else."}
	}
	return nil
}

// isBucket tells whether S3 allows a bucket of that name, also one of the
// early days, when upper case and underscores were allowed in one region.
func isBucket(name []byte) bool {
	if len(name) < 3 || len(name) > 255 {
		return false
	}
	for _, c := range name {
		switch {
		case c-'a' < 26, c-'A' < 26, c-'0' < 10, c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// meantRefKey returns the index of the key of the line that was probably meant
// to be source-ref, or -1: by its name, or because its value is an S3 URI
// without metadata.
func meantRefKey(doc *manifest.Doc) int {
	if k := MeantKey(doc, doc.Root(), "source-ref"); k >= 0 {
		return k
	}
	seen := 0
	for k, end := doc.Root()+1, doc.Next(doc.Root()); k < end && seen < maxKeys; k = doc.Next(k + 1) {
		_, _, ok := SplitRef(doc.Str(k+1, nil))
		if ok && doc.Member(doc.Root(), string(doc.Key(k))+"-metadata") < 0 {
			return k
		}
		seen++
	}
	return -1
}
