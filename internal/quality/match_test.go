package quality

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/qualitytest"
)

// scene draws a picture of blurred spots that depend on the seed.
func scene(seed uint64, w, h int) *imaging.Image {
	r := rand.New(rand.NewPCG(seed, 7))
	type spot struct{ x, y, size, light float64 }
	var spots []spot
	for range 40 {
		spots = append(spots, spot{r.Float64(), r.Float64(), 0.02 + 0.08*r.Float64(), 160*r.Float64() - 80})
	}
	m := imaging.New(w, h)
	for y := range h {
		for x := range w {
			v := 128.0
			for _, s := range spots {
				dx, dy := (float64(x)+0.5)/float64(w)-s.x, (float64(y)+0.5)/float64(h)-s.y
				if d := (dx*dx + dy*dy) / (s.size * s.size); d < 1 {
					v += s.light * (1 - d)
				}
			}
			c := byte(min(max(v, 0), 255))
			m.Set(x, y, c, c, c)
		}
	}
	return m
}

// turnPicture lays a picture in one of the eight ways.
func turnPicture(m *imaging.Image, t Turn) *imaging.Image {
	w, h := m.W, m.H
	if t&transpose != 0 {
		w, h = h, w
	}
	out := imaging.New(w, h)
	for y := range h {
		for x := range w {
			px, py := x, y
			if t&transpose != 0 {
				px, py = y, x
			}
			if t&mirrorX != 0 {
				px = m.W - 1 - px
			}
			if t&mirrorY != 0 {
				py = m.H - 1 - py
			}
			r, g, b := m.At(px, py)
			out.Set(x, y, r, g, b)
		}
	}
	return out
}

// TestTurned: the hash of a turned picture is the turned hash, and a match says
// how it was turned.
func TestTurned(t *testing.T) {
	m := scene(1, 300, 200)
	l := LookAt(m)
	matcher := NewMatcher([]Look{*LookAt(scene(2, 300, 200)), *l})
	for turn := range Turn(turns) {
		got := LookAt(turnPicture(m, turn))
		if d := bits.OnesCount64(got.Hash ^ turned(l.Hash, turn)); d > 1 {
			t.Errorf("turn %d: %d bits differ", turn, d)
		}
		if turned(turned(l.Hash, turn), inverse(turn)) != l.Hash {
			t.Errorf("turn %d: the inverse does not undo it", turn)
		}
		got.Sum[0] = 1
		match, ok := matcher.Match(got, 2)
		if !ok || match.Index != 1 || match.Turn != turn || match.Exact {
			t.Errorf("turn %d: match = %+v, %v", turn, match, ok)
		}
	}
}

func TestTurnNames(t *testing.T) {
	// A picture with its top left corner marked, turned by 90° clockwise, has
	// the mark at the top right.
	m := imaging.New(2, 2)
	m.Set(0, 0, 255, 255, 255)
	for turn, want := range map[Turn][2]int{transpose | mirrorY: {1, 0}, transpose | mirrorX: {0, 1}, mirrorX | mirrorY: {1, 1}, mirrorX: {1, 0}, mirrorY: {0, 1}} {
		if r, _, _ := turnPicture(m, turn).At(want[0], want[1]); r != 255 {
			t.Errorf("%s: the mark is elsewhere", turn)
		}
	}
}

// TestMatchExact: the first image with the same file is found, also of flat
// pictures, and only among those before.
func TestMatchExact(t *testing.T) {
	flat := LookAt(imaging.New(100, 100))
	other := *flat
	other.Sum[3] = 9
	matcher := NewMatcher([]Look{other, *flat, *flat})
	if m, ok := matcher.Match(flat, 3); !ok || m.Index != 1 || !m.Exact {
		t.Errorf("match = %+v, %v", m, ok)
	}
	if m, ok := matcher.Match(flat, 1); ok {
		t.Errorf("a flat picture is like another one: %+v", m)
	}
	if !flat.Flat {
		t.Error("a black picture is not flat")
	}
}

