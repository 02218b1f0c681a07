package demo

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image/jpeg"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"
)

const (
	imagesEach = 40 // of plates, and of flanges
	inTraining = 32 // plates; the others are for testing

	lidsTrain  = 80 // lids of the training dataset
	lidsTest   = 40 // those of the test dataset
	lidsUnseen = 40 // those of neither, for the trained model
	lidsDrawn  = lidsTrain + lidsTest + lidsUnseen

	drawers = 8 // images that are drawn and uploaded at a time

	plateBucket  = "demo-plates"
	flangeBucket = "demo-flanges"
	lidBucket    = "demo-lids"
)

// A part is what a manifest says of an image.
type part struct {
	name   string // file name without its ending
	boxes  []box
	defect string
	masked bool
	bytes  int64 // of its files
}

// A file is to be uploaded.
type file struct {
	bucket, key, kind string
	data              []byte
}

// upload draws the images and uploads them, and then their manifests.
func (s *story) upload(ctx context.Context) error {
	s.title("1  Draw images of metal parts, upload them to S3")
	began := time.Now()
	for _, bucket := range []string{plateBucket, flangeBucket, lidBucket} {
		if err := s.createBucket(ctx, bucket); err != nil {
			return err
		}
	}
	if err := s.uploadImages(ctx); err != nil {
		return err
	}
	manifests := s.manifests(began)
	for _, f := range manifests {
		if err := s.put(ctx, f); err != nil {
			return err
		}
	}
	boxes, masks := 0, 0
	for _, p := range s.plates {
		boxes += len(p.boxes)
	}
	for _, p := range s.flanges {
		if p.masked {
			masks++
		}
	}
	s.say("   s3://%-14s %d plates with %d boxes around bolts, holes and scratches", plateBucket, len(s.plates), boxes)
	s.say("   s3://%-14s %d flanges, %d of them with a defect and a mask that shows where", flangeBucket, len(s.flanges), masks)
	s.say("   s3://%-14s %d cast lids, %d of them with a crack, a scratch or a dent", lidBucket, len(s.lids), spoiled(s.lids))
	s.say("   %.1f MB in %.1f seconds, with %s: files that say what each image shows, in a line of JSON",
		float64(size(s.plates)+size(s.flanges)+size(s.lids))/1e6, time.Since(began).Seconds(), count(len(manifests), "manifest"))
	if s.KeepImages != "" {
		s.say("   The images are kept in %s", s.KeepImages)
	}
	return nil
}

func size(parts []*part) (n int64) {
	for _, p := range parts {
		n += p.bytes
	}
	return n
}

// spoiled returns how many of the parts have a defect.
func spoiled(parts []*part) (n int) {
	for _, p := range parts {
		if p.defect != "" {
			n++
		}
	}
	return n
}

// createBucket makes a bucket in the server's region.
func (s *story) createBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if s.Region != "us-east-1" { // which may not be named
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(s.Region)}
	}
	if _, err := s.s3.CreateBucket(ctx, in); err != nil {
		return fmt.Errorf("create the bucket %s: %w", name, err)
	}
	return nil
}

// uploadImages draws and uploads the images, several at a time.
func (s *story) uploadImages(ctx context.Context) error {
	s.plates, s.flanges, s.lids = make([]*part, imagesEach), make([]*part, imagesEach), make([]*part, lidsDrawn)
	t := newStudio()
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(runtime.GOMAXPROCS(0), drawers))
	finished := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		s.tellUploads(&done, finished)
	}()
	draw := func(parts []*part, i int, bucket, name, folder string, shoot func() *picture) {
		g.Go(func() (err error) {
			parts[i], err = s.uploadImage(ctx, bucket, name, folder, shoot())
			done.Add(1)
			return err
		})
	}
	for i := range imagesEach {
		draw(s.plates, i, plateBucket, fmt.Sprintf("plate-%02d", i+1), plateBucket, func() *picture { return t.plate(uint64(i)) })
		draw(s.flanges, i, flangeBucket, fmt.Sprintf("flange-%02d", i+1), flangeBucket, func() *picture { return t.flange(uint64(i), defectOf(i)) })
	}
	for i := range lidsDrawn {
		draw(s.lids, i, lidBucket, fmt.Sprintf("lid-%03d", i+1), lidFolder(i), func() *picture { return t.lid(uint64(i), flawOf(i)) })
	}
	err := g.Wait()
	close(finished)
	<-told
	return err
}

// lidFolder returns the folder that the picture of a lid is kept in: one named for
// what is wrong with it, so that fovea import takes them as they are, or for
// those of neither dataset one beside these.
func lidFolder(i int) string {
	if i >= lidsTrain+lidsTest {
		return "unseen"
	}
	return path.Join("lids", cmp.Or(flawOf(i), "good"))
}

// tellUploads shows how many images there are until all are finished.
func (s *story) tellUploads(done *atomic.Int64, finished <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.progress("   %d of %d images", done.Load(), 2*imagesEach+lidsDrawn)
		case <-finished:
			return
		}
	}
}

// defectOf returns what is wrong with a flange: nothing with the first twelve
// of the twenty for training and the first ten of the twenty for testing.
func defectOf(i int) string {
	good := 12
	if i >= imagesEach/2 {
		i -= imagesEach / 2
		good = 10
	}
	if i < good {
		return ""
	}
	return defects[(i-good)%len(defects)]
}

// uploadImage uploads a picture, and for a flange with a defect its mask. It keeps
// them in a folder if that is asked for.
func (s *story) uploadImage(ctx context.Context, bucket, name, folder string, shot *picture) (*part, error) {
	p := &part{name: name, boxes: shot.boxes, defect: shot.defect, masked: bucket == flangeBucket && shot.defect != ""}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, shot.image, &jpeg.Options{Quality: 90}); err != nil {
		return nil, err
	}
	files := []file{{bucket, imageKey(name), "image/jpeg", photo.Bytes()}}
	if p.masked {
		var mask bytes.Buffer
		if err := png.Encode(&mask, shot.mask()); err != nil {
			return nil, err
		}
		files = append(files, file{bucket, maskKey(name), "image/png", mask.Bytes()})
	}
	for _, f := range files {
		if err := s.keep(f, folder); err != nil {
			return nil, err
		}
		if err := s.put(ctx, f); err != nil {
			return nil, err
		}
		p.bytes += int64(len(f.data))
	}
	return p, nil
}

func imageKey(name string) string { return "images/" + name + ".jpg" }
func maskKey(name string) string  { return "masks/" + name + ".png" }

// put uploads a file.
func (s *story) put(ctx context.Context, f file) error {
	_, err := s.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &f.bucket, Key: &f.key, ContentType: &f.kind, Body: bytes.NewReader(f.data),
	})
	if err != nil {
		return fmt.Errorf("upload s3://%s/%s: %w", f.bucket, f.key, err)
	}
	return nil
}

// keep writes a file to a folder below that for images, if there is one. Lids are
// not in a folder for images there, whose name would be their label.
func (s *story) keep(f file, folder string) error {
	if s.KeepImages == "" {
		return nil
	}
	name := f.key
	if f.bucket == lidBucket {
		name = path.Base(name)
	}
	to := filepath.Join(s.KeepImages, filepath.FromSlash(folder), filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.WriteFile(to, f.data, 0o666)
}
