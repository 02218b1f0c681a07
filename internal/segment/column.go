package segment

import (
	"encoding/binary"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/format"
)

// A levels collects the repetition and definition levels of a list, or the
// definition levels of an optional column, both at most 1.
type levels struct {
	repetitions []byte // one for each value or empty list
	definitions []byte
	nulls       int
}

// row adds a row that has n elements.
func (l *levels) row(n int) {
	if n == 0 {
		l.repetitions = append(l.repetitions, 0)
		l.definitions = append(l.definitions, 0)
		l.nulls++
		return
	}
	for i := range n {
		l.repetitions = append(l.repetitions, byte(min(i, 1)))
		l.definitions = append(l.definitions, 1)
	}
}

// optional adds a row of an optional column.
func (l *levels) optional(present bool) {
	if present {
		l.definitions = append(l.definitions, 1)
		return
	}
	l.definitions = append(l.definitions, 0)
	l.nulls++
}

func (l *levels) reset() {
	l.repetitions, l.definitions, l.nulls = l.repetitions[:0], l.definitions[:0], 0
}

// encode returns the page of a column with these levels, but for its values.
func (l *levels) encode(rows int) (p page, err error) {
	oneBit := rle.Encoding{BitWidth: 1}
	p = page{rows: rows, values: len(l.definitions), nulls: l.nulls}
	if len(l.repetitions) > 0 {
		if p.repetitions, err = oneBit.EncodeLevels(nil, l.repetitions); err != nil {
			return page{}, err
		}
	}
	p.definitions, err = oneBit.EncodeLevels(nil, l.definitions)
	return p, err
}

// A dictionary collects a column of strings few of which differ.
type dictionary struct {
	ids     map[string]int32
	recent  [16]recent // of ids, to be found without hashing
	strings []byte     // each with its length before it
	values  []int32    // the ids of the values
}

// A recent is a string and its id.
type recent struct {
	s  string
	id int32
}

// add adds a value.
func (d *dictionary) add(s string) {
	var r *recent
	if len(s) > 0 {
		if r = &d.recent[(len(s)+int(s[0]))%len(d.recent)]; r.s == s {
			d.values = append(d.values, r.id)
			return
		}
	}
	id, ok := d.ids[s]
	if !ok {
		if d.ids == nil {
			d.ids = map[string]int32{}
		}
		id = int32(len(d.ids))
		d.ids[s] = id
		d.strings = appendPlain(d.strings, s)
	}
	d.values = append(d.values, id)
	if r != nil {
		*r = recent{s, id}
	}
}

func (d *dictionary) reset() {
	clear(d.ids)
	clear(d.recent[:])
	d.strings, d.values = d.strings[:0], d.values[:0]
}

// write appends the column to the file: the dictionary and one page, whose
// levels p has.
func (d *dictionary) write(f *file, col int, p page) error {
	p.encoding = format.Plain
	if len(d.values) > 0 {
		if err := f.addDictionary(col, len(d.ids), d.strings); err != nil {
			return err
		}
		width := max(bits.Len(uint(len(d.ids)-1)), 1)
		encoded, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, d.values)
		if err != nil {
			return err
		}
		p.encoding, p.data = format.RLEDictionary, append([]byte{byte(width)}, encoded...)
	}
	return f.add(col, p)
}

// A flags collects booleans, eight a byte, the first in the lowest bit.
type flags struct {
	bits []byte
	n    int
}

func (b *flags) add(v bool) {
	if b.n%8 == 0 {
		b.bits = append(b.bits, 0)
	}
	if v {
		b.bits[b.n/8] |= 1 << (b.n % 8)
	}
	b.n++
}

func (b *flags) reset() { b.bits, b.n = b.bits[:0], 0 }

// appendPlain appends a string and its length before it, as the plain encoding
// has them.
func appendPlain[S string | []byte](dst []byte, s S) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(s))), s...)
}
