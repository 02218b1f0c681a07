package unet

import (
	"context"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
)

// shown returns what images show of which each type, and none, are so many, the
// normal ones first.
func shown(normal int, types ...int) [][]int {
	list := make([][]int, normal)
	for t, n := range types {
		for range n {
			list = append(list, []int{t})
		}
	}
	return list
}

// TestDraw: all images are used as long as memory holds them. Of more, three in
// four have defects if there are as many, and each type has its share.
func TestDraw(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shows [][]int
		most  int
		want  []int // images that are used: normal ones, and of each type
	}{
		{"all", shown(6, 6), 12, []int{6, 6}},
		{"few defects", shown(1600, 16), 64, []int{48, 16}},
		{"one defect", shown(5000, 1), 8, []int{7, 1}},
		{"many defects", shown(1600, 100), 64, []int{16, 48}},
		{"few normal images", shown(3, 100), 64, []int{3, 61}},
		{"no normal images", shown(0, 100), 64, []int{0, 64}},
		{"a rare type", shown(900, 500, 2, 300), 40, []int{10, 14, 2, 14}},
		{"more types than room", shown(9, 9, 1, 2, 8), 4, []int{1, 0, 1, 1, 1}},
		{"no defect", shown(9, 0), 4, []int{4, 0}},
		{"no room", shown(9, 9), 0, []int{0, 0}},
	} {
		s := &Set{Shows: tt.shows}
		var drawn [][]int
		for seed := range uint64(8) {
			list := s.draw(seed, tt.most)
			drawn = append(drawn, list)
			got := make([]int, len(tt.want))
			for _, i := range list {
				if len(tt.shows[i]) == 0 {
					got[0]++
				} else {
					got[1+tt.shows[i][0]]++
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, seed %d: of normal images and each type (-want +got):\n%s", tt.name, seed, diff)
			}
			if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
				t.Errorf("%s, seed %d: %v", tt.name, seed, list)
			}
			if !slices.Equal(list, s.draw(seed, tt.most)) {
				t.Errorf("%s, seed %d: other images the second time", tt.name, seed)
			}
		}
		if len(tt.shows) > 4*tt.most && tt.most > 0 && slices.Equal(drawn[0], drawn[1]) {
			t.Errorf("%s: two seeds draw the same", tt.name)
		}
	}
}

// TestReadMany: small defects on few of many large images, which memory cannot
// hold: all that show one are learned from, whatever the seed.
func TestReadMany(t *testing.T) {
	const normal, defects = 1600, 16
	img := imaging.New(MaxSide, 96)
	mask := &imaging.LabelMap{W: img.W, H: img.H, Pix: make([]uint8, img.W*img.H)}
	for y := range 12 {
		for x := range 12 {
			mask.Pix[(40+y)*mask.W+400+x] = 1
		}
	}
	set := &Set{
		Shows: shown(normal, defects),
		Image: func(context.Context, int) (*imaging.Image, error) { return img, nil },
		Mask: func(_ context.Context, i int) (*imaging.LabelMap, error) {
			if i < normal {
				return nil, nil
			}
			return mask, nil
		},
	}
	for seed := range uint64(8) {
		o := Options{Types: []string{"scratch"}, Seed: seed}
		s, err := read(t.Context(), set, &o)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if most := maxBytes / (perPixel * MaxSide * MaxSide); o.Side != MaxSide || len(s.pictures) != most || len(s.typed[0]) != defects {
			t.Errorf("seed %d: at a side of %d %d of %d pictures show the defect; want %d of %d", seed, o.Side, len(s.typed[0]), len(s.pictures), defects, most)
		}
	}
}
