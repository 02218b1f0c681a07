package imaging

import "encoding/binary"

// The markers of JPEG that matter here (ISO 10918-1, table B.1).
const (
	markerSOF0  = 0xc0
	markerDHT   = 0xc4
	markerJPG   = 0xc8
	markerDAC   = 0xcc
	markerSOF15 = 0xcf
	markerRST0  = 0xd0
	markerRST7  = 0xd7
	markerEOI   = 0xd9
	markerSOS   = 0xda
	markerAPP1  = 0xe1
	markerAPP14 = 0xee
)

// A jpegHeader is a JPEG of which the header is being read.
type jpegHeader struct {
	*source
	info      Info
	transform int // of Adobe's marker; -1 without one
}

// probeJPEG reads the segments before the first scan up to the frame header,
// passing over those that do not matter.
func probeJPEG(s *source) (Info, error) {
	h := &jpegHeader{source: s, info: Info{Format: JPEG, Orientation: 1}, transform: -1}
	for off := int64(2); ; {
		marker, at, err := h.marker(off)
		if err != nil {
			return Info{}, err
		}
		if marker >= markerRST0 && marker <= markerRST7 || marker == 0x01 {
			off = at
			continue
		}
		if marker == markerSOS || marker == markerEOI {
			return Info{}, malformed(JPEG, "it has no frame header")
		}
		b, err := h.at(at, 2)
		if err != nil {
			return Info{}, err
		}
		length := int64(binary.BigEndian.Uint16(b))
		if length < 2 {
			return Info{}, malformed(JPEG, "a segment has the length %d", length)
		}
		done, err := h.segment(marker, at+2, int(length-2))
		if done || err != nil {
			return h.info, err
		}
		off = at + length
	}
}

// marker returns the marker at or after off, and the offset after it. Bytes
// that belong to no segment are passed over, as all decoders do.
func (h *jpegHeader) marker(off int64) (byte, int64, error) {
	last := byte(0)
	for ; ; off++ {
		b, err := h.at(off, 1)
		if err != nil {
			return 0, 0, err
		}
		if last == 0xff && b[0] != 0xff && b[0] != 0 {
			return b[0], off + 1, nil
		}
		last = b[0]
	}
}

// segment reads the segment of n bytes at off. It returns true after the frame
// header, which is all that was wanted.
func (h *jpegHeader) segment(marker byte, off int64, n int) (done bool, err error) {
	switch {
	case marker == markerAPP1 && n > 6 && h.info.Orientation == 1:
		b, err := h.at(off, n)
		if err == nil && string(b[:6]) == "Exif\x00\x00" {
			h.info.Orientation = orientation(b[6:])
		}
		return false, err
	case marker == markerAPP14 && n >= 12:
		b, err := h.at(off, 12)
		if err == nil && string(b[:5]) == "Adobe" {
			h.transform = int(b[11])
		}
		return false, err
	case marker >= markerSOF0 && marker <= markerSOF15 && marker != markerDHT && marker != markerJPG && marker != markerDAC:
		b, err := h.at(off, n)
		if err == nil {
			err = h.frame(marker, b)
		}
		return true, err
	}
	return false, nil
}

// jpegProcesses names the processes of JPEG that nobody decodes, by the low
// half of the marker of their frame.
var jpegProcesses = [16]string{3: "lossless", 5: "hierarchical", 6: "hierarchical", 7: "hierarchical lossless",
	9: "arithmetic-coded", 10: "arithmetic-coded", 11: "arithmetic-coded lossless",
	13: "arithmetic-coded hierarchical", 14: "arithmetic-coded hierarchical", 15: "arithmetic-coded hierarchical"}

// frame reads a frame header.
func (h *jpegHeader) frame(marker byte, b []byte) error {
	if name := jpegProcesses[marker&0xf]; name != "" {
		return errorf(Unsupported, "It is a JPEG of the %s kind, which hardly any program reads.", name)
	}
	if len(b) < 6 || len(b) < 6+3*int(b[5]) {
		return malformed(JPEG, "its frame header is too short")
	}
	i := &h.info
	i.Progressive = marker&0xf == 2
	i.Depth, i.Channels = int(b[0]), int(b[5])
	i.Height, i.Width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	switch {
	case i.Depth != 8:
		return errorf(Unsupported, "It is a JPEG with %d bits a sample instead of 8.", i.Depth)
	case i.Height == 0:
		return errorf(Unsupported, "It is a JPEG whose header does not tell its height.")
	case i.Width == 0:
		return malformed(JPEG, "its width is 0")
	}
	switch i.Channels {
	case 1:
		i.Model = Gray
	case 3:
		i.Model = YCbCr
		if h.transform == 0 || h.transform < 0 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B' {
			i.Model = RGB
		}
	case 4:
		i.Model = CMYK
		if h.transform == 2 {
			i.Model = YCCK
		}
	default:
		return errorf(Unsupported, "It is a JPEG with %d colour components.", i.Channels)
	}
	return nil
}
