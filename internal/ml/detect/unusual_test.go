package detect

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/ml/head"
)

// unusual returns images of any size, one of one grey, with boxes that no
// annotator should draw.
func unusual() *Set {
	crowd := make([]head.Object, 1000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range crowd {
		crowd[i] = head.Object{Class: i % 250, Box: head.Box{Left: 500 * r.Float64(), Top: 300 * r.Float64(), Width: 1 + 40*r.Float64(), Height: 1 + 40*r.Float64()}}
	}
	at := func(left, top, width, height float64) []head.Object {
		return []head.Object{{Class: 3, Box: head.Box{Left: left, Top: top, Width: width, Height: height}}}
	}
	images := []struct {
		w, h    int
		objects []head.Object
	}{
		{500, 300, crowd},
		{1, 1, at(0, 0, 1, 1)},
		{64, 64, at(0, 0, 64, 64)},
		{3, 900, at(0, 100, 3, 1e-6)},
		{900, 3, at(10, 0, 700, 3)},
		{300, 200, at(-1e5, -1e5, 3e5, 3e5)},
		{300, 200, at(400, 400, 50, 50)}, // outside
		{300, 200, at(299.9, 0, 50, 1e-9)},
		{2500, 1900, at(100, 100, 8, 8)},
		{300, 200, nil},
		{5, 5, at(1, 1, 2, 2)},
		{80, 60, at(20, 20, 20, 20)},
		{70, 60, at(20, 20, 20, 20)},
	}
	s := &Set{Image: func(_ context.Context, i int) (*imaging.Image, error) {
		m := imaging.New(images[i].w, images[i].h)
		for k := range m.Pix {
			m.Pix[k] = 128
			if i%2 == 0 {
				m.Pix[k] = uint8(k * 37)
			}
		}
		return m, nil
	}}
	for _, m := range images {
		s.Objects = append(s.Objects, m.objects)
	}
	return s
}

// TestUnusual: whatever images and boxes are, a training ends with finite
// numbers, and its model works on any image.
func TestUnusual(t *testing.T) {
	var names []string
	for i := range MaxClasses {
		names = append(names, fmt.Sprint(i))
	}
	all := unusual()
	one := &Set{Image: all.Image, Objects: all.Objects[:1]}
	lone := &Set{Image: func(context.Context, int) (*imaging.Image, error) { return imaging.New(1, 1), nil }, Objects: all.Objects[1:2]}
	for name, tt := range map[string]struct {
		set     *Set
		classes []string
		side    int
		folds   int
	}{
		"all, with 250 classes": {all, names, 96, 2},
		"one crowded image":     {one, names, 64, 0},
		"one image of a pixel":  {lone, names[:4], 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			m, r, err := Train(t.Context(), tt.set, Options{Classes: tt.classes, Side: tt.side, Steps: 1})
			if err != nil {
				t.Fatal(err)
			}
			if !(math.Abs(r.Loss) < 1e6) || r.Folds != tt.folds {
				t.Errorf("loss %v, %d folds", r.Loss, r.Folds)
			}
			for i, found := range r.Found {
				if r.Folds > 0 && (found == nil || len(found) > MaxFound) {
					t.Errorf("image %d: %d objects found", i, len(found))
				}
			}
			for i := range tt.set.Objects {
				img, _ := tt.set.Image(t.Context(), i)
				found, err := m.Detect(img)
				if err != nil {
					t.Fatal(err)
				}
				for _, o := range found {
					if !(o.Score >= 0 && o.Score <= 1) || !(o.Left >= 0 && o.Top >= 0 && o.Width > 0 && o.Height > 0) || o.Left+o.Width > float64(img.W)+1e-3 || o.Top+o.Height > float64(img.H)+1e-3 {
						t.Fatalf("in an image of %dx%d: %+v", img.W, img.H, o)
					}
				}
			}
		})
	}
}
