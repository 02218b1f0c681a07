package forest_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/imaging"
	"fovea/internal/ml/container"
	"fovea/internal/ml/forest"
	"fovea/internal/ml/matrix"
)

// rings returns samples whose class depends on two numbers together, of which
// neither tells it alone, among numbers that tell nothing.
func rings(n int, seed uint64) forest.Samples {
	r := rand.New(rand.NewPCG(seed, 0))
	s := forest.Samples{X: matrix.New(n, forest.Numbers), Y: make([]uint8, n)}
	for i := range n {
		row := s.X.Row(i)
		for j := range row {
			row[j] = float32(r.NormFloat64())
		}
		switch d := math.Hypot(float64(row[3]), float64(row[20])); {
		case d < 0.7:
			s.Y[i] = 2
		case d < 1.4:
			s.Y[i] = 1
		}
	}
	return s
}

// wrong returns which share of samples a forest takes for another class.
func wrong(f *forest.Forest, s forest.Samples) float64 {
	n := 0
	p := f.Probabilities(s.X)
	for i, y := range s.Y {
		row := p.Row(i)
		best, most := uint8(0), 1-row[0]-row[1]
		for k, v := range row {
			if v > most {
				best, most = uint8(k+1), v
			}
		}
		if best != y {
			n++
		}
	}
	return float64(n) / float64(len(s.Y))
}

