package imaging

import (
	"encoding/binary"
	"hash/crc32"
)

// A pngHead is the IHDR chunk of a PNG.
type pngHead struct {
	width, height int
	depth         int
	color         byte // colour type
	interlaced    bool
}

// The colour types of PNG.
const (
	pngGray      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGrayAlpha = 4
	pngRGBA      = 6
)

// pngModels holds for each colour type its model, its samples a pixel and the
// allowed depths, a bit for each.
var pngModels = map[byte]struct {
	model    Model
	channels int
	depths   uint32
}{
	pngGray:      {Gray, 1, 1<<1 | 1<<2 | 1<<4 | 1<<8 | 1<<16},
	pngRGB:       {RGB, 3, 1<<8 | 1<<16},
	pngPalette:   {Palette, 1, 1<<1 | 1<<2 | 1<<4 | 1<<8},
	pngGrayAlpha: {GrayAlpha, 2, 1<<8 | 1<<16},
	pngRGBA:      {RGBA, 4, 1<<8 | 1<<16},
}

// pngHeadSize is the size of the length, type, data and checksum of IHDR.
const pngHeadSize = 8 + 13 + 4

// parsePNGHead reads the first chunk of a PNG, pngHeadSize bytes.
func parsePNGHead(b []byte) (h pngHead, err error) {
	switch {
	case string(b[4:8]) == "CgBI":
		return h, errorf(Unsupported, "It is a PNG in the form that only Apple's devices read (CgBI).")
	case string(b[4:8]) != "IHDR" || binary.BigEndian.Uint32(b) != 13:
		return h, malformed(PNG, "it does not begin with IHDR")
	case crc32.ChecksumIEEE(b[4:21]) != binary.BigEndian.Uint32(b[21:]):
		return h, malformed(PNG, "the checksum of IHDR is wrong")
	}
	width, height := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	h = pngHead{width: int(width), height: int(height), depth: int(b[16]), color: b[17], interlaced: b[20] == 1}
	model, ok := pngModels[h.color]
	switch {
	case width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1:
		return h, malformed(PNG, "its size is %dx%d", width, height)
	case !ok || b[16] > 16 || model.depths>>b[16]&1 == 0:
		return h, malformed(PNG, "it has colour type %d with %d bits", b[17], b[16])
	case b[18] != 0 || b[19] != 0 || b[20] > 1:
		return h, malformed(PNG, "it uses methods that do not exist")
	}
	return h, nil
}

func (h *pngHead) info() Info {
	m := pngModels[h.color]
	return Info{Format: PNG, Width: h.width, Height: h.height, Depth: h.depth, Channels: m.channels, Model: m.model,
		Orientation: 1, Progressive: h.interlaced}
}

// probePNG reads the chunks before the pixels, passing over those that do not
// matter.
func probePNG(s *source) (Info, error) {
	b, err := s.at(int64(len(pngSignature)), pngHeadSize)
	if err != nil {
		return Info{}, err
	}
	head, err := parsePNGHead(b)
	if err != nil {
		return Info{}, err
	}
	info := head.info()
	palette := false
	for off := int64(len(pngSignature) + pngHeadSize); ; {
		b, err := s.at(off, 8)
		if err != nil {
			return info, err
		}
		length, kind := int64(binary.BigEndian.Uint32(b)), string(b[4:8])
		switch {
		case length > 1<<31-1:
			return info, malformed(PNG, "a chunk has the length %d", length)
		case off+12+length > s.size:
			return info, truncated(PNG)
		case kind == "IDAT" && info.Model == Palette && !palette:
			return info, malformed(PNG, "it has no palette")
		case kind == "IDAT":
			return info, nil
		case kind == "IEND":
			return info, malformed(PNG, "it has no pixels")
		case kind == "PLTE":
			palette = true
		case kind == "eXIf" && length < firstRead:
			b, err := s.at(off+8, int(length))
			if err != nil {
				return info, err
			}
			info.Orientation = orientation(b)
		}
		off += 12 + length
	}
}
