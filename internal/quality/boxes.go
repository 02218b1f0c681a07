package quality

// Coinciding is the share of the union of two boxes that both have, from which
// they are on one object.
const Coinciding = 0.8

// A Box is a labelled part of an image, in pixels.
type Box struct {
	Label                    string
	Left, Top, Width, Height float64
}

// Overlap returns the intersection of two boxes over their union, 0 to 1.
func Overlap(a, b Box) float64 {
	w := min(a.Left+a.Width, b.Left+b.Width) - max(a.Left, b.Left)
	h := min(a.Top+a.Height, b.Top+b.Height) - max(a.Top, b.Top)
	if !(w > 0 && h > 0) {
		return 0
	}
	return w * h / (a.Width*a.Height + b.Width*b.Height - w*h)
}

// A Pair is two boxes of an image that nearly coincide, by their index.
type Pair struct {
	First, Second int
	Overlap       float64
}

// Coincident returns, for each box that nearly coincides with one before it,
// the pair with the greatest overlap.
func Coincident(boxes []Box) (pairs []Pair) {
	for i := range boxes {
		best := Pair{Second: i, Overlap: Coinciding}
		found := false
		for k := range i {
			if o := Overlap(boxes[k], boxes[i]); o >= best.Overlap {
				best.First, best.Overlap, found = k, o, true
			}
		}
		if found {
			pairs = append(pairs, best)
		}
	}
	return pairs
}