func TestForest(t *testing.T) {
	train, test := rings(6000, 1), rings(1000, 2)
	f, err := forest.Fit(context.Background(), train, 2, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	if e := wrong(f, test); e > 0.25 {
		t.Errorf("%v of the unseen samples are wrong", e)
	}
	if e := wrong(f, train); e > 0.05 {
		t.Errorf("%v of the seen samples are wrong", e)
	}
	again, err := forest.Fit(context.Background(), train, 2, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := again.Marshal(); err != nil || string(second) != string(file) {
		t.Errorf("with more workers it is another forest: %v", err)
	}
	read, err := forest.Unmarshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Probabilities(test.X), read.Probabilities(test.X)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestFitOdd(t *testing.T) {
	s := rings(50, 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := forest.Fit(ctx, s, 2, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := forest.Fit(context.Background(), s, 1, 0, 1); err == nil {
		t.Error("a class beyond the types is taken")
	}
	if _, err := forest.Fit(context.Background(), forest.Samples{X: matrix.New(0, 3)}, 1, 0, 1); err == nil {
		t.Error("no samples are taken")
	}
	// Nothing to tell apart: one class, equal numbers.
	same := forest.Samples{X: matrix.New(30, forest.Numbers), Y: make([]uint8, 30)}
	for i := range 10 {
		same.Y[i] = 1
	}
	f, err := forest.Fit(context.Background(), same, 1, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p := f.Probabilities(same.X).Row(0)[0]; math.Abs(float64(p)-1./3) > 0.1 {
		t.Errorf("probability %v, want the share", p)
	}
}

// scratched returns an image with a bright line, and its mask.
func scratched(seed uint64) (*imaging.Image, *imaging.LabelMap) {
	r := rand.New(rand.NewPCG(seed, 3))
	m, mask := imaging.New(80, 60), &imaging.LabelMap{W: 80, H: 60, Pix: make([]uint8, 80*60)}
	for i := range m.Pix {
		m.Pix[i] = uint8(120 + 8*r.NormFloat64())
	}
	x0, y0 := r.IntN(40), 5+r.IntN(40)
	for i := range 36 {
		for d := range 3 {
			m.Set(x0+i, y0+d+i/6, 200, 190, 190)
			mask.Pix[(y0+d+i/6)*80+x0+i] = 1
		}
	}
	return m, mask
}

func TestPixels(t *testing.T) {
	var parts []forest.Samples
	r := rand.New(rand.NewPCG(1, 1))
	for i := range uint64(6) {
		m, mask := scratched(i)
		parts = append(parts, forest.Draw(forest.Pixels(m), mask, []int{150, 100}, r))
	}
	s := forest.Join(parts...)
	if s.X.Rows != 6*250 || len(s.Y) != s.X.Rows {
		t.Fatalf("%d samples, %d classes", s.X.Rows, len(s.Y))
	}
	f, err := forest.Fit(context.Background(), s, 1, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	m, mask := scratched(99)
	p := f.Predict(forest.Pixels(m))
	both, either := 0, 0
	for i, v := range p.Data {
		if found, there := v > 0.5, mask.Pix[i] > 0; found && there {
			both++
			either++
		} else if found || there {
			either++
		}
	}
	if iou := float64(both) / float64(either); iou < 0.7 {
		t.Errorf("IoU %v", iou)
	}
}

// TestPixelsScale: numbers of a scale have the same size for a pattern that is
// as much larger.
func TestPixelsScale(t *testing.T) {
	edge := func(period float64) *imaging.Planes {
		m := imaging.New(200, 200)
		for y := range 200 {
			for x := range 200 {
				v := uint8(128 + 60*math.Sin(2*math.Pi*float64(x)/period))
				m.Set(x, y, v, v, v)
			}
		}
		return forest.Pixels(m)
	}
	fine, coarse := edge(20), edge(40)
	strongest := func(p *imaging.Planes, c int) float32 {
		top := float32(0)
		for _, v := range p.Plane(c) {
			top = max(top, v)
		}
		return top
	}
	for c := 3; c < 8; c++ { // edge, Hessian, structure
		a, b := strongest(fine, 3+8+c), strongest(coarse, 3+16+c)
		if math.Abs(float64(a-b)) > 0.1*float64(max(a, b))+0.5 {
			t.Errorf("number %d: %v on scale 2, %v on scale 4", c, a, b)
		}
	}
}

// TestHardeningT23: a forest that was changed by someone who knows the checksum is
// refused, or works.
func TestHardeningT23(t *testing.T) {
	f, err := forest.Fit(context.Background(), rings(300, 1), 2, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	file, err := f.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	change := func(description any, fn func(container.Tensors)) error {
		var d any
		tensors, err := container.Open(file, "forest", 1, &d)
		if err != nil {
			t.Fatal(err)
		}
		if description != nil {
			d = description
		}
		fn(tensors)
		changed, err := container.Seal("forest", 1, d, tensors)
		if err != nil {
			t.Fatal(err)
		}
		read, err := forest.Unmarshal(changed)
		if err == nil {
			read.Probabilities(rings(50, 2).X)
		}
		return err
	}
	nothing := func(container.Tensors) {}
	for _, d := range []map[string]int{{"types": 0, "numbers": 35}, {"types": 3, "numbers": 35}, {"types": 2, "numbers": 36}, {"types": -1, "numbers": 35}, {"types": 1 << 40, "numbers": 35}} {
		if err := change(d, nothing); err == nil {
			t.Errorf("described as %v it is taken", d)
		}
	}
	for at, values := range map[int][]float32{0: {-2, 35, 1.5, 1e9}, 2: {0, -1, 1e9, 1.5}} {
		for _, v := range values {
			if err := change(nil, func(t container.Tensors) { t["0/nodes"].Data[at] = v }); err == nil {
				t.Errorf("with %v at %d of the root it is taken", v, at)
			}
		}
	}
	for _, name := range []string{"0/nodes", "39/leaves"} {
		if err := change(nil, func(t container.Tensors) { delete(t, name) }); err == nil {
			t.Errorf("without %s it is taken", name)
		}
	}
	if err := change(nil, func(t container.Tensors) { t.Put("0/leaves", nil, 0, 2) }); err == nil {
		t.Error("without leaves it is taken")
	}
}

// FuzzUnmarshal: whatever the nodes of a tree, it is refused, or works.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte{0, 10, 1, 255, 0, 0, 255, 0, 1}, uint8(2))
	f.Add([]byte{255, 0, 0}, uint8(1))
	f.Fuzz(func(t *testing.T, nodes []byte, leaves uint8) {
		tensors := container.Tensors{}
		numbers := make([]float32, len(nodes)/3*3)
		for i := range numbers {
			numbers[i] = float32(int8(nodes[i]))
		}
		for i := range 40 {
			name := strconv.Itoa(i)
			tensors.Put(name+"/nodes", numbers, len(numbers)/3, 3)
			tensors.Put(name+"/leaves", make([]float32, leaves), int(leaves), 1)
		}
		file, err := container.Seal("forest", 1, map[string]int{"types": 1, "numbers": forest.Numbers}, tensors)
		if err != nil {
			t.Fatal(err)
		}
		read, err := forest.Unmarshal(file)
		if err != nil {
			return
		}
		read.Probabilities(matrix.New(3, forest.Numbers))
	})
}

func BenchmarkPredict(b *testing.B) {
	f, err := forest.Fit(context.Background(), rings(60000, 1), 1+1, 0, 2)
	if err != nil {
		b.Fatal(err)
	}
	m := imaging.New(256, 192)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.IntN(256))
	}
	b.Run("pixels", func(b *testing.B) {
		for b.Loop() {
			forest.Pixels(m)
		}
	})
	p := forest.Pixels(m)
	b.Run("forest", func(b *testing.B) {
		for b.Loop() {
			f.Predict(p)
		}
	})
}
