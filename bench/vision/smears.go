package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fovea/internal/imaging"
	"fovea/internal/ml/head"
)

// cells are the classes of the blood cells.
var cells = []string{"red cells", "white cells", "platelets"}

// The places of cells.
const (
	red       = 0
	platelets = 2
)

// cellNames are what the annotations call them.
var cellNames = []string{"RBC", "WBC", "Platelets"}

// A smear is a photograph of blood cells.
type smear struct {
	file    string
	objects []head.Object
}

// image decodes the photograph.
func (s smear) image(ctx context.Context) (*imaging.Image, error) {
	return photo{file: s.file}.image(ctx)
}

// count returns how many cells of a kind are in the photograph.
func (s smear) count(class int) (n int) {
	for _, o := range s.objects {
		if o.Class == class {
			n++
		}
	}
	return n
}

// smears returns 200 photographs of blood cells to train with, and 80 others to
// test with, drawn by the seed.
func (b *bench) smears(seed int) (train, test []smear, err error) {
	files, err := filepath.Glob(filepath.Join(b.data, "bccd/BCCD/Annotations/*.xml"))
	if err != nil {
		return nil, nil, err
	}
	if len(files) < 280 {
		return nil, nil, fmt.Errorf("%d photographs of blood cells in %s, want 280: set -data", len(files), b.data)
	}
	r := rand.New(rand.NewPCG(uint64(seed), 0x62636364))
	r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	for i, f := range files[:280] {
		s, err := b.smear(f)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f, err)
		}
		if i < 200 {
			train = append(train, s)
		} else {
			test = append(test, s)
		}
	}
	return train, test, nil
}

// smear reads the annotation of a photograph.
func (b *bench) smear(file string) (smear, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return smear{}, err
	}
	var a struct {
		Object []struct {
			Name string `xml:"name"`
			Box  struct {
				Left   float64 `xml:"xmin"`
				Top    float64 `xml:"ymin"`
				Right  float64 `xml:"xmax"`
				Bottom float64 `xml:"ymax"`
			} `xml:"bndbox"`
		} `xml:"object"`
	}
	if err := xml.Unmarshal(text, &a); err != nil {
		return smear{}, err
	}
	s := smear{file: filepath.Join(b.data, "bccd/BCCD/JPEGImages", strings.TrimSuffix(filepath.Base(file), ".xml")+".jpg")}
	for _, o := range a.Object {
		box := head.Box{Left: o.Box.Left, Top: o.Box.Top, Width: o.Box.Right - o.Box.Left, Height: o.Box.Bottom - o.Box.Top}
		if class := slices.Index(cellNames, o.Name); class >= 0 && box.Width > 0 && box.Height > 0 {
			s.objects = append(s.objects, head.Object{Class: class, Box: box})
		}
	}
	return s, nil
}
