package manifest

import (
	"bytes"
	"fmt"
	"io"
)

const (
	// maxRead is the most that Lines reads at once.
	maxRead = 16 << 20

	// tailRead is how far Lines reads beyond its range at once, to the end of
	// the last line.
	tailRead = 64 << 10
)

// bom is the byte order mark in UTF-8.
var bom = []byte("\xef\xbb\xbf")

// A Line is one line of a file.
type Line struct {
	Text   []byte     // without its LF or CR LF; nil if Bad. Valid until the next call of Next
	Offset int64      // of its first byte in the file
	Number int64      // from 1, of the lines of the range
	Size   int64      // of the text in bytes
	Bad    *LineError // TooLong: the line has more bytes than are kept
}

// Lines reads the lines that begin in a range of bytes of a file. A line ends
// with LF, and a CR before it belongs to the end (CL-5.7); the last line of
// the file may lack its end, and a final LF starts no other line (CL-5.6).
// Blank lines are lines. A byte order mark at the start of the file is skipped.
//
// If ranges share out the bytes of a file, they share out its lines, wherever
// the cuts are.
type Lines struct {
	src      io.ReaderAt
	size     int64 // of the file
	start    int64 // of the range; -1 once its first line is found
	end      int64 // of the range
	maxBytes int

	buf    []byte // text lies in it
	text   []byte // read, but not returned
	at     int64  // offset of text in the file
	number int64  // of the last line returned
	err    error
}

// NewLines returns the lines of a file of size bytes that begin in
// [start,end). A line of more than maxBytes is reported, but its text is not
// kept: whatever the lines are, the memory used is about the size of the range
// or 16 MiB, whichever is less, and twice maxBytes at most.
//
// The range, and 64 KiB beyond it for the end of the last line, are read with
// one call if they fit. Whoever calls binds src to a context.
func NewLines(src io.ReaderAt, size, start, end int64, maxBytes int) *Lines {
	l := &Lines{maxBytes: maxBytes}
	l.Reset(src, size, start, end)
	return l
}

// Reset makes l read another range, perhaps of another file, into the memory
// it has.
func (l *Lines) Reset(src io.ReaderAt, size, start, end int64) {
	*l = Lines{
		src: src, size: size, start: max(start, 0), end: min(end, size), maxBytes: l.maxBytes,
		buf: l.buf, text: l.buf[:0],
		at: max(start-1, 0), // whether a line begins at start is told by the byte before it
	}
}

// Err returns the error that ended the lines, nil at the end of the range.
func (l *Lines) Err() error { return l.err }

// Count returns the number of lines that Next has returned, blank and bad ones
// included.
func (l *Lines) Count() int64 { return l.number }

// Next returns the next line, and false after the last one or on an error,
// which Err tells.
func (l *Lines) Next() (Line, bool) {
	if l.start >= 0 && !l.begin() {
		return Line{}, false
	}
	if l.at >= l.end || l.err != nil {
		return Line{}, false
	}
	for searched := 0; ; {
		if i := bytes.IndexByte(l.text[searched:], '\n'); i >= 0 {
			return l.take(searched+i, 1), true
		}
		searched = len(l.text)
		if searched > l.maxBytes+len("\r") {
			return l.skip()
		}
		if !l.more(tailRead) {
			if l.err != nil {
				return Line{}, false
			}
			return l.take(searched, 0), true
		}
	}
}

// begin finds the first line that begins in the range, or returns false if
// there is none.
func (l *Lines) begin() bool {
	start := l.start
	l.start = -1
	if start == 0 {
		return l.skipBOM()
	}
	for l.at < l.end-1 {
		if !l.more(tailRead) {
			return false
		}
		if i := bytes.IndexByte(l.text, '\n'); i >= 0 {
			l.drop(i + 1)
			return l.at < l.end
		}
		l.drop(len(l.text))
	}
	l.at = l.end
	return false
}

