package kernel

import (
	"math"
	"testing"
)

func TestExp(t *testing.T) {
	for x := -86.5; x < 88.7; x += 0.0137 {
		v := float32(x)
		want := math.Exp(float64(v))
		if got := float64(Exp(v)); !(math.Abs(got-want) <= 4e-7*want) {
			t.Fatalf("Exp(%g) = %g, want %g", v, got, want)
		}
		if got, want := float64(Sigmoid(v)), 1/(1+math.Exp(-float64(v))); !(math.Abs(got-want) <= 4e-7*want) {
			t.Fatalf("Sigmoid(%g) = %g, want %g", v, got, want)
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, tt := range []struct{ x, want float32 }{{0, 1}, {inf, inf}, {-inf, 0}, {1000, inf}, {-1000, 0}} {
		if got := Exp(tt.x); got != tt.want {
			t.Errorf("Exp(%g) = %g, want %g", tt.x, got, tt.want)
		}
	}
	if got := Exp(nan); got == got {
		t.Errorf("Exp(NaN) = %g", got)
	}
}

func TestSoftmax(t *testing.T) {
	Softmax(nil, nil)
	for _, x := range [][]float32{{3}, {1, 2, 3}, {1000, 999, -1000}, {-1000, -1001}} {
		y := make([]float32, len(x))
		Softmax(y, x)
		sum := 0.0
		for _, v := range x {
			sum += math.Exp(float64(v - x[0]))
		}
		for i, v := range x {
			if want := math.Exp(float64(v-x[0])) / sum; !(math.Abs(float64(y[i])-want) <= 1e-6) {
				t.Errorf("Softmax(%v)[%d] = %g, want %g", x, i, y[i], want)
			}
		}
	}
}
