package exchange

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// The records at the end of a zip archive (APPNOTE 4.3.14 to 4.3.16).
const (
	endLen     = 22
	endSig     = "PK\x05\x06"
	locatorLen = 20
	locatorSig = "PK\x06\x07"
	end64Len   = 56
	end64Sig   = "PK\x06\x06"
	maxComment = 1<<16 - 1
)

// countEntries returns how many entries an archive says it has, before memory
// is set aside for them. It may say too few.
func countEntries(r io.ReaderAt, size int64) (uint64, error) {
	tail := make([]byte, min(size, endLen+maxComment))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	i := bytes.LastIndex(tail, []byte(endSig))
	if i < 0 || len(tail)-i < endLen {
		return 0, errors.New("it is no zip archive, or its end is missing")
	}
	n := uint64(binary.LittleEndian.Uint16(tail[i+10:]))
	return countEntries64(r, size-int64(len(tail)-i)-locatorLen, n)
}

// countEntries64 returns what the longer end of an archive says whose locator
// is at off, or n if there is none.
func countEntries64(r io.ReaderAt, off int64, n uint64) (uint64, error) {
	var locator [locatorLen]byte
	if off < 0 {
		return n, nil
	}
	if _, err := r.ReadAt(locator[:], off); err != nil {
		return 0, err
	}
	if string(locator[:4]) != locatorSig {
		return n, nil
	}
	var end [end64Len]byte
	at := binary.LittleEndian.Uint64(locator[8:])
	if at > uint64(off) {
		return 0, errors.New("its end is damaged")
	}
	if _, err := r.ReadAt(end[:], int64(at)); err != nil {
		return 0, err
	}
	if string(end[:4]) != end64Sig {
		return 0, errors.New("its end is damaged")
	}
	return binary.LittleEndian.Uint64(end[32:]), nil
}