// skipBOM skips a byte order mark at the start of the file, unless there is
// nothing after it, which makes a file without lines.
func (l *Lines) skipBOM() bool {
	if l.end <= 0 || !l.more(tailRead) {
		return false
	}
	if bytes.HasPrefix(l.text, bom) {
		l.drop(len(bom))
		if l.at == l.size {
			l.end = 0
			return false
		}
		l.end = max(l.end, l.at+1) // the line begins where the mark does
	}
	return true
}

// take returns the first n bytes of the text as a line that is followed by an
// end of so many bytes.
func (l *Lines) take(n, end int) Line {
	line := Line{Text: l.text[:n:n], Offset: l.at, Number: l.number + 1}
	if end > 0 && n > 0 && line.Text[n-1] == '\r' {
		line.Text = line.Text[:n-1]
	}
	line.Size = int64(len(line.Text))
	if len(line.Text) > l.maxBytes {
		line.Bad = l.overlong(line.Size, countChars(line.Text))
		line.Text = nil
	}
	l.drop(n + end)
	l.number++
	return line
}

// skip reads on to the end of a line that is too long, and keeps nothing.
func (l *Lines) skip() (Line, bool) {
	line := Line{Offset: l.at, Number: l.number + 1}
	var chars int64
	var last byte
	for {
		n, end := bytes.IndexByte(l.text, '\n'), 1
		if n < 0 {
			n, end = len(l.text), 0
		}
		line.Size += int64(n)
		chars += countChars(l.text[:n])
		if n > 0 {
			last = l.text[n-1]
		}
		l.drop(n + end)
		if end > 0 && last == '\r' {
			line.Size, chars = line.Size-1, chars-1
		}
		if end > 0 || !l.more(cap(l.buf)) {
			break
		}
	}
	if l.err != nil {
		return Line{}, false
	}
	line.Bad = l.overlong(line.Size, chars)
	l.number++
	return line, true
}

// overlong returns the error for a line of more than maxBytes.
func (l *Lines) overlong(size, chars int64) *LineError {
	return &LineError{
		Reason: TooLong,
		Offset: l.maxBytes,
		Found:  fmt.Sprintf("a line of %d bytes", size),
		Want:   fmt.Sprintf("at most %d bytes", l.maxBytes),
		Chars:  chars,
	}
}

// countChars returns the number of characters of a UTF-8 text: of the bytes
// that do not continue one.
func countChars(b []byte) (n int64) {
	for _, c := range b {
		if c&0xc0 != 0x80 {
			n++
		}
	}
	return n
}

// drop forgets the first n bytes of the text.
func (l *Lines) drop(n int) {
	l.text = l.text[n:]
	l.at += int64(n)
}

// more reads on after the text, to the end of the range and a little beyond if
// that is not far, else step bytes. It returns false at the end of the file or
// on an error.
func (l *Lines) more(step int) bool {
	from := l.at + int64(len(l.text))
	if from >= l.size || l.err != nil {
		return false
	}
	want := int64(step)
	if from < l.end {
		want = min(l.end+tailRead-from, maxRead)
	}
	kept := len(l.text)
	if room := cap(l.buf) - kept; kept > 0 && room >= tailRead {
		want = min(want, int64(room))
	}
	n := int(min(want, l.size-from))
	l.makeRoom(n)
	read, err := l.src.ReadAt(l.buf[kept:kept+n], from)
	if read < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		l.err = fmt.Errorf("read %d bytes at %d of %d: %w", n, from, l.size, err)
		return false
	}
	l.text = l.buf[:kept+n]
	return true
}

// makeRoom moves the text to the start of the buffer and has room for n bytes
// after it.
func (l *Lines) makeRoom(n int) {
	if need := len(l.text) + n; need > cap(l.buf) {
		grown := make([]byte, need+max(tailRead, len(l.text)))
		copy(grown, l.text)
		l.buf = grown
	} else {
		l.buf = l.buf[:cap(l.buf)]
		copy(l.buf, l.text)
	}
}
