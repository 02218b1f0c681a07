package onnx

import (
	"errors"
	"fmt"

	"fovea/internal/ml/kernel"
)

// A window is how a convolution or a pooling slides over an image.
type window struct {
	kh, kw, sh, sw, dh, dw   int // size, stride, dilation
	top, left, bottom, right int // padding
	h, w, outH, outW         int // of the image, and how often the window fits
}

// maxWindow bounds sizes, strides, dilations and paddings.
const maxWindow = 1 << 12

// slide reads the window from a node's attributes, of a size, over an image.
func (n *node) slide(kh, kw, h, w int) (*window, error) {
	v := &window{kh: kh, kw: kw, h: h, w: w}
	pair := func(name string, a, b *int) error {
		*a, *b = 1, 1
		if s := n.attr[name].ints; s != nil {
			if len(s) != 2 || s[0] < 1 || s[1] < 1 || s[0] > maxWindow || s[1] > maxWindow {
				return fmt.Errorf("%s %v: two numbers from 1 to %d are needed", name, s, maxWindow)
			}
			*a, *b = int(s[0]), int(s[1])
		}
		return nil
	}
	if err := errors.Join(pair("strides", &v.sh, &v.sw), pair("dilations", &v.dh, &v.dw)); err != nil {
		return nil, err
	}
	if kh < 1 || kw < 1 || kh > maxWindow || kw > maxWindow || h < 1 || w < 1 {
		return nil, fmt.Errorf("a window of %dx%d over %dx%d", kw, kh, w, h)
	}
	reachH, reachW := (kh-1)*v.dh+1, (kw-1)*v.dw+1
	switch auto := n.attr["auto_pad"].s; auto {
	case "", "NOTSET":
		if p := n.attr["pads"].ints; p != nil {
			if len(p) != 4 {
				return nil, fmt.Errorf("pads %v: four numbers are needed", p)
			}
			for _, x := range p {
				if x < 0 || x > maxWindow {
					return nil, fmt.Errorf("pads %v: from 0 to %d are supported", p, maxWindow)
				}
			}
			v.top, v.left, v.bottom, v.right = int(p[0]), int(p[1]), int(p[2]), int(p[3])
		}
	case "SAME_UPPER", "SAME_LOWER":
		same := func(n, stride, reach int) (first, last int) {
			all := max(0, ((n+stride-1)/stride-1)*stride+reach-n)
			if auto == "SAME_LOWER" {
				return (all + 1) / 2, all / 2
			}
			return all / 2, (all + 1) / 2
		}
		v.top, v.bottom = same(h, v.sh, reachH)
		v.left, v.right = same(w, v.sw, reachW)
	case "VALID":
	default:
		return nil, fmt.Errorf("auto_pad %q is not supported", auto)
	}
	up := 0
	if n.int("ceil_mode", 0) != 0 {
		up = 1
	}
	fits := func(n, before, after, reach, stride int) int {
		free := n + before + after - reach
		if free < 0 {
			return 0
		}
		k := (free+up*(stride-1))/stride + 1
		if up == 1 && (k-1)*stride >= n+before { // a window must begin in the image
			k--
		}
		return k
	}
	v.outH, v.outW = fits(h, v.top, v.bottom, reachH, v.sh), fits(w, v.left, v.right, reachW, v.sw)
	if v.outH < 1 || v.outW < 1 {
		return nil, fmt.Errorf("a window of %dx%d does not fit into %dx%d", reachW, reachH, w, h)
	}
	return v, nil
}

// image returns the dimensions of an image tensor.
func image(t *Tensor) (n, c, h, w int, err error) {
	if len(t.Shape) != 4 || t.isInts || t.len() == 0 {
		return 0, 0, 0, 0, fmt.Errorf("shape %v: images have four dimensions, none 0", t.Shape)
	}
	return t.Shape[0], t.Shape[1], t.Shape[2], t.Shape[3], nil
}

// conv is the convolution of images: as many rows of the output at a time as
// scratch memory has room for are unrolled and multiplied.
func conv(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
	x, weights, bias := in[0], in[1], input(in, 2)
	images, c, h, w, err := image(x)
	if err != nil {
		return nil, err
	}
	if len(weights.Shape) != 4 || weights.isInts {
		return nil, fmt.Errorf("weights of shape %v: only convolutions of images are supported", weights.Shape)
	}
	out, each := weights.Shape[0], weights.Shape[1]
	groups := n.int("group", 1)
	if groups < 1 || out < 1 || groups > int64(out) || int64(each)*groups != int64(c) || int64(out)%groups != 0 {
		return nil, fmt.Errorf("weights of shape %v in %d groups for %d channels", weights.Shape, groups, c)
	}
	if bias != nil && (bias.isInts || bias.len() != out) {
		return nil, fmt.Errorf("a bias of %d numbers for %d channels", bias.len(), out)
	}
	v, err := n.slide(weights.Shape[2], weights.Shape[3], h, w)
	if err != nil {
		return nil, err
	}
	if err := r.spend(images, out, v.outH, v.outW, each, v.kh, v.kw); err != nil {
		return nil, err
	}
	if steps := each * v.kh * v.kw; steps > maxUnrolled/v.outW {
		return nil, fmt.Errorf("weights of shape %v over rows of %d: %d numbers are the most", weights.Shape, v.outW, maxUnrolled)
	}
	y, err := r.make(images, out, v.outH, v.outW)
	if err != nil {
		return nil, err
	}
	g := int(groups)
	for i := range images {
		for k := range g {
			if err := r.ctx.Err(); err != nil {
				return nil, err
			}
			r.group(v, each, out/g, x.Floats[(i*c+k*each)*h*w:], weights.Floats[k*(out/g)*each*v.kh*v.kw:], y.Floats[(i*out+k*(out/g))*v.outH*v.outW:])
		}
		for o := range out {
			if bias != nil {
				for p := range v.outH * v.outW {
					y.Floats[(i*out+o)*v.outH*v.outW+p] += bias.Floats[o]
				}
			}
		}
	}
	return []*Tensor{y}, nil
}

