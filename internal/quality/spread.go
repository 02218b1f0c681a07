package quality

import "math"

// MinImages is how many images are needed to say that one is unlike them.
const MinImages = 20

// A Measure is a number that an image has.
type Measure uint8

// The measures.
const (
	Pixels     Measure = iota // width times height
	Brightness                // mean luma
	Sharpness                 // see Look
	measures
)

// String names the measure.
func (m Measure) String() string { return [...]string{"size", "brightness", "sharpness"}[m] }

// outlying says from where a measure is an outlier: away from the median by
// more than deviations times the median absolute deviation, scaled to be a
// standard deviation where the measure is normal, and by more than apart. Sizes
// and sharpness are compared as logarithms to the base 2.
const deviations = 5

var apart = [measures]float64{Pixels: 2, Brightness: 40, Sharpness: 1.5}

// scaleMAD makes the median absolute deviation of normal numbers their standard
// deviation.
const scaleMAD = 1.4826

// valueOf returns a measure of an image as it is compared.
func (m Measure) valueOf(l *Look) float64 {
	switch m {
	case Pixels:
		return math.Log2(float64(l.Width) * float64(l.Height))
	case Brightness:
		return float64(l.Brightness)
	}
	return math.Log2(float64(l.Sharpness) + 1.0/64)
}

// A Spread learns how images differ in their measures. It keeps counts of a
// fixed number of cells, however many images there are, and so its medians are
// those of numbers that are rounded to a cell.
type Spread struct {
	images int64
	cells  [measures][spreadCells]int64
}

const spreadCells = 4096

// cellSize returns the width of a cell and the value at which the first begins.
func (m Measure) cellSize() (width, first float64) {
	switch m {
	case Pixels:
		return 64.0 / spreadCells, 0
	case Brightness:
		return 256.0 / spreadCells, 0
	}
	return 20.0 / spreadCells, -8
}

// Add adds an image.
func (s *Spread) Add(l *Look) {
	s.images++
	for m := range measures {
		width, first := m.cellSize()
		i := int((m.valueOf(l) - first) / width)
		s.cells[m][min(max(i, 0), spreadCells-1)]++
	}
}

// An Outlier says that an image is unlike the others.
type Outlier struct {
	Measure  Measure
	Value    float64 // in pixels, grey levels, or units of sharpness
	Median   float64 // of all, likewise
	Above    bool
	Distance float64 // from the median, in scaled median absolute deviations; +Inf where these are 0
}

// Bounds returns a function that finds what about an image is an outlier among
// those that were added. Of fewer than MinImages none is.
func (s *Spread) Bounds() func(*Look) []Outlier {
	var median, mad [measures]float64
	for m := range measures {
		median[m], mad[m] = s.robust(m)
	}
	return func(l *Look) (found []Outlier) {
		if s.images < MinImages {
			return nil
		}
		for m := range measures {
			value := m.valueOf(l)
			off := math.Abs(value - median[m])
			if off <= apart[m] || off <= deviations*mad[m] {
				continue
			}
			found = append(found, Outlier{
				Measure: m, Value: m.plain(value), Median: m.plain(median[m]), Above: value > median[m], Distance: off / mad[m],
			})
		}
		return found
	}
}

// plain turns a value as it is compared into one for people.
func (m Measure) plain(v float64) float64 {
	switch m {
	case Pixels:
		return math.Exp2(v)
	case Brightness:
		return v
	}
	return max(0, math.Exp2(v)-1.0/64)
}

// robust returns the median of a measure and its scaled median absolute
// deviation.
func (s *Spread) robust(m Measure) (median, mad float64) {
	width, first := m.cellSize()
	counts := s.cells[m][:]
	middle := s.middle(func(i int) int64 {
		if i < spreadCells {
			return counts[i]
		}
		return 0
	})
	around := s.middle(func(i int) (n int64) {
		if i > 0 && middle-i >= 0 {
			n = counts[middle-i]
		}
		if middle+i < spreadCells {
			n += counts[middle+i]
		}
		return n
	})
	return first + (float64(middle)+0.5)*width, scaleMAD * float64(around) * width
}

// middle returns the cell in which the middle of all images is.
func (s *Spread) middle(count func(int) int64) int {
	var n int64
	for i := range spreadCells {
		if n += count(i); 2*n >= s.images {
			return i
		}
	}
	return spreadCells
}
