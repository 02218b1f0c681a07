package rekognition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fovea"
	"fovea/internal/model"
	"fovea/internal/rekognition/api"
	"fovea/internal/room"
)

func pngBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func plain(w, h int) *image.Gray { return image.NewGray(image.Rect(0, 0, w, h)) }

// rotated returns a JPEG with an EXIF orientation.
func rotated(t testing.TB, m image.Image, orientation byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0, 0, 0, 0, 0)
	segment := append([]byte{0xff, 0xe1, 0, byte(len(exif) + 2)}, exif...)
	return append(append(append([]byte{}, b.Bytes()[:2]...), segment...), b.Bytes()[2:]...)
}

// TestDecodeImages (CL-10.11 to CL-10.14, CL-10.40, CL-10.41, T05): what is
// taken, and what the errors about the rest are called.
func TestDecodeImages(t *testing.T) {
	s := &Server{Models: &model.Ops{Profiles: map[fovea.Service]fovea.Profile{fovea.CustomLabels: Profile(Limits())}}}
	bomb := pngBytes(t, plain(100, 100))
	binary.BigEndian.PutUint32(bomb[16:], 65000)
	binary.BigEndian.PutUint32(bomb[20:], 65000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	var gifBytes bytes.Buffer
	if err := gif.Encode(&gifBytes, image.NewPaletted(image.Rect(0, 0, 100, 100), color.Palette{color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	whole := rotated(t, plain(300, 200), 1)
	for _, tt := range []struct {
		name string
		data []byte
		w, h int    // of the upright image
		err  string // as the service calls it
	}{
		{"grey PNG", pngBytes(t, plain(100, 80)), 100, 80, ""},
		{"PNG of 16 bits", pngBytes(t, image.NewNRGBA64(image.Rect(0, 0, 64, 64))), 64, 64, ""},
		{"CL-10.40 not rotated", whole, 300, 200, ""},
		{"CL-10.40 rotated", rotated(t, plain(300, 200), 6), 200, 300, ""},
		{"CL-10.11 text", []byte("no image"), 0, 0, "InvalidImageFormatException"},
		{"CL-10.11 GIF", gifBytes.Bytes(), 0, 0, "InvalidImageFormatException"},
		{"CL-10.11 cut off", whole[:len(whole)-40], 0, 0, "InvalidImageFormatException"},
		{"CL-10.11 nothing", nil, 0, 0, "InvalidImageFormatException"},
		{"CL-10.12", pngBytes(t, plain(63, 200)), 0, 0, "InvalidParameterException"},
		{"CL-10.13", pngBytes(t, plain(4097, 300)), 0, 0, "ImageTooLargeException"},
		{"CL-10.14", pngBytes(t, plain(64, 1281)), 0, 0, "InvalidParameterException"},
		{"CL-10.14 as long as may be", pngBytes(t, plain(64, 1280)), 64, 1280, ""},
		{"T05 bomb", bomb, 0, 0, "ImageTooLargeException"},
	} {
		img, err := s.decode(t.Context(), tt.data)
		switch {
		case tt.err == "" && (err != nil || img.W != tt.w || img.H != tt.h):
			t.Errorf("%s: %v", tt.name, err)
		case tt.err != "" && (err == nil || errorNames[fovea.KindOf(err)] != tt.err):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.err)
		}
	}
}

// TestImageMembers (CL-10.10, CL-10.16).
func TestImageMembers(t *testing.T) {
	object := &api.S3Object{Bucket: "b", Name: "n"}
	for name, tt := range map[string]struct {
		in *api.Image
		ok bool
	}{
		"bytes": {&api.Image{Bytes: []byte("x")}, true}, "object": {&api.Image{S3Object: object}, true},
		"neither": {&api.Image{}, false}, "both": {&api.Image{Bytes: []byte("x"), S3Object: object}, false},
		"no name": {&api.Image{S3Object: &api.S3Object{Bucket: "b"}}, false}, "no bucket": {&api.Image{S3Object: &api.S3Object{Name: "n"}}, false},
	} {
		if err := checkImageMembers(tt.in); (err == nil) != tt.ok || err != nil && fovea.KindOf(err) != fovea.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := &Server{}
	if _, _, err := s.imageBytes(t.Context(), &api.Image{Bytes: make([]byte, maxBytes)}); err != nil {
		t.Errorf("OQ-24: %v", err)
	}
	if _, _, err := s.imageBytes(t.Context(), &api.Image{Bytes: make([]byte, maxBytes+1)}); err == nil || fovea.KindOf(err) != fovea.TooLarge {
		t.Errorf("CL-10.10: %v", err)
	}
}

// large are objects of 600 bytes each, of which some cannot be read.
type large struct {
	fovea.Objects
	reads atomic.Int64
}

func (*large) Stat(_ context.Context, ref fovea.ObjectRef) (fovea.ObjectInfo, error) {
	return fovea.ObjectInfo{Ref: ref, Size: 600}, nil
}

func (o *large) Read(_ context.Context, info fovea.ObjectInfo, _, n int64) (io.ReadCloser, error) {
	o.reads.Add(1)
	if info.Ref.Key == "broken" {
		return nil, errors.New("S3 is away")
	}
	return io.NopCloser(bytes.NewReader(make([]byte, n))), nil
}

// TestObjectMemory (T05): objects that calls name are read when there is room for
// them, and a call that finds none in time is Throttled.
func TestObjectMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		objects := &large{}
		s := &Server{
			ObjectMemory: 1000, Objects: objects,
			Models: &model.Ops{Profiles: map[fovea.Service]fovea.Profile{fovea.CustomLabels: Profile(Limits())}},
		}
		read := func(ctx context.Context, key string) (release func(), err error) {
			data, release, err := s.imageBytes(ctx, &api.Image{S3Object: &api.S3Object{Bucket: "b", Name: key}})
			if err == nil && len(data) != 600 {
				t.Errorf("%s has %d bytes", key, len(data))
			}
			return release, err
		}
		if _, err := read(t.Context(), "broken"); err == nil || fovea.KindOf(err) != fovea.Internal {
			t.Errorf("an S3 that is away: %v", err)
		}
		release, err := read(t.Context(), "a")
		if err != nil {
			t.Fatalf("a read that failed keeps its room: %v", err)
		}
		began := time.Now()
		_, err = read(t.Context(), "b")
		if err == nil || errorNames[fovea.KindOf(err)] != "ProvisionedThroughputExceededException" || time.Since(began) != room.Wait || objects.reads.Load() != 2 {
			t.Errorf("without room: %v, after %v and %d reads", err, time.Since(began), objects.reads.Load())
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := read(gone, "b"); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that is gone: %v", err)
		}
		time.AfterFunc(time.Second, release)
		if _, err := read(t.Context(), "b"); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
		alone := &Server{ObjectMemory: 500, Objects: objects, Models: s.Models}
		if _, _, err := alone.imageBytes(t.Context(), &api.Image{S3Object: &api.S3Object{Bucket: "b", Name: "c"}}); err != nil {
			t.Errorf("one that is larger than all the room: %v", err)
		}
	})
}
