package lookout

import "fmt"

// An rgb is a colour, 0xrrggbb.
type rgb uint32

// white is the colour of the background (LV-5.23).
const white rgb = 0xffffff

// String returns the colour as a colour map writes it.
func (c rgb) String() string { return fmt.Sprintf("#%06x", uint32(c)) }

// parseColor reads # and six hexadecimal digits, in any case (LV-5.29, LV-5.82).
func parseColor(text []byte) (c rgb, ok bool) {
	if len(text) != 7 || text[0] != '#' {
		return 0, false
	}
	for _, d := range text[1:] {
		switch {
		case d-'0' < 10:
			d -= '0'
		case d|0x20-'a' < 6:
			d = d | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		c = c<<4 | rgb(d)
	}
	return c, true
}

func isColor(text string) bool {
	_, ok := parseColor([]byte(text))
	return ok
}

// maxColors bounds the labels that a palette remembers.
const maxColors = 1000

// A palette remembers which colours labels have in the lines so far. What comes
// first counts (LV-5.47).
type palette struct {
	colors map[string]rgb
	labels map[rgb]string
}

// begin prepares the palette for a line.
func (p *palette) begin() {
	if p.colors == nil {
		p.colors, p.labels = map[string]rgb{}, map[rgb]string{}
	}
}

// colorOf returns the colour that a label has in the lines before, and whether
// it is the one it has now.
func (p *palette) colorOf(label string, now rgb) (before rgb, same bool) {
	before, ok := p.colors[label]
	if !ok && len(p.colors) < maxColors {
		p.colors[label] = now
	}
	return before, !ok || before == now
}

// labelOf returns the label that has a colour in the lines before, and whether
// it is the one that has it now.
func (p *palette) labelOf(color rgb, now string) (before string, same bool) {
	before, ok := p.labels[color]
	if !ok && len(p.labels) < maxColors {
		p.labels[color] = now
	}
	return before, !ok || before == now
}
