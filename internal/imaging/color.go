package imaging

import "fmt"

// A Color is a colour without alpha, 0xrrggbb.
type Color uint32

// White is always background (LV-5.23).
const White Color = 0xffffff

func rgb(r, g, b byte) Color { return Color(r)<<16 | Color(g)<<8 | Color(b) }

// String returns the colour as a colour map writes it.
func (c Color) String() string { return fmt.Sprintf("#%06x", uint32(c)) }

func (c Color) channels() [3]int { return [3]int{int(c >> 16 & 255), int(c >> 8 & 255), int(c & 255)} }

// A MapColor is an entry of a colour map.
type MapColor struct {
	Color      Color
	Background bool // it is that of the background
}

// tolerance is how far a pixel's colour may be from that of a map, in each
// channel (LV-5.45).
const tolerance = 8

// The classes of pixels that have no label.
const (
	background = -1
	unmatched  = -2
)

// classify returns which label of the map a colour is, or background, or
// unmatched. It is that of the nearest colour within tolerance; and if there is
// none, of the nearer end of a blend of a label with white, as resampling
// makes them at the rim of an area (LV-5.44, LV-14.20).
func classify(colors []MapColor, c Color) int {
	class, best := unmatched, tolerance+1
	for i, m := range colors {
		if d := distance(m.Color.channels(), c.channels()); d < best {
			best, class = d, i
			if m.Background || m.Color == White {
				class = background
			}
		}
	}
	if distance(White.channels(), c.channels()) < best {
		class = background
	}
	if class != unmatched {
		return class
	}
	for i, m := range colors {
		if m.Background || m.Color == White {
			continue
		}
		if d, nearer := blend(m.Color.channels(), c.channels()); d < best {
			best, class = d, background
			if nearer {
				class = i
			}
		}
	}
	return class
}

// distance returns how far two colours are apart in the channel in which they
// are farthest.
func distance(a, b [3]int) int {
	return max(abs(a[0]-b[0]), abs(a[1]-b[1]), abs(a[2]-b[2]))
}

// blend returns how far c is from the nearest blend of label and white, and
// whether that blend is nearer to label than to white.
func blend(label, c [3]int) (d int, nearer bool) {
	along, length := 0, 0
	for i := range 3 {
		line := 255 - label[i]
		along += (c[i] - label[i]) * line
		length += line * line
	}
	if along < 0 || along > length {
		return tolerance + 1, false
	}
	var nearest [3]int
	for i := range 3 {
		nearest[i] = label[i] + (along*(255-label[i])+length/2)/length
	}
	return distance(nearest, c), 2*along < length
}
