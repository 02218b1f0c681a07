package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Config says which S3 and as whom.
type Config struct {
	Endpoint     string // such as http://minio:9000; "" is Amazon's of the region
	Region       string // default us-east-1
	AccessKey    string // required
	SecretKey    string // required
	SessionToken string // of temporary credentials
	PathStyle    bool   // the bucket is in the path and not in the host name

	Attempts int           // tries of one request, or of one place in a body; default 6
	Idle     time.Duration // how long to wait for the next bytes, default 30 s
	Backoff  time.Duration // longest pause between tries, default 5 s
	PartSize int64         // bytes of a part of an upload, and of memory for it; default 8 MiB
}

// NewClient returns a client of the S3 with fovea's retries, time limits and
// checks. It reports a configuration that cannot work.
func NewClient(c Config) (*awss3.Client, error) {
	if c.AccessKey == "" || c.SecretKey == "" {
		return nil, errors.New("the external S3 needs an access key and a secret key")
	}
	opts := awss3.Options{
		Region:       cmp.Or(c.Region, "us-east-1"),
		UsePathStyle: c.PathStyle,
		HTTPClient:   httpClient(c),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey, SessionToken: c.SessionToken}, nil
		}),
		// stores that are not Amazon's often do not know the newer checksums
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts = cmp.Or(c.Attempts, 6)
			o.MaxBackoff = cmp.Or(c.Backoff, 5*time.Second)
			o.Backoff = backoff(o.MaxBackoff)
			o.RateLimiter = ratelimit.None
		}),
	}
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
			return nil, fmt.Errorf("the S3 endpoint %q is not an http or https URL of a host", c.Endpoint)
		}
		opts.BaseEndpoint = aws.String(c.Endpoint)
	}
	return awss3.New(opts), nil
}

// firstPause is the longest pause before the second try.
const firstPause = 200 * time.Millisecond

// backoff returns pauses that are random, and may be twice as long each time up
// to a limit. Those of the SDK begin with a second, which imports of thousands
// of small requests feel.
func backoff(limit time.Duration) retry.BackoffDelayerFunc {
	return func(attempt int, _ error) (time.Duration, error) {
		return rand.N(min(firstPause<<min(attempt, 10), limit)) + 1, nil
	}
}

// httpClient returns a client that waits for nothing for ever and follows no
// redirect: it has signed for one host, and may reach no other.
func httpClient(c Config) *http.Client {
	idle := cmp.Or(c.Idle, 30*time.Second)
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  idle,
			ExpectContinueTimeout:  time.Second,
			IdleConnTimeout:        90 * time.Second,
			MaxIdleConnsPerHost:    64,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // or a body would have another length than it says
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
