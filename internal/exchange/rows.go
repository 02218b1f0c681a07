package exchange

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxRow     = 1 << 20 // bytes of a line of CSV
	maxColumns = 10_000
)

// rows reads CSV row by row: one in a line, its cells separated by commas,
// semicolons or tabs, whichever the first line has most of.
type rows struct {
	r     *bufio.Reader
	line  int // number of the last row, from 1
	comma byte
}

// A badRow is an error that concerns one row.
type badRow struct{ text string }

// Error returns what is wrong.
func (e *badRow) Error() string { return e.text }

func newRows(r io.Reader) *rows { return &rows{r: newText(r)} }

// next returns the cells of the next row that is not empty.
func (r *rows) next() ([]string, error) {
	for {
		text, err := r.read()
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if !utf8.ValidString(text) {
			return nil, &badRow{"it is not UTF-8: save the file as that"}
		}
		if r.comma == 0 {
			r.comma = commaOf(text)
		}
		return cut(text, r.comma)
	}
}

// read returns the next line without its end.
func (r *rows) read() (string, error) {
	r.line++
	var text []byte
	for {
		part, err := r.r.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxRow:
			return "", fmt.Errorf("the line is longer than %d bytes", maxRow)
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(text) > 0, err == nil:
			return strings.TrimRight(string(text), "\r\n"), nil
		}
		return "", err
	}
}

// commaOf returns what separates the cells of a line.
func commaOf(line string) byte {
	best, most := byte(','), 0
	for _, comma := range []byte(",;\t") {
		if cells, err := cut(line, comma); err == nil && len(cells)-1 > most {
			best, most = comma, len(cells)-1
		}
	}
	return best
}

// cut returns the cells of a line. A cell that begins with a quote ends with
// one, and has two for each that it holds.
func cut(line string, comma byte) (cells []string, err error) {
	for {
		var cell string
		if strings.HasPrefix(line, `"`) {
			cell, line, err = cutQuoted(line)
		} else if i := strings.IndexByte(line, comma); i >= 0 {
			cell, line = line[:i], line[i:]
		} else {
			cell, line = line, ""
		}
		if err != nil {
			return nil, err
		}
		if cells = append(cells, cell); len(cells) > maxColumns {
			return nil, &badRow{fmt.Sprintf("it has more than %d cells", maxColumns)}
		}
		if line == "" {
			return cells, nil
		}
		if line[0] != comma {
			return nil, &badRow{fmt.Sprintf("%.20q follows a quoted cell", line)}
		}
		line = line[1:]
	}
}

// cutQuoted returns the cell in quotes that a line begins with, and the rest
// of the line.
func cutQuoted(line string) (cell, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			b.WriteByte(line[i])
			continue
		}
		if i+1 == len(line) || line[i+1] != '"' {
			return b.String(), line[i+1:], nil
		}
		b.WriteByte('"')
		i++
	}
	return "", "", &badRow{"a quote is not closed in its line"}
}
