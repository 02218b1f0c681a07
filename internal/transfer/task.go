package transfer

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fovea"
	"fovea/internal/exchange"
)

// An Exists says what to do if a dataset exists with other content.
type Exists int

const (
	Refuse  Exists = iota // leave it, and report a *ConflictError
	Update                // add and replace entries; those that are not in the collection stay
	Replace               // remove it, with its history, and make it again
)

// An ImportTask says what to import, and where to. Collection, Service, Project,
// Server and S3 are required; Plan needs Collection and Service only.
type ImportTask struct {
	Collection exchange.Collection
	Service    fovea.Service
	Project    string
	Splitting  Splitting
	Exists     Exists

	Server *Server
	S3     *s3.Client
	Region string // of a bucket that is made

	Bucket string // default DefaultBucket
	Prefix string // of keys; default DefaultPrefix. "/" is none

	Jobs int           // files that are sent at a time; default DefaultJobs
	Wait time.Duration // how long to wait for a dataset; default DefaultWait

	// Problem is told of everything that is left out (a fault), or that is
	// doubtful. It is called by one goroutine at a time. It may be nil.
	Problem func(err error, leftOut bool)

	// Progress is told of the work that is under way. It is called often, by
	// one goroutine at a time. It may be nil.
	Progress func(Progress)
}

// Defaults of a task.
const (
	DefaultJobs = 16
	DefaultWait = 30 * time.Minute
)

// A Stage is a part of the work.
type Stage string

// The stages.
const (
	Sending     Stage = "uploading"
	Importing   Stage = "importing"
	Listing     Stage = "listing"
	Downloading Stage = "downloading"
	Writing     Stage = "writing"
)

// A Progress says how far a stage is.
type Progress struct {
	Stage       Stage
	Done, Total int64 // images; a Total of 0 is not known
	Bytes       int64 // that were moved
	Detail      string
}

// place returns where in S3 the files go.
func (t *ImportTask) place() *place {
	return &place{
		client: t.S3, region: cmp.Or(t.Region, "us-east-1"), bucket: cmp.Or(t.Bucket, DefaultBucket),
		prefix: cleanPrefix(cmp.Or(t.Prefix, DefaultPrefix(t.Service, t.Project))),
	}
}

func (t *ImportTask) progress(p Progress) {
	if t.Progress != nil {
		t.Progress(p)
	}
}

// problem counts and tells what is wrong with an image. It returns an error that
// is not about one.
func (t *ImportTask) problem(c *Counts, err error) error {
	var f fault
	if !errors.As(err, &f) {
		return err
	}
	c.LeftOut++
	if t.Problem != nil {
		t.Problem(err, true)
	}
	return nil
}

func (t *ImportTask) warn(c *Counts, format string, args ...any) {
	c.Warnings++
	if t.Problem != nil {
		t.Problem(fmt.Errorf(format, args...), false)
	}
}

// lost returns what of an image's annotations the service has no place for, ""
// if nothing.
func (t *ImportTask) lost(img *exchange.Image) string {
	if t.Service == fovea.Lookout {
		if _, lost := lookoutClass(img); lost {
			if img.Kind == exchange.Detection {
				return fmt.Sprintf("%s has boxes, which Lookout for Vision does not know; it is imported without a label", img.Name)
			}
			return fmt.Sprintf("%s has the labels %q, and Lookout for Vision knows normal and anomaly only; it is imported without a label", img.Name, img.Labels)
		}
		return ""
	}
	if img.Mask != nil {
		return fmt.Sprintf("%s has a mask, which Custom Labels does not know; it is imported without", img.Name)
	}
	return ""
}
