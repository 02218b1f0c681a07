package process

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// client keeps connections open: benchmarks count answers, not handshakes.
var client = &http.Client{
	Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true},
	Timeout:   2 * time.Minute,
}

// Credentials returns the root key pair.
func (s *Server) Credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: s.KeyID(), SecretAccessKey: s.Secret()}
}

// Sign signs a request for a service with the root key, as of now.
func (s *Server) Sign(req *http.Request, service string, body []byte) error {
	return s.SignAs(req, s.Credentials(), service, s.Region(), body, time.Now())
}

// SignAs signs a request with any key, scope and time.
func (s *Server) SignAs(req *http.Request, key aws.Credentials, service, region string, body []byte, at time.Time) error {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if service == "s3" {
		req.Header.Set("X-Amz-Content-Sha256", hash)
	}
	return v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == "s3" }).
		SignHTTP(req.Context(), key, req, hash, service, region, at)
}

// Do signs a request and sends it. Path is the escaped path with the query.
func (s *Server) Do(ctx context.Context, service, method, path string, header http.Header, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if err := s.Sign(req, service, body); err != nil {
		return nil, err
	}
	return client.Do(req)
}

// Put uploads an object to the embedded S3 from r.
func (s *Server) Put(ctx context.Context, bucket, key string, r io.Reader, size int64) error {
	req, err := http.NewRequestWithContext(ctx, "PUT", s.URL()+"/"+bucket+"/"+key, r)
	if err != nil {
		return err
	}
	req.ContentLength = size
	if size == 0 {
		req.Body = http.NoBody
	}
	req.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(ctx, s.Credentials(), req, "UNSIGNED-PAYLOAD", "s3", s.Region(), time.Now()); err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = answer(resp)
	return err
}

// MakeBucket makes a bucket in the embedded S3.
func (s *Server) MakeBucket(ctx context.Context, bucket string) error {
	resp, err := s.Do(ctx, "s3", "PUT", "/"+bucket, nil, nil)
	if err != nil {
		return err
	}
	_, err = answer(resp)
	return err
}

// Rekognition calls an operation of Custom Labels. A failed call's error is an
// *AnswerError.
func (s *Server) Rekognition(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	header := http.Header{
		"Content-Type": {"application/x-amz-json-1.1"},
		"X-Amz-Target": {"RekognitionService." + operation},
	}
	return s.call(ctx, "rekognition", "POST", "/", header, body, out)
}

// Lookout calls an operation of Lookout for Vision by its method and path,
// which is what follows the API version. A nil in sends no body.
func (s *Server) Lookout(ctx context.Context, method, path string, header http.Header, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/json")
	return s.call(ctx, "lookoutvision", method, "/2020-11-20"+path, header, body, out)
}

func (s *Server) call(ctx context.Context, service, method, path string, header http.Header, body []byte, out any) error {
	resp, err := s.Do(ctx, service, method, path, header, body)
	if err != nil {
		return err
	}
	text, err := answer(resp)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// An AnswerError is an answer with a status other than 2xx.
type AnswerError struct {
	Status int
	Header http.Header
	Body   []byte
}

// Error returns the status and the body.
func (e *AnswerError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

func answer(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, &AnswerError{Status: resp.StatusCode, Header: resp.Header, Body: body}
	}
	return body, nil
}
