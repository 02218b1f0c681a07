// Package demo tells the story of fovea to somebody who has never seen it:
// it draws images, uploads them with their manifests, creates projects and
// datasets of both services, trains a model, has it judge images that it has
// not seen, and prints what the server answered.
//
// It reaches the server only as a user does, through the AWS SDKs and the
// documented call for import reports, so that the story cannot show anything
// that a user could not have. Every number it prints comes from an answer, but
// for those of the files that it drew itself.
package demo

import (
	"cmp"
	"context"
	"io"
	"time"
)

// A Config says which server the story is told on, and to whom.
type Config struct {
	Endpoint  string // URL of the server; required
	AccessKey string // required
	SecretKey string // required
	Region    string // required

	Out      io.Writer // required
	Terminal bool      // Out is a terminal: progress is shown in place

	Data       string // folder of the server's data, for the commands to try next; required unless Exits
	Program    string // how the user runs fovea (default "fovea"), for the same
	Exits      bool   // the server ends with the story: no commands to try
	KeepImages string // folder to keep the drawn images in; empty for none
}

// waiting bounds how long a dataset or a training may take.
const waiting = 10 * time.Minute

// A story is a demo that is being told.
type story struct {
	Config
	*printer
	*clients
	plates  []*part
	flanges []*part
	lids    []*part

	trainARN string // of the dataset of plates for training
}

// Run tells the story. It returns the first error of the server or of Out, and
// ctx's when that ends. The server must have none of the story's buckets and
// projects.
func Run(ctx context.Context, c Config) error {
	c.Program = cmp.Or(c.Program, "fovea")
	s := &story{Config: c, printer: &printer{out: c.Out, terminal: c.Terminal}, clients: newClients(c)}
	s.say("fovea is Amazon Rekognition Custom Labels, Lookout for Vision and an S3 for them, in one program.")
	s.say("What follows is what the one at %s replies to the AWS SDKs.", c.Endpoint)
	for _, chapter := range []func(context.Context) error{s.upload, s.customLabels, s.lookout, s.model} {
		if err := chapter(ctx); err != nil {
			s.clear()
			return cmp.Or(ctx.Err(), err)
		}
	}
	s.next()
	return s.err
}
