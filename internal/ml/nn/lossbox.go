package nn

import (
	"math"

	"fovea/internal/ml/kernel"
)

// FocalLoss is the loss of centre points (Zhou et al. 2019, with powers 2 and 4)
// of the first channels of logits, one for each channel of targets. A target is
// 1 at the centre of an object, falls off around it, and is 0 elsewhere. Half
// of the loss is divided by the number of objects, half by that of each
// class's own, so that rare classes are learned, too.
func FocalLoss(logits, grad, targets *kernel.Tensor, weight float32) float64 {
	objects, all := make([]float64, targets.C), 0.0
	eachPixel(logits, grad, targets, func(_, _, t []float32) {
		for c, v := range t {
			if v == 1 {
				objects[c]++
				all++
			}
		}
	})
	scale := make([]float64, targets.C)
	for c, n := range objects {
		scale[c] = float64(weight) * (0.5/max(1, all) + 0.5/(float64(targets.C)*max(1, n)))
	}
	loss := 0.0
	eachPixel(logits, grad, targets, func(x, g, t []float32) {
		for c, want := range t {
			l, d := focal(float64(x[c]), float64(want))
			loss += scale[c] * l
			g[c] += float32(scale[c] * d)
		}
	})
	return loss
}

// focal returns the loss of a logit, and its derivative.
func focal(x, want float64) (loss, d float64) {
	p := 1 / (1 + math.Exp(-x))
	soft := math.Log1p(math.Exp(-math.Abs(x)))
	logP, logQ := -soft-max(-x, 0), -soft-max(x, 0) // of p and 1-p
	q := 1 - p
	if want == 1 {
		return -q * q * logP, q * q * (2*p*logP - q)
	}
	f := math.Pow(1-want, 4)
	return -f * p * p * logQ, f * p * p * (p - 2*q*logQ)
}

// boxChannels is how many channels a box has: the distances of its left, top,
// right and bottom side from the pixel.
const boxChannels = 4

// BoxLoss compares boxes, given as distances of their sides from a pixel. Those
// predicted are the softplus of the channels of logits from first on; targets
// has four distances, and how much the pixel counts. The loss is the weighted
// mean of 1 minus the generalized intersection over union (Rezatofighi et al.
// 2019) and a tenth of the smooth L1 distance.
func BoxLoss(logits, grad *kernel.Tensor, first int, targets *kernel.Tensor, weight float32) float64 {
	sum := 0.0
	visit := func(fn func(x, g, t []float32, count float64)) {
		for n := range targets.N {
			for y := range targets.H {
				for i := range targets.W {
					if t := targets.Pixel(n, y, i); t[boxChannels] > 0 {
						fn(logits.Pixel(n, y, i)[first:], grad.Pixel(n, y, i)[first:], t, float64(t[boxChannels]))
					}
				}
			}
		}
	}
	visit(func(_, _, _ []float32, count float64) { sum += count })
	if sum == 0 {
		return 0
	}
	loss := 0.0
	visit(func(x, g, t []float32, count float64) {
		f := float64(weight) * count / sum
		var a, b, d [boxChannels]float64
		for i := range a {
			a[i], b[i] = Softplus(float64(x[i])), float64(t[i])
		}
		loss += f * giouLoss(&a, &b, &d)
		for i := range a {
			l, s := smoothL1(a[i] - b[i])
			loss += f * 0.1 * l
			g[i] += float32(f * (d[i] + 0.1*s) / (1 + math.Exp(-float64(x[i]))))
		}
	})
	return loss
}

// Softplus returns log(1+e^x), the distance that a logit of BoxLoss says.
func Softplus(x float64) float64 { return math.Log1p(math.Exp(-math.Abs(x))) + max(x, 0) }

// smoothL1 returns x²/2 up to 1 and linear beyond, and the derivative.
func smoothL1(x float64) (loss, d float64) {
	if math.Abs(x) < 1 {
		return x * x / 2, x
	}
	return math.Abs(x) - 0.5, math.Copysign(1, x)
}

// giouLoss returns 1 minus the generalized intersection over union of two boxes
// around a point, and sets d to the derivatives for the sides of a.
func giouLoss(a, b, d *[boxChannels]float64) float64 {
	const tiny = 1e-9
	var in, out [boxChannels]float64
	for i := range a {
		in[i], out[i] = min(a[i], b[i]), max(a[i], b[i])
	}
	area := func(s *[boxChannels]float64) (w, h float64) { return s[0] + s[2], s[1] + s[3] }
	aw, ah := area(a)
	bw, bh := area(b)
	iw, ih := area(&in)
	ow, oh := area(&out)
	both, hull := iw*ih, ow*oh+tiny
	union := aw*ah + bw*bh - both + tiny
	for i := range a {
		// How the areas grow with side i: by the other dimension.
		da, di, do := ah, ih, oh
		if i%2 == 1 {
			da, di, do = aw, iw, ow
		}
		if a[i] < b[i] {
			do = 0
		} else {
			di = 0
		}
		du := da - di
		d[i] = -(di*union-both*du)/(union*union) - (du*hull-union*do)/(hull*hull)
	}
	return 1 - both/union + (hull-union)/hull
}
