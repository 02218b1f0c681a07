package sigv4

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const (
	docKey    = "AKIAIOSFODNN7EXAMPLE"
	docSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	iamSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

func verifierAt(stamp, secret string) *Verifier {
	now, err := time.Parse(stampLayout, stamp)
	if err != nil {
		panic(err)
	}
	return &Verifier{
		Secret: func(_ context.Context, id string) (string, error) {
			switch {
			case id == "AKOTHER":
				return "another secret", nil
			case strings.HasPrefix(id, "AK"):
				return secret, nil
			}
			return "", nil
		},
		Now: func() time.Time { return now },
	}
}

func request(method, host, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

// TestPublished verifies the requests and signatures that Amazon's
// documentation of Signature Version 4 works through.
func TestPublished(t *testing.T) {
	const (
		cred = algorithm + " Credential=" + docKey + "/20130524/us-east-1/s3/aws4_request,SignedHeaders="
		host = "examplebucket.s3.amazonaws.com"
		day  = "20130524T000000Z"
	)
	for _, tt := range []struct {
		name    string
		service string
		secret  string
		at      string
		r       *http.Request
	}{
		{"get object", "s3", docSecret, day, request("GET", host, "/test.txt", "", "Range", "bytes=0-9", "X-Amz-Date", day,
			"X-Amz-Content-Sha256", emptyHash, "Authorization", cred+"host;range;x-amz-content-sha256;x-amz-date,"+
				"Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")},
		{"put object", "s3", docSecret, day, request("PUT", host, "/test$file.text", "Welcome to Amazon S3.",
			"Date", "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Date", day, "X-Amz-Storage-Class", "REDUCED_REDUNDANCY",
			"X-Amz-Content-Sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
			"Authorization", cred+"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"+
				"Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")},
		{"lifecycle", "s3", docSecret, day, request("GET", host, "/?lifecycle", "", "X-Amz-Date", day,
			"X-Amz-Content-Sha256", emptyHash, "Authorization", cred+"host;x-amz-content-sha256;x-amz-date,"+
				"Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")},
		{"list", "s3", docSecret, day, request("GET", host, "/?max-keys=2&prefix=J", "", "X-Amz-Date", day,
			"X-Amz-Content-Sha256", emptyHash, "Authorization", cred+"host;x-amz-content-sha256;x-amz-date,"+
				"Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")},
		{"presigned", "s3", docSecret, "20130524T235900Z", request("GET", host, "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"+
			"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"+
			"&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"+
			"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", "")},
		{"iam list users", "iam", iamSecret, "20150830T123600Z", request("GET", "iam.amazonaws.com",
			"/?Action=ListUsers&Version=2010-05-08", "", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8",
			"X-Amz-Date", "20150830T123600Z", "Authorization", algorithm+
				" Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, "+
				"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, body, err := verifierAt(tt.at, tt.secret).Verify(tt.r, Options{Service: tt.service})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, body); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// docChunks is the body of the documentation's chunked uploads: 66,560 times
// the letter a in two chunks.
func docChunks(sig1, sig2, sig3, trailer string) string {
	return fmt.Sprintf("10000;chunk-signature=%s\r\n%s\r\n400;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n%s\r\n",
		sig1, strings.Repeat("a", 65536), sig2, strings.Repeat("a", 1024), sig3, trailer)
}

func signedUpload() *http.Request {
	return request("PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", docChunks(
		"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
		"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
		"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", ""),
		"X-Amz-Date", "20130524T000000Z", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY", "Content-Encoding", "aws-chunked",
		"X-Amz-Decoded-Content-Length", "66560", "X-Amz-Content-Sha256", streamSigned, "Content-Length", "66824",
		"Authorization", algorithm+" Credential="+docKey+"/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;"+
			"content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,"+
			"Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
}

func trailerUpload(trailer string) *http.Request {
	return request("PUT", "s3.amazonaws.com", "/examplebucket/chunkObject.txt", docChunks(
		"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
		"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
		"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992", trailer),
		"X-Amz-Date", "20130524T000000Z", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY", "Content-Encoding", "aws-chunked",
		"X-Amz-Decoded-Content-Length", "66560", "X-Amz-Trailer", "x-amz-checksum-crc32c", "X-Amz-Content-Sha256", streamTrailer,
		"Authorization", algorithm+" Credential="+docKey+"/20130524/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;"+
			"host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,"+
			"Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e")
}

const docTrailer = "x-amz-checksum-crc32c:sOO8/Q==\r\n" +
	"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n"

func TestPublishedChunks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		r     *http.Request
		crc   string
		edits map[string]string
		code  Code
	}{
		{name: "signed", r: signedUpload()},
		{name: "trailer", r: trailerUpload(docTrailer), crc: "sOO8/Q=="},
		{name: "trailer as minio-go writes it", r: trailerUpload(strings.Replace(docTrailer, "\r\nx", "\n\r\nx", 1)), crc: "sOO8/Q=="},
		{name: "trailer changed", r: trailerUpload(strings.Replace(docTrailer, "sOO8", "sOO9", 1)), code: InvalidSignature},
		{name: "trailer unsigned", r: trailerUpload("x-amz-checksum-crc32c:sOO8/Q==\r\n"), code: MalformedBody},
		{name: "trailer missing", r: trailerUpload(""), code: MalformedBody},
		{name: "trailer after its signature", r: trailerUpload(docTrailer + "x-amz-meta-more:1\r\n"), code: MalformedBody},
		{name: "byte changed", r: signedUpload(), edits: map[string]string{"\r\naaa": "\r\naba"}, code: InvalidSignature},
		{name: "chunk signature changed", r: signedUpload(), edits: map[string]string{"ad80": "ad81"}, code: InvalidSignature},
		{name: "last signature changed", r: signedUpload(), edits: map[string]string{"b6c6": "b6c7"}, code: InvalidSignature},
		{name: "chunk signature missing", r: signedUpload(), edits: map[string]string{"10000;chunk-signature": "10000;"}, code: MalformedBody},
		{name: "size changed", r: signedUpload(), edits: map[string]string{"10000;": "ffff;"}, code: InvalidSignature},
		{name: "size too large", r: signedUpload(), edits: map[string]string{"10000;": "7fffffffffffffff;"}, code: MalformedBody},
		{name: "size negative", r: signedUpload(), edits: map[string]string{"10000;": "-1;"}, code: MalformedBody},
		{name: "size missing", r: signedUpload(), edits: map[string]string{"10000;": ";"}, code: MalformedBody},
		{name: "size overflows", r: signedUpload(), edits: map[string]string{"10000;": "ffffffffffffffffff;"}, code: MalformedBody},
		{name: "last chunk cut off", r: signedUpload(), edits: map[string]string{"\r\n0;chunk-signature=": "\r\n"}, code: MalformedBody},
		{name: "more after the end", r: signedUpload(), edits: map[string]string{"d449df9\r\n\r\n": "d449df9\r\n\r\n0\r\n"}, code: MalformedBody},
		{name: "line without end", r: signedUpload(), edits: map[string]string{"10000;": strings.Repeat("0", 70000)}, code: MalformedBody},
		{name: "early last chunk", r: signedUpload(), edits: map[string]string{"400;": "0;"}, code: IncompleteBody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, _ := io.ReadAll(tt.r.Body)
			text := string(data)
			for from, to := range tt.edits {
				text = strings.Replace(text, from, to, 1)
			}
			tt.r.Body = io.NopCloser(strings.NewReader(text))
			_, body, err := verifierAt("20130524T000000Z", docSecret).Verify(tt.r, Options{Service: "s3"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if code := codeOf(err); code != tt.code {
				t.Fatalf("read: %v, want code %q", err, tt.code)
			}
			if tt.code != "" {
				return
			}
			if string(got) != strings.Repeat("a", 66560) || body.Size() != 66560 {
				t.Errorf("read %d bytes, size %d", len(got), body.Size())
			}
			if crc := body.Trailer().Get("X-Amz-Checksum-Crc32c"); crc != tt.crc {
				t.Errorf("trailer crc32c = %q, want %q", crc, tt.crc)
			}
		})
	}
}

// TestChunksCutAnywhere cuts the upload short at many places; none may pass.
func TestChunksCutAnywhere(t *testing.T) {
	full, _ := io.ReadAll(signedUpload().Body)
	for n := 0; n < len(full)-2; n += 1 + n/9 {
		r := signedUpload()
		r.Body = io.NopCloser(strings.NewReader(string(full[:n])))
		_, body, err := verifierAt("20130524T000000Z", docSecret).Verify(r, Options{Service: "s3"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, body); err == nil {
			t.Fatalf("a body cut after %d of %d bytes passed", n, len(full))
		}
	}
}
