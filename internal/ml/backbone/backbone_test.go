package backbone

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/safetensors"
)

// picture returns a picture of w x h random pixels, some of them smooth.
func picture(w, h int) *imaging.Image {
	rng, m := rand.New(rand.NewPCG(uint64(w), uint64(h))), imaging.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = uint8(127 + 100*math.Sin(float64(i)/50) + 20*rng.Float64())
	}
	return m
}

// A plane is one channel of a reference map in float64.
type plane struct {
	h, w int
	v    []float64
}

func (p plane) at(y, x int) float64 {
	if y < 0 || x < 0 || y >= p.h || x >= p.w {
		return 0
	}
	return p.v[y*p.w+x]
}

// reference is P again, as plainly as it can be said: float64, plane by plane,
// with weights in the file's own order.
type reference map[string]safetensors.Tensor

func (r reference) conv(name, norm string, in []plane, stride int) (out []plane) {
	w := r[name+".weight"]
	size := w.Shape[2]
	for o := range w.Shape[0] {
		p := plane{h: (in[0].h + stride - 1) / stride, w: (in[0].w + stride - 1) / stride}
		scale := float64(r[norm+".weight"].Data[o]) / math.Sqrt(float64(r[norm+".running_var"].Data[o])+1e-5)
		for y := range p.h {
			for x := range p.w {
				sum := 0.0
				for i := range in {
					for k := range size * size {
						sum += in[i].at(y*stride+k/size-size/2, x*stride+k%size-size/2) * float64(w.Data[(o*len(in)+i)*size*size+k])
					}
				}
				p.v = append(p.v, (sum-float64(r[norm+".running_mean"].Data[o]))*scale+float64(r[norm+".bias"].Data[o]))
			}
		}
		out = append(out, p)
	}
	return out
}

// sum adds planes, and ReLU applies.
func (r reference) sum(a, b []plane) []plane {
	for i := range a {
		for k := range a[i].v {
			if b != nil {
				a[i].v[k] += b[i].v[k]
			}
			a[i].v[k] = max(0, a[i].v[k])
		}
	}
	return a
}

func (r reference) block(name string, in []plane) []plane {
	y := r.sum(r.conv(name+".c1", name+".b1", in, 2), nil)
	return r.sum(r.conv(name+".c2", name+".b2", y, 1), r.conv(name+".sc.0", name+".sc.1", in, 2))
}

// TestForward compares P with the reference, at a size that needs padding.
func TestForward(t *testing.T) {
	file, err := safetensors.Read(weights)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	m := picture(45, 32)
	got, err := b.Dense(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	in := make([]plane, 3)
	for c := range in {
		in[c] = plane{h: 32, w: 48}
		for y := range 32 {
			for x := range 48 {
				v := m.Pix[3*(y*45+imaging.Reflect(x, 45))+c]
				in[c].v = append(in[c].v, (float64(v)/255-0.5)*4)
			}
		}
	}
	r := reference(file.Tensors)
	maps := [][]plane{r.sum(r.conv("stem.0", "stem.1", in, 2), nil)}
	for _, name := range []string{"s1", "s2", "s3"} {
		maps = append(maps, r.block(name, maps[len(maps)-1]))
	}
	var global []float64
	for i, want := range maps[1:] {
		g := got[i]
		if g.Stride != 4<<i || g.Width != 48/g.Stride || g.Height != 32/g.Stride || g.Channels != len(want) {
			t.Fatalf("map %d has %dx%d cells of %d channels", i, g.Width, g.Height, g.Channels)
		}
		for c, p := range want {
			for k, v := range p.v {
				if d := math.Abs(float64(g.Data[k*g.Channels+c]) - v); !(d < 2e-5*(1+math.Abs(v))) {
					t.Fatalf("map %d, cell %d, channel %d is off by %g from %g", i, k, c, d, v)
				}
			}
		}
		for _, moment := range []int{1, 2} {
			for _, p := range want {
				mean, square := 0.0, 0.0
				for _, v := range p.v {
					mean += v / float64(len(p.v))
					square += v * v / float64(len(p.v))
				}
				if moment == 1 {
					global = append(global, mean)
				} else {
					global = append(global, math.Sqrt(square-mean*mean))
				}
			}
		}
	}
	vector, err := b.Global(t.Context(), m)
	if err != nil || len(vector) != len(global) {
		t.Fatalf("the vector has %d numbers, want %d (%v)", len(vector), len(global), err)
	}
	for i, v := range vector {
		if d := math.Abs(float64(v) - global[i]); !(d < 1e-4*(1+math.Abs(global[i]))) {
			t.Fatalf("number %d of the vector is off by %g from %g", i, d, global[i])
		}
	}
}

// TestDefault pins what models note of the backbone.
func TestDefault(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	got := []any{b.Name(), b.Hash()}
	if diff := cmp.Diff([]any{"procnet16", "b46e9824aa96a95afedc5ec04a96aebf282210f6393fb0cc595af4885e693930"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page, err := os.ReadFile("../../../docs/backbone.md")
	if err != nil || !strings.Contains(string(page), "`"+b.Hash()+"`") || !strings.Contains(string(page), "`"+b.Name()+"`") {
		t.Errorf("docs/backbone.md does not name the backbone and its hash (%v)", err)
	}
}

// TestConcurrent wants the same from many goroutines with images of many sizes.
func TestConcurrent(t *testing.T) {
	b, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var want [][]float32
	for i := range 6 {
		v, err := b.Global(t.Context(), picture(20+30*i, 90-10*i))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, v)
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 18 {
				k := (i*5 + g) % len(want)
				if v, err := b.Global(t.Context(), picture(20+30*k, 90-10*k)); err != nil || cmp.Diff(want[k], v) != "" {
					t.Errorf("image %d: another vector (%v)", k, err)
				}
			}
		})
	}
	all.Wait()
}

func TestCells(t *testing.T) {
	fine, middle, coarse := Map{Width: 4, Height: 4, Channels: 1, Stride: 4}, Map{Width: 2, Height: 2, Channels: 1, Stride: 8}, Map{Width: 1, Height: 1, Channels: 2, Stride: 16}
	for i := range 16 {
		fine.Data = append(fine.Data, float32(i))
	}
	middle.Data, coarse.Data = []float32{1, 2, 3, 4}, []float32{5, 6}
	got, err := Cells([]Map{fine, middle, coarse})
	if err != nil {
		t.Fatal(err)
	}
	want := Map{Width: 2, Height: 2, Channels: 4, Stride: 8, Data: []float32{2.5, 1, 5, 6, 4.5, 2, 5, 6, 10.5, 3, 5, 6, 12.5, 4, 5, 6}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := Cells([]Map{fine, coarse, middle}); err == nil {
		t.Error("no error for maps of other sizes")
	}
	// A coarse map of 0 and 4 is in between linear, and constant at the ends.
	middle = Map{Width: 4, Height: 2, Channels: 1, Data: make([]float32, 8)}
	fine = Map{Width: 8, Height: 4, Channels: 1, Data: make([]float32, 32)}
	coarse = Map{Width: 2, Height: 1, Channels: 1, Data: []float32{0, 4}}
	if got, err = Cells([]Map{fine, middle, coarse}); err != nil {
		t.Fatal(err)
	}
	var line []float32
	for x := range 4 {
		line = append(line, got.At(x, 1)[2])
	}
	if diff := cmp.Diff([]float32{0, 1, 3, 4}, line); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func BenchmarkDense(b *testing.B) {
	p, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	m := picture(256, 256)
	for b.Loop() {
		if _, err := p.Dense(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}
