package demo

import (
	"crypto/sha256"
	"fmt"
	"image"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// pictures are all of the demo, by name.
var pictures = sync.OnceValue(func() map[string]*picture {
	t, all := newStudio(), make(map[string]*picture)
	for i := range imagesEach {
		all[fmt.Sprintf("plate %d", i+1)] = t.plate(uint64(i))
		all[fmt.Sprintf("flange %d", i+1)] = t.flange(uint64(i), defectOf(i))
	}
	for i := range lidsDrawn {
		all[fmt.Sprintf("lid %d", i+1)] = t.lid(uint64(i), flawOf(i))
	}
	return all
})

func hash(shot *picture) string {
	return fmt.Sprintf("%x", sha256.Sum256(shot.image.Pix))
}

func TestDrawingIsDeterministic(t *testing.T) {
	seen := make(map[string]string)
	again := newStudio()
	for name, shot := range pictures() {
		if other := seen[hash(shot)]; other != "" {
			t.Errorf("%s is the same picture as %s", name, other)
		}
		seen[hash(shot)] = name
	}
	for i := range 3 {
		if name := fmt.Sprintf("plate %d", i+1); seen[hash(again.plate(uint64(i)))] != name {
			t.Errorf("%s is another picture when it is drawn again", name)
		}
		k := 12 + i // has a defect
		if name := fmt.Sprintf("flange %d", k+1); seen[hash(again.flange(uint64(k), defectOf(k)))] != name {
			t.Errorf("%s is another picture when it is drawn again", name)
		}
	}
}

// Other processors may round otherwise: they fuse products and sums.
func TestPictureOnAMD64(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the hash is of amd64")
	}
	const want = "bfefa42e55cb90c21ff11226d4a32d0a494c4fb85e8ddb41f51b9db2c1c4a1f9"
	if got := hash(newStudio().flange(12, "scratch")); got != want {
		t.Errorf("hash = %s, want %s; look at the pictures before you change it", got, want)
	}
}

func TestBoxesAreInsideTheFrame(t *testing.T) {
	frame := image.Rect(0, 0, frameWidth, frameHeight)
	labels := make(map[string]int)
	for name, shot := range pictures() {
		for _, b := range shot.boxes {
			labels[b.label]++
			if !slices.Contains(classIDs, b.label) {
				t.Errorf("%s has a box of %q, which has no class id", name, b.label)
			}
			if !b.area.In(frame) || b.area.Dx() < 4 || b.area.Dy() < 4 {
				t.Errorf("%s: box %v of %s is off the frame or tiny", name, b.area, b.label)
			}
		}
	}
	for _, label := range classIDs {
		if labels[label] < 10 {
			t.Errorf("%d boxes of %s are too few", labels[label], label)
		}
	}
}

func TestMasks(t *testing.T) {
	kinds := make(map[string]int)
	for name, shot := range pictures() {
		if shot.covers == nil {
			continue
		}
		kinds[shot.defect]++
		mask := shot.mask()
		if mask.Bounds() != shot.image.Bounds() {
			t.Fatalf("%s: the mask is %v, its image %v", name, mask.Bounds(), shot.image.Bounds())
		}
		want := uint8(slices.Index(defects, shot.defect) + 1)
		covered := 0
		for i, c := range mask.Pix {
			switch {
			case c == want:
				covered++
				if !shot.covers.covers[i] {
					t.Fatalf("%s: pixel %d is masked and not defective", name, i)
				}
			case c != 0:
				t.Fatalf("%s: pixel %d has colour %d, which is of another defect", name, i, c)
			}
		}
		if covered < 25 || covered > len(mask.Pix)/20 {
			t.Errorf("%s: its mask covers %d pixels", name, covered)
		}
	}
	for _, kind := range defects {
		if kinds[kind] < 3 {
			t.Errorf("%d pictures of a %s are too few", kinds[kind], kind)
		}
	}
}

// A defect has to be seen: its pixels differ from those of the good part.
func TestDefectsAreVisible(t *testing.T) {
	s := newStudio()
	for i, kind := range slices.Concat(defects, defects, defects) {
		good, bad := s.flange(uint64(i), ""), s.flange(uint64(i), kind)
		var differ, covered int
		for k, in := range bad.covers.covers {
			if !in {
				continue
			}
			covered++
			if d := int(good.image.Pix[4*k+1]) - int(bad.image.Pix[4*k+1]); d > 8 || d < -8 {
				differ++
			}
		}
		if differ*3 < covered {
			t.Errorf("flange %d: of %d pixels of its %s %d can be seen", i+1, covered, kind, differ)
		}
	}
}

// The flaw of a lid is seen, too, and is all that differs from the good lid.
func TestFlawsAreVisible(t *testing.T) {
	s := newStudio()
	for i, kind := range slices.Concat(flaws, flaws, flaws) {
		good, bad := s.lid(uint64(i), ""), s.lid(uint64(i), kind)
		differ := 0
		for k := 1; k < len(good.image.Pix); k += 4 {
			if d := int(good.image.Pix[k]) - int(bad.image.Pix[k]); d > 12 || d < -12 {
				differ++
			}
		}
		if all := frameWidth * frameHeight; differ < 60 || differ > all/20 {
			t.Errorf("lid %d: its %s changes %d of %d pixels", i+1, kind, differ, all)
		}
	}
}

func BenchmarkPlate(b *testing.B) {
	t := newStudio()
	for i := 0; b.Loop(); i++ {
		t.plate(uint64(i % imagesEach))
	}
}

func BenchmarkFlange(b *testing.B) {
	t := newStudio()
	for i := 0; b.Loop(); i++ {
		t.flange(uint64(i%imagesEach), defectOf(i%imagesEach))
	}
}
