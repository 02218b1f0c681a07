package nn

import (
	"fmt"
	"math"

	"fovea/internal/ml/kernel"
)

// A loss returns how wrong outputs are and adds its gradient to that of the
// outputs. Sums are float64, in the order of the data. All take logits, what
// the network says before sigmoid or softmax.

// SoftmaxLoss is the mean cross-entropy of single pixels, one a map, whose
// classes are labels. A part smoothing of each label is spread over all classes
// (Szegedy et al. 2016). The result is multiplied with weight, as is the gradient.
func SoftmaxLoss(logits, grad *kernel.Tensor, labels []int, smoothing, weight float32) float64 {
	if logits.H != 1 || logits.W != 1 || len(labels) != logits.N {
		panic(fmt.Sprintf("nn: %d labels for logits of %v", len(labels), logits))
	}
	var p []float32
	loss, f := 0.0, weight/float32(logits.N)
	for n, label := range labels {
		x, g := logits.Pixel(n, 0, 0), grad.Pixel(n, 0, 0)
		p = append(p[:0], x...)
		kernel.Softmax(p, p)
		for k, v := range p {
			want := smoothing / float32(len(p))
			if k == label {
				want += 1 - smoothing
			}
			if want > 0 {
				loss -= float64(want) * math.Log(max(float64(v), 1e-30))
			}
			g[k] += f * (v - want)
		}
	}
	return loss * float64(f)
}

// BCELoss is the mean binary cross-entropy of the first channels of logits, as
// many as targets has, against targets between 0 and 1. Positive parts count
// positive times. The result is multiplied with weight, as is the gradient.
func BCELoss(logits, grad, targets *kernel.Tensor, positive, weight float32) float64 {
	loss, f := 0.0, weight/float32(targets.N*targets.H*targets.W*targets.C)
	eachPixel(logits, grad, targets, func(x, g, t []float32) {
		for c, want := range t {
			l, d := bce(x[c], want, positive)
			loss += l
			g[c] += f * d
		}
	})
	return loss * float64(f)
}

// TopBCELoss is the binary cross-entropy of each pixel's greatest channel
// against its greatest target: whether there is anything, whatever it is.
func TopBCELoss(logits, grad, targets *kernel.Tensor, weight float32) float64 {
	loss, f := 0.0, weight/float32(targets.N*targets.H*targets.W)
	eachPixel(logits, grad, targets, func(x, g, t []float32) {
		top, want := 0, t[0]
		for c, v := range t {
			want = max(want, v)
			if x[c] > x[top] {
				top = c
			}
		}
		l, d := bce(x[top], want, 1)
		loss += l
		g[top] += f * d
	})
	return loss * float64(f)
}

// bce returns the binary cross-entropy of a logit, and its derivative.
func bce(x, want, positive float32) (loss float64, d float32) {
	soft := math.Log1p(math.Exp(-math.Abs(float64(x)))) // -log of the likelier sigmoid
	no, yes := soft+max(float64(x), 0), soft+max(-float64(x), 0)
	p := kernel.Sigmoid(x)
	return float64(positive*want)*yes + float64(1-want)*no, (1-want)*p - positive*want*(1-p)
}

// DiceLoss is 1 minus the soft Dice coefficient of each channel over the batch,
// averaged over channels (Milletari et al. 2016).
func DiceLoss(logits, grad, targets *kernel.Tensor, weight float32) float64 {
	const smooth = 1.0
	both, sum := make([]float64, targets.C), make([]float64, targets.C)
	eachPixel(logits, grad, targets, func(x, _, t []float32) {
		for c, want := range t {
			p := kernel.Sigmoid(x[c])
			both[c] += float64(p * want)
			sum[c] += float64(p + want)
		}
	})
	loss, f := 0.0, float64(weight)/float64(targets.C)
	for c := range both {
		loss += f * (1 - (2*both[c]+smooth)/(sum[c]+smooth))
	}
	eachPixel(logits, grad, targets, func(x, g, t []float32) {
		for c, want := range t {
			p, s := kernel.Sigmoid(x[c]), sum[c]+smooth
			d := -(2*float64(want)*s - 2*both[c] - smooth) / (s * s)
			g[c] += float32(f*d) * p * (1 - p)
		}
	})
	return loss
}

// eachPixel calls fn with the channels of each pixel.
func eachPixel(logits, grad, targets *kernel.Tensor, fn func(x, g, t []float32)) {
	if logits.N != targets.N || logits.H != targets.H || logits.W != targets.W || logits.C < targets.C || !logits.Same(grad) {
		panic(fmt.Sprintf("nn: logits of %v, a gradient of %v, targets of %v", logits, grad, targets))
	}
	for n := range targets.N {
		for y := range targets.H {
			xs, gs, ts := logits.Row(n, y), grad.Row(n, y), targets.Row(n, y)
			for i := range targets.W {
				fn(xs[i*logits.C:][:logits.C], gs[i*grad.C:][:grad.C], ts[i*targets.C:][:targets.C])
			}
		}
	}
}
