package backbone

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ramp returns a map of one channel over 24 x 24 pixels that has in each cell
// where its middle is, x + 100*y in pixels.
func ramp(stride int) Map {
	m := Map{Width: 24 / stride, Height: 24 / stride, Channels: 1, Stride: stride}
	for y := range m.Height {
		for x := range m.Width {
			m.Data = append(m.Data, (float32(x)+0.5)*float32(stride)+100*(float32(y)+0.5)*float32(stride))
		}
	}
	return m
}

func TestJoin(t *testing.T) {
	if _, err := Join(nil); err == nil {
		t.Error("no maps are one")
	}
	one := ramp(4)
	if got, err := Join([]Map{one}); err != nil || cmp.Diff(one, got) != "" {
		t.Errorf("one map: %+v, %v", got, err)
	}
	fine, middle, coarse := ramp(2), ramp(6), ramp(8)
	for _, maps := range [][]Map{{fine, middle, coarse}, {fine, middle}, {middle, coarse}, {fine, middle, middle, coarse}} {
		got, err := Join(maps)
		if err != nil {
			t.Fatal(err)
		}
		if want := maps[len(maps)/2]; got.Stride != want.Stride || got.Width != want.Width || got.Channels != len(maps) {
			t.Fatalf("%d maps: stride %d, width %d, %d channels", len(maps), got.Stride, got.Width, got.Channels)
		}
		for y := 1; y < got.Height-1; y++ { // at the edge there is nothing to interpolate with
			for x := 1; x < got.Width-1; x++ {
				want := (float32(x)+0.5)*float32(got.Stride) + 100*(float32(y)+0.5)*float32(got.Stride)
				for i, v := range got.At(x, y) {
					if d := v - want; d > 1e-2 || d < -1e-2 {
						t.Fatalf("%d maps: channel %d of cell %d,%d is %g, want %g", len(maps), i, x, y, v, want)
					}
				}
			}
		}
	}
	p := []Map{ramp(2), ramp(4), ramp(8)}
	want, err := Cells(p)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Join(p); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("the maps of P are joined in another way: %v", err)
	}
}
