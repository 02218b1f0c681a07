package dataset

import (
	"cmp"
	"fmt"
	"slices"

	"fovea/internal/manifest"
)

const (
	maxSizes   = 64 // sizes that are told apart in a part
	maxDiffers = 10 // images of other sizes that are reported
)

// imageSizes counts the images of a part by their size.
type imageSizes struct {
	Known []sizeUse `json:",omitempty"` // in order of first appearance
	Other int64     `json:",omitempty"` // images of further sizes
}

// A sizeUse counts the images of one size.
type sizeUse struct {
	Width, Height int
	Images        int64
	First         []imageUse // the first maxDiffers
}

// An imageUse is a line with an image of a size.
type imageUse struct {
	Line   int64
	Offset int64 // of the line in the manifest
	In     int   // offset of the source-ref in the line
	At     string
	Ref    string
}

func (s *imageSizes) add(t *imageTask) {
	i := slices.IndexFunc(s.Known, func(u sizeUse) bool { return u.Width == t.width && u.Height == t.height })
	if i < 0 && len(s.Known) == maxSizes {
		s.Other++
		return
	}
	if i < 0 {
		i = len(s.Known)
		s.Known = append(s.Known, sizeUse{Width: t.width, Height: t.height})
	}
	u := &s.Known[i]
	if u.Images++; u.Images <= maxDiffers {
		u.First = append(u.First, imageUse{Line: t.line, Offset: t.offset, In: t.want.At.Offset, At: t.want.At.Pointer, Ref: t.ref})
	}
}

// findSizes finds the images whose size is not that of most, the first size
// of several that are equally frequent (LV-5.51).
func (s *scan) findSizes(out *outcome) {
	var all []sizeUse
	var images, other int64
	for _, p := range out.parts {
		other += p.Sizes.Other
		for _, u := range p.Sizes.Known {
			images += u.Images
			i := slices.IndexFunc(all, func(v sizeUse) bool { return u.Width == v.Width && u.Height == v.Height })
			if i < 0 {
				i = len(all)
				all = append(all, sizeUse{Width: u.Width, Height: u.Height})
			}
			all[i].Images += u.Images
		}
	}
	if images += other; len(all) < 2 && other == 0 {
		return
	}
	most := slices.MaxFunc(all, func(a, b sizeUse) int { return cmp.Compare(a.Images, b.Images) })
	out.codes[imageDiffers] = images - most.Images
	for i, p := range out.parts {
		for _, u := range p.Sizes.Known {
			if u.Width == most.Width && u.Height == most.Height {
				continue
			}
			for _, use := range u.First {
				out.differs = append(out.differs, differing{i, use.finding(p, u, most, images)})
			}
		}
	}
	slices.SortStableFunc(out.differs, func(a, b differing) int { return cmp.Compare(a.Line, b.Line) })
	out.differs = out.differs[:min(len(out.differs), maxDiffers)]
}

// A differing is a finding about an image of another size, with the index of
// its part.
type differing struct {
	part int
	Finding
}

// finding tells that the image has the size u and not, as most of all, most.
func (use imageUse) finding(p *part, u, most sizeUse, all int64) Finding {
	problem := manifest.Problem{
		Severity: manifest.Warning, Code: imageDiffers, Message: imageMessages[imageDiffers], Pointer: use.At, Offset: use.In,
		Found:    fmt.Sprintf("It is %dx%d.", u.Width, u.Height),
		Expected: fmt.Sprintf("%dx%d, as %d of %d images", most.Width, most.Height, most.Images, all),
		Mend:     "Scale or cut the image and its mask to the size of the others, or remove the line.",
	}
	return findingOf(&problem, p.firstLine+use.Line, use.Offset, use.Ref)
}
