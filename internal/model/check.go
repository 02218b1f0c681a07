package model

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"fovea"
	"fovea/internal/imaging"
)

// An ImageFault says why an image cannot be used.
type ImageFault uint8

// The faults of images.
const (
	Usable       ImageFault = iota
	UnreadImage             // it cannot be read from where it is
	BrokenImage             // it is no image, or a broken one
	RefusedImage            // its size or its form is not allowed
)

// CheckAll looks at n images, Cores of them at a time: it decodes each whole, as
// training will, and calls found with what its header says, or with its fault.
// Found is called for one image at a time, in any order. An image that refs has
// no key for is passed over. What is returned is a fault of ours, or why ctx ended.
func (i *Images) CheckAll(ctx context.Context, n int, refs func(int) fovea.ObjectRef, found func(int, imaging.Info, ImageFault)) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, i.run.Cores))
	var mu sync.Mutex
	for k := range n {
		ref := refs(k)
		if ref.Key == "" {
			continue
		}
		g.Go(func() error {
			info, fault, err := i.check(gctx, ref)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			found(k, info, fault)
			return nil
		})
		if gctx.Err() != nil {
			break
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return ctx.Err() // which may have ended between two images
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
