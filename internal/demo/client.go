//lint:file-ignore SA1019 Go v1 is deprecated, and the only one that has Lookout

package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rekognition"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	awsv1 "github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/client"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/defaults"
	"github.com/aws/aws-sdk-go/service/lookoutforvision"
)

// The clients of the story. Lookout's is of the AWS SDK for Go v1, the only
// one for Go that exists: v2 has dropped it since AWS ended the service.
type clients struct {
	s3     *s3.Client
	custom *rekognition.Client
	vision *lookoutforvision.LookoutForVision
}

// newClients returns clients that know nothing but the configuration: no
// profile, file or variable of the user's changes what the demo does.
func newClients(c Config) *clients {
	cfg := aws.Config{
		BaseEndpoint: &c.Endpoint,
		Region:       c.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.SecretKey}, nil
		}),
	}
	return &clients{
		s3:     s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
		custom: rekognition.NewFromConfig(cfg),
		vision: lookoutforvision.New(explicit(c)),
	}
}

// explicit configures a client of SDK v1 without its session, which would read
// the user's profile.
type explicit Config

// ClientConfig implements client.ConfigProvider.
func (c explicit) ClientConfig(string, ...*awsv1.Config) client.Config {
	cfg := defaults.Config().WithRegion(c.Region).
		WithCredentials(credentials.NewStaticCredentials(c.AccessKey, c.SecretKey, ""))
	return client.Config{Config: cfg, Handlers: defaults.Handlers(), Endpoint: c.Endpoint, SigningRegion: c.Region}
}

// poll calls fn until it returns true, fails, or has taken too long.
func poll(ctx context.Context, fn func(context.Context) (done bool, err error)) error {
	late := time.NewTimer(waiting)
	defer late.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		done, err := fn(ctx)
		if done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-late.C:
			return fmt.Errorf("it is not finished after %v", waiting)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
