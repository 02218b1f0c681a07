package exchange

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// newText returns a text as UTF-8 without a byte order mark: one in UTF-16 is
// translated if it begins with a mark, or as XML does.
func newText(r io.Reader) *bufio.Reader {
	b := bufio.NewReader(r)
	start, _ := b.Peek(4)
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		b.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("<\x00?\x00")):
		return bufio.NewReader(&utf16Reader{r: b, order: binary.LittleEndian})
	case bytes.HasPrefix(start, []byte("\xfe\xff")), bytes.HasPrefix(start, []byte("\x00<\x00?")):
		return bufio.NewReader(&utf16Reader{r: b, order: binary.BigEndian})
	}
	return b
}

// text returns a file as UTF-8, which it must be but for what newText
// translates.
func (t *tree) text(f *file, limit int64) (string, error) {
	raw, err := t.read(f, limit)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(newText(bytes.NewReader(raw)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", f.name, err)
	}
	if !utf8.Valid(text) {
		return "", fmt.Errorf("%s is not UTF-8: save it as that", f.name)
	}
	return string(text), nil
}

// A utf16Reader translates UTF-16 to UTF-8, without the byte order mark.
type utf16Reader struct {
	r     *bufio.Reader
	order binary.ByteOrder
	out   []byte // translated, not yet read
	high  rune   // first half of a pair that waits for the second
}

// Read implements io.Reader.
func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if err := u.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// next translates the next unit.
func (u *utf16Reader) next() error {
	var unit [2]byte
	if _, err := io.ReadFull(u.r, unit[:]); err != nil {
		if err == io.ErrUnexpectedEOF {
			return fmt.Errorf("the UTF-16 text ends in the middle of a character")
		}
		return err
	}
	c := rune(u.order.Uint16(unit[:]))
	switch {
	case u.high != 0:
		c, u.high = utf16.DecodeRune(u.high, c), 0
	case c == 0xfeff:
		return nil
	case c >= 0xd800 && c < 0xdc00:
		u.high = c
		return nil
	}
	u.out = utf8.AppendRune(u.out[:0], c)
	return nil
}

// latin1 translates ISO 8859-1, and the letters by which Windows-1252 differs
// from it, to UTF-8.
type latin1 struct {
	r *bufio.Reader
}

// windows1252 is what the bytes from 0x80 to 0x9f are in Windows-1252.
var windows1252 = []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")

// Read implements io.Reader. p must have room for a character.
func (l *latin1) Read(p []byte) (int, error) {
	n := 0
	for len(p)-n >= utf8.UTFMax {
		if n > 0 && l.r.Buffered() == 0 {
			break
		}
		b, err := l.r.ReadByte()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		c := rune(b)
		if b >= 0x80 && b < 0xa0 {
			c = windows1252[b-0x80]
		}
		n += utf8.EncodeRune(p[n:n+utf8.UTFMax], c)
	}
	return n, nil
}

// charset returns the text of an XML file that declares an encoding.
func charset(name string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "utf-16", "utf16", "utf-16le", "utf-16be": // newText has translated it
		return r, nil
	case "iso-8859-1", "latin1", "latin-1", "windows-1252", "cp1252", "us-ascii", "ascii":
		return &latin1{bufio.NewReader(r)}, nil
	}
	return nil, fmt.Errorf("it declares the encoding %.40q, which is not read: save it as UTF-8", name)
}
