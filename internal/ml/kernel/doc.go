// Package kernel is the arithmetic under the networks: the float32 matrix
// product, the convolution with both of its gradients, and the passes over
// maps that cost time. Each is written in assembly for the processors that
// matter (AVX2 with FMA, AVX-512, NEON) and in plain Go for the rest; Auto chooses when
// the program starts, and the tests hold all of them against float64.
//
// Everything rests on two micro-kernels which keep 6 x 16 sums in registers:
// one multiplies columns (matrix product, gradient of the weights), the other
// multiplies six pixels, wherever they lie, with a panel of weights
// (convolution, gradient of its input). Maps are stored pixel by pixel (NHWC)
// inside a border of zeros, so that the values under a row of a filter lie
// side by side: a convolution reads its input where it is, and nothing is
// unrolled into columns first.
//
// Results do not depend on the number of workers: work is cut by the shape of
// the data alone, and sums over cuts are taken in their order. They do depend,
// in the last bits, on which Set computes them.
package kernel
