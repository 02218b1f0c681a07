package model

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"

	"fovea"
	"fovea/internal/imaging"
)

// An ImageFault says why an image cannot be used.
type ImageFault uint8

// The faults of images.
const (
	Usable       ImageFault = iota
	UnreadImage             // it cannot be read from where it is
	DeniedImage             // it may not be read
	BrokenImage             // it is no image, or a broken one
	RefusedImage            // its size or its form is not allowed
)

// CheckAll looks at n images, Cores of them at a time: it decodes each whole, as
// training will, and calls found with what its header says, or with its fault.
// Found is called for one image at a time, in any order. An image that refs has
// no key for is passed over. What is returned is a fault of ours, or why ctx ended.
func (i *Images) CheckAll(ctx context.Context, n int, refs func(int) fovea.ObjectRef, found func(int, imaging.Info, ImageFault)) error {
	var mu sync.Mutex
	return i.run.Each(ctx, n, func(k int) error {
		ref := refs(k)
		if ref.Key == "" {
			return nil
		}
		info, fault, err := i.check(ctx, ref)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		found(k, info, fault)
		return nil
	})
}

func (i *Images) check(ctx context.Context, ref fovea.ObjectRef) (imaging.Info, ImageFault, error) {
	data, err := i.Bytes(ctx, ref)
	if err != nil {
		return faultOf(ctx, imaging.Info{}, err)
	}
	info, err := imaging.Probe(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return faultOf(ctx, info, err)
	}
	if !Allowed(i.run.Limits.Image, info) {
		return info, RefusedImage, nil
	}
	_, err = imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{Stored: true})
	return faultOf(ctx, info, err)
}

// faultOf tells faults of images from faults of ours.
func faultOf(ctx context.Context, info imaging.Info, err error) (imaging.Info, ImageFault, error) {
	var broken *imaging.Error
	switch {
	case err == nil:
		return info, Usable, nil
	case ctx.Err() != nil:
		return info, 0, ctx.Err()
	case errors.As(err, &broken):
		return info, BrokenImage, nil
	case fovea.KindOf(err) == fovea.Denied, errors.Is(err, fs.ErrPermission) && fovea.KindOf(err) != fovea.Internal:
		return info, DeniedImage, nil
	case fovea.KindOf(err) != fovea.Internal:
		return info, UnreadImage, nil
	}
	return info, 0, err
}

// Allowed reports whether limits allow an image of that size.
func Allowed(l fovea.ImageLimits, info imaging.Info) bool {
	short, long := min(info.Width, info.Height), max(info.Width, info.Height)
	return (l.MinSide == 0 || short >= l.MinSide) && (l.MaxSide == 0 || long <= l.MaxSide) && (l.Aspect == 0 || long <= l.Aspect*short)
}