// TestBands: what the bands find is what a comparison with all images finds, as
// far as they promise it.
func TestBands(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	looks := noise(20_000)
	matcher := NewMatcher(looks)
	for range 50 {
		at := r.IntN(len(looks))
		hash := looks[at].Hash
		for range 14 {
			hash ^= 1 << r.IntN(64)
		}
		q := query{matcher: matcher, n: len(looks)}
		q.search(hash, 0)
		n := 0
		for _, c := range q.found {
			if int(c.id) == at {
				n++
			}
		}
		if n != 1 {
			t.Fatalf("found %d times", n)
		}
	}
}

// known are the near duplicates that the photographs have among themselves:
// fields of one smear that overlap, and a cookie that was taken twice. They were
// looked at, and are no false alarms.
var known = [][2]string{
	{"BloodImage_00038.jpg", "BloodImage_00037.jpg"},
	{"BloodImage_00257.jpg", "BloodImage_00230.jpg"},
	{"BloodImage_00391.jpg", "BloodImage_00386.jpg"},
	{"normal-2.jpg", "normal-1.jpg"},
}

// TestPhotographs holds the floor under the figures of docs/quality.md, with some
// of the photographs: all pairs of different ones are told apart, and a changed
// one is found again.
func TestPhotographs(t *testing.T) {
	cells, cookies := qualitytest.Photographs("../..")
	if len(cells) == 0 || len(cookies) == 0 {
		t.Skip("no photographs here: set FOVEA_TEST_DATA")
	}
	files := slices.Concat(cells[:120], cookies)
	var looks []Look
	for i, name := range files {
		l := *LookAt(qualitytest.Picture(grey(t, name)))
		l.Sum = [16]byte{byte(i), byte(i >> 8)}
		looks = append(looks, l)
	}
	m := NewMatcher(looks)
	for i := range looks {
		got, ok := m.Match(&looks[i], i)
		if ok && !slices.Contains(known, [2]string{filepath.Base(files[i]), filepath.Base(files[got.Index])}) {
			t.Errorf("%s is taken for %s: %+v", files[i], files[got.Index], got)
		}
	}
	tried, found := 0, 0
	for k, c := range qualitytest.Changes {
		for i := k % 20; i < len(files); i += 20 {
			l := LookAt(qualitytest.Picture(c.Apply(grey(t, files[i]))))
			l.Sum[15] = 1
			tried++
			if got, ok := m.Match(l, len(looks)); ok && got.Index == i {
				found++
			}
		}
	}
	if float64(found) < 0.97*float64(tried) {
		t.Errorf("%d of %d changed photographs are found", found, tried)
	}
}

// grey returns the luma of a photograph.
func grey(t testing.TB, name string) *image.Gray {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := jpeg.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return qualitytest.Luma(m)
}

// TestLookForm: a look comes back as it was written.
func TestLookForm(t *testing.T) {
	want := LookAt(scene(3, 64, 80))
	want.Sum = [16]byte{1, 2, 3}
	b := want.AppendTo(nil)
	if len(b) != LookSize {
		t.Fatalf("%d bytes, want %d", len(b), LookSize)
	}
	var got Look
	if err := ParseLook(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*want, got); diff != "" {
		t.Errorf("look (-want +got):\n%s", diff)
	}
	if ParseLook(b[1:], &got) == nil {
		t.Error("a look that is cut off is one")
	}
}

// FuzzParseLook: what is no look is told, and what is can be compared.
func FuzzParseLook(f *testing.F) {
	f.Add(LookAt(scene(4, 64, 64)).AppendTo(nil))
	f.Add(make([]byte, LookSize))
	whole := *LookAt(scene(5, 64, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l Look
		if ParseLook(b, &l) != nil {
			return
		}
		if !bytes.Equal(l.AppendTo(nil), b) {
			t.Error("it is written otherwise")
		}
		m, ok := NewMatcher([]Look{whole, l}).Match(&whole, 2)
		if !ok || m.Index != 0 || !m.Exact {
			t.Errorf("match = %+v, %v", m, ok)
		}
		NewMatcher([]Look{whole}).Match(&l, 1)
	})
}
