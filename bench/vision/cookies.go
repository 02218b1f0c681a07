package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"fovea/internal/imaging"
)

// A photo is a photograph of a cookie.
type photo struct {
	file    string
	mask    string // "" for none
	cracked bool
}

// image decodes the photograph.
func (p photo) image(ctx context.Context) (*imaging.Image, error) {
	f, err := os.Open(p.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return imaging.Decode(ctx, f, info.Size(), imaging.Decoding{Stored: true})
}

// areas decodes the mask, nil if there is none.
func (p photo) areas(ctx context.Context) (*imaging.LabelMap, error) {
	if p.mask == "" {
		return nil, nil
	}
	f, err := os.Open(p.mask)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return imaging.DecodeMask(ctx, f, []imaging.MapColor{{Color: 0x23a436}})
}

// cookies returns the photographs; with all, also those without masks that the
// guide of Lookout for Vision tests with.
func (b *bench) cookies(all bool) ([]photo, error) {
	folders := []string{"dataset-files/training-images"}
	if all {
		folders = append(folders, "test-images")
	}
	var photos []photo
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(b.data, "cookies", folder, "*.jpg"))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			p := photo{file: f, cracked: strings.Contains(filepath.Base(f), "anomaly")}
			if p.cracked && folder == folders[0] {
				p.mask = filepath.Join(b.data, "cookies/dataset-files/mask-images", strings.TrimSuffix(filepath.Base(f), ".jpg")+".png")
			}
			photos = append(photos, p)
		}
	}
	if len(photos) == 0 {
		return nil, fmt.Errorf("no photographs in %s: set -data", filepath.Join(b.data, "cookies"))
	}
	return photos, nil
}

// split draws photographs to train with, and returns them and the others.
func split(photos []photo, normal, cracked int, seed int) (train, test []photo) {
	left := map[bool]int{false: normal, true: cracked}
	for _, i := range rand.New(rand.NewPCG(uint64(seed), 0)).Perm(len(photos)) {
		if c := photos[i].cracked; left[c] > 0 {
			left[c]--
			train = append(train, photos[i])
		} else {
			test = append(test, photos[i])
		}
	}
	return train, test
}

// decode decodes photographs.
func decode(ctx context.Context, photos []photo) ([]*imaging.Image, error) {
	var out []*imaging.Image
	for _, p := range photos {
		m, err := p.image(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// truth returns which photographs show a cracked cookie.
func truth(photos []photo) []bool {
	var out []bool
	for _, p := range photos {
		out = append(out, p.cracked)
	}
	return out
}
