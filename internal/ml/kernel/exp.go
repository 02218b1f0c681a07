package kernel

import "math"

// Exp returns e^x with a relative error below 4e-7, and 0 for x below -86.6. It
// costs a fraction of math.Exp: 2^n times the Taylor polynomial of degree six
// of what is left.
func Exp(x float32) float32 {
	switch {
	case x > 88.7:
		return float32(math.Inf(1))
	case x < -86.6:
		return 0
	case x != x:
		return x
	}
	const (
		log2e = 1.4426950408889634
		high  = 0.693359375 // of the natural logarithm of 2, exact in few bits
		low   = -2.12194440e-4
		magic = 3 << 22 // adding it rounds to a whole number
	)
	n := x*log2e + magic
	n -= magic
	r := x - n*high - n*low
	p := 1 + r*(1+r*(1./2+r*(1./6+r*(1./24+r*(1./120+r*(1./720))))))
	return 2 * p * math.Float32frombits(uint32(int32(n)+126)<<23) // 2^128 has no bits of its own
}

// Sigmoid returns 1/(1+e^-x).
func Sigmoid(x float32) float32 {
	if x < 0 {
		e := Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + Exp(-x))
}

// Softmax sets y to the exponentials of x divided by their sum; y may be x. The
// greatest of x is subtracted first, so nothing overflows.
func Softmax(y, x []float32) {
	if len(x) == 0 {
		return
	}
	top := x[0]
	for _, v := range x[1:] {
		top = max(top, v)
	}
	sum := 0.0
	for i, v := range x {
		e := Exp(v - top)
		y[i] = e
		sum += float64(e)
	}
	f := float32(1 / sum)
	for i := range x {
		y[i] *= f
	}
}