// How many numbers are unrolled at a time: about, and at most.
const (
	unrolled    = 1 << 18
	maxUnrolled = 1 << 25
)

// group convolves one group of channels of an image.
func (r *run) group(v *window, in, out int, x, weights, y []float32) {
	steps := in * v.kh * v.kw
	rows := max(1, min(v.outH, unrolled/(steps*v.outW)))
	columns := make([]float32, steps*rows*v.outW)
	a := kernel.Matrix{Rows: out, Cols: steps, Data: weights, Row: steps, Col: 1}
	for first := 0; first < v.outH; first += rows {
		n := min(rows, v.outH-first) * v.outW
		for s := range steps {
			v.unroll(columns[s*n:][:n], x[s/(v.kh*v.kw)*v.h*v.w:], s/v.kw%v.kh, s%v.kw, first)
		}
		r.gemm.Mul(1, a, kernel.Dense(steps, n, columns), 0, kernel.Matrix{Rows: out, Cols: n, Data: y[first*v.outW:], Row: v.outH * v.outW, Col: 1})
	}
}

// unroll writes what weight ky, kx sees of a channel, for output rows from first
// on.
func (v *window) unroll(to, x []float32, ky, kx, first int) {
	for o := 0; o < len(to); o += v.outW {
		row := to[o:][:v.outW]
		iy := (first+o/v.outW)*v.sh + ky*v.dh - v.top
		if iy < 0 || iy >= v.h {
			clear(row)
			continue
		}
		src, ix := x[iy*v.w:][:v.w], kx*v.dw-v.left
		for i := range row {
			if uint(ix) < uint(len(src)) {
				row[i] = src[ix]
			} else {
				row[i] = 0
			}
			ix += v.sw
		}
	}
}

// pool returns the operator that takes the greatest number, or the mean, of each
// window.
func pool(mean bool) *operator {
	return &operator{1, func(r *run, n *node, in []*Tensor) ([]*Tensor, error) {
		images, c, h, w, err := image(in[0])
		if err != nil {
			return nil, err
		}
		k := n.attr["kernel_shape"].ints
		if len(k) != 2 || k[0] < 1 || k[1] < 1 || k[0] > maxWindow || k[1] > maxWindow {
			return nil, fmt.Errorf("kernel_shape %v: two numbers from 1 to %d are needed", k, maxWindow)
		}
		v, err := n.slide(int(k[0]), int(k[1]), h, w)
		if err != nil {
			return nil, err
		}
		if err := r.spend(images, c, v.outH, v.outW, v.kh, v.kw); err != nil {
			return nil, err
		}
		y, err := r.make(images, c, v.outH, v.outW)
		if err != nil {
			return nil, err
		}
		pads := n.int("count_include_pad", 0) != 0
		for i := range images * c {
			for p := range v.outH * v.outW {
				y.Floats[i*v.outH*v.outW+p] = v.pool(in[0].Floats[i*h*w:], p/v.outW, p%v.outW, mean, pads)
			}
		}
		return []*Tensor{y}, nil
	}}
}

// pool returns what one window gives.
func (v *window) pool(x []float32, oy, ox int, mean, pads bool) float32 {
	sum, top, count := float32(0), float32(0), 0
	for k := range v.kh * v.kw {
		iy, ix := oy*v.sh+k/v.kw*v.dh-v.top, ox*v.sw+k%v.kw*v.dw-v.left
		if iy < 0 || iy >= v.h || ix < 0 || ix >= v.w {
			continue
		}
		value := x[iy*v.w+ix]
		if count == 0 || value > top {
			top = value
		}
		sum += value
		count++
	}
	switch {
	case !mean:
		return top
	case pads:
		return sum / float32(v.kh*v.kw)
	}
	return sum / float32(max(1, count))
}

// globalPool takes the mean of each channel.
func globalPool(r *run, _ *node, in []*Tensor) ([]*Tensor, error) {
	images, c, h, w, err := image(in[0])
	if err != nil {
		return nil, err
	}
	y, err := r.make(images, c, 1, 1)
	if err != nil {
		return nil, err
	}
	for i := range y.Floats {
		sum := 0.0
		for _, v := range in[0].Floats[i*h*w:][:h*w] {
			sum += float64(v)
		}
		y.Floats[i] = float32(sum / float64(h*w))
	}
	return []*Tensor{y}, nil
}
