package repair

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"path"
	"strings"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/manifest"
)

const (
	maxMaskBytes = 8 << 20 // LV-9.4
	maxMasks     = 100_000 // mended masks that are remembered
	steps        = 40      // how far a colour may be from that of the map, in each channel
	clearly      = 24      // how much farther it must be from the next one
	maxStray     = 0.01    // share of the pixels that may be of no colour of the map (LV-14.20)
)

// maskEdit mends a mask whose colours are a few steps off, or that is a JPEG: it
// writes a PNG beside it that has the colours of the map, and names that.
func (r *repairer) maskEdit(ctx context.Context, want *fovea.MaskExpectation) (e edit, ok bool, err error) {
	old := fmt.Sprint(want.Image, want.Colors) // another map wants other colours
	m, known := r.masks[old]
	if !known {
		var fixed []byte
		fixed, m.rule, err = r.snapped(ctx, want)
		if err == nil && fixed != nil {
			m.uri, err = r.putMask(ctx, want.Image, fixed)
		}
		if err != nil {
			return e, false, r.unread(want.At.Pointer, err)
		}
		if r.masks == nil {
			r.masks = map[string]mended{}
		}
		if len(r.masks) < maxMasks {
			r.masks[old] = m
		}
	}
	if m.uri == "" {
		return e, false, nil
	}
	return r.replace(r.nodeAt(want.At.Offset), want.At.Pointer, m.rule, string(manifest.AppendQuoted(nil, m.uri))), true, nil
}

// A mended mask is where it is, "" if the old one stays, and what was mended.
type mended struct {
	uri  string
	rule Rule
}

// snapped returns a mask as a PNG in the colours of its map, nil if it is right
// as it is or was left alone.
func (r *repairer) snapped(ctx context.Context, want *fovea.MaskExpectation) ([]byte, Rule, error) {
	file, err := readAll(ctx, r.spec.Objects, want.Image, maxMaskBytes)
	if err != nil {
		return nil, "", err
	}
	info, err := imaging.Probe(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, "", err
	}
	rule := MaskFormat
	if info.Format == imaging.PNG {
		rule = MaskColors
		if right, err := isRight(ctx, file, want.Colors); right || err != nil {
			return nil, rule, err
		}
	}
	m, err := imaging.Decode(ctx, bytes.NewReader(file), int64(len(file)), imaging.Decoding{Stored: true})
	if err != nil {
		return nil, rule, err
	}
	out, why := snap(m, want.Colors)
	if why != "" {
		return nil, rule, r.left(r.entry.Number, want.At.Pointer, "WARNING_MASK_COLORS", why)
	}
	var b bytes.Buffer
	err = png.Encode(&b, out)
	return b.Bytes(), rule, err
}

// isRight tells whether the colours of a PNG are those of the map, as far as
// AWS minds.
func isRight(ctx context.Context, file []byte, colors []fovea.MaskColor) (bool, error) {
	list := make([]imaging.MapColor, len(colors))
	for i, c := range colors {
		list[i] = imaging.MapColor{Color: imaging.Color(c.Color), Background: c.Background}
	}
	mask, err := imaging.ReadMask(ctx, bytes.NewReader(file), list)
	return err == nil && float64(mask.Unmatched) <= maxStray*float64(mask.Pixels), err
}

// snap gives every pixel the nearest colour of the map, or white. It says why
// not, if too many pixels are near none, or none is near a label.
func snap(m *imaging.Image, colors []fovea.MaskColor) (*image.Paletted, string) {
	palette := color.Palette{color.RGBA{255, 255, 255, 255}}
	for _, c := range colors {
		if len(palette) < 256 {
			palette = append(palette, color.RGBA{byte(c.Color >> 16), byte(c.Color >> 8), byte(c.Color), 255})
		}
	}
	out := image.NewPaletted(image.Rect(0, 0, m.W, m.H), palette)
	stray, labelled := 0, 0
	cache := map[[3]byte][2]int{}
	for i := range out.Pix {
		rgb := [3]byte(m.Pix[3*i:])
		hit, ok := cache[rgb]
		if !ok {
			hit[0], hit[1] = nearest(palette, rgb)
			if len(cache) < 1<<16 {
				cache[rgb] = hit
			}
		}
		out.Pix[i] = byte(hit[0])
		stray += hit[1]
		if hit[0] > 0 && !colors[hit[0]-1].Background {
			labelled++
		}
	}
	switch {
	case float64(stray) > maxStray*float64(len(out.Pix)):
		return nil, fmt.Sprintf("%d of its %d pixels are too far from the colours of the map, or between two of them.", stray, len(out.Pix))
	case labelled == 0:
		return nil, "No pixel of it is near the colour of a label."
	}
	return out, ""
}

// nearest returns the index of the colour of a palette that is nearest to rgb,
// and 1 if that is a guess.
func nearest(palette color.Palette, rgb [3]byte) (best, stray int) {
	first, second := 256, 256
	for i, c := range palette {
		p := c.(color.RGBA)
		d := max(apart(p.R, rgb[0]), apart(p.G, rgb[1]), apart(p.B, rgb[2]))
		switch {
		case d < first:
			best, first, second = i, d, first
		case d < second && c != palette[best]:
			second = d
		}
	}
	if first > steps || second < first+clearly {
		stray = 1
	}
	return best, stray
}

func apart(a, b byte) int { return max(int(a)-int(b), int(b)-int(a)) }

// putMask stores a mended mask beside the old one, under a name that is free or
// that has these very bytes, and returns its URI.
func (r *repairer) putMask(ctx context.Context, old fovea.ObjectRef, file []byte) (string, error) {
	stem := strings.TrimSuffix(old.Key, path.Ext(old.Key))
	const tries = 10
	for n := range tries {
		ref := fovea.ObjectRef{Bucket: old.Bucket, Key: fmt.Sprintf("%s.fixed%s.png", stem, [tries]string{"", "2", "3", "4", "5", "6", "7", "8", "9", "10"}[n])}
		there, err := readAll(ctx, r.spec.Objects, ref, maxMaskBytes)
		switch {
		case err == nil && bytes.Equal(there, file):
			return ref.String(), nil
		case err == nil:
			continue
		case !errors.Is(err, fs.ErrNotExist) && fovea.KindOf(err) != fovea.NotFound:
			return "", err
		}
		_, err = r.spec.Objects.Write(ctx, ref, "image/png", bytes.NewReader(file), int64(len(file)))
		return ref.String(), err
	}
	return "", &imaging.Error{Reason: imaging.Unsupported, Text: "There are mended masks of other content beside it already: remove them."}
}
