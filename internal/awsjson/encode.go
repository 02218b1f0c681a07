package awsjson

import (
	"encoding/base64"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// append appends the JSON text of a value. A member without a value is left
// out (CL-1.7, LV-1.30) unless the description says that it is always there.
func (c *codec) append(b []byte, v reflect.Value) []byte {
	if c.pointer {
		v = v.Elem()
	}
	switch c.shape.Kind {
	case Structure:
		return c.appendStructure(b, v)
	case List:
		return c.appendList(b, v)
	case Map:
		return c.appendMap(b, v)
	case String:
		return appendString(b, v.String())
	case Integer, Long:
		return strconv.AppendInt(b, v.Int(), 10)
	case Float:
		return appendFloat(b, v.Float())
	case Boolean:
		return strconv.AppendBool(b, v.Bool())
	case Timestamp:
		return appendFloat(b, float64(v.Interface().(time.Time).UnixMilli())/1000)
	case Blob:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"')
	}
	panic("awsjson: a stream cannot be a part of JSON")
}

func (c *codec) appendStructure(b []byte, v reflect.Value) []byte {
	b = append(b, '{')
	first := true
	for _, f := range c.fields {
		value := v.Field(f.index)
		if f.absent(value) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, f.Name), ':')
		b = f.codec.append(b, value)
	}
	return append(b, '}')
}

// absent reports whether a member is left out.
func (f field) absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		return v.IsNil()
	case reflect.Slice, reflect.Map:
		return v.IsNil() && !f.Always
	}
	return v.IsZero() && !f.Always && !f.Required
}

func (c *codec) appendList(b []byte, v reflect.Value) []byte {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.elem.append(b, v.Index(i))
	}
	return append(b, ']')
}

// appendMap appends a map with its keys in order, so that equal answers are
// equal texts.
func (c *codec) appendMap(b []byte, v reflect.Value) []byte {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int {
		if x.String() < y.String() {
			return -1
		}
		return 1
	})
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, key.String()), ':')
		b = c.elem.append(b, v.MapIndex(key))
	}
	return append(b, '}')
}

// appendFloat appends a number in its shortest form and with a fraction, so
// that Python gets no int where AWS gave it a float (CL-1.8, CL-1.10, LV-1.27,
// LV-1.28). What is no number is a string, as AWS's protocols have it.
func appendFloat(b []byte, x float64) []byte {
	switch {
	case math.IsNaN(x):
		return append(b, `"NaN"`...)
	case math.IsInf(x, 0):
		return append(b, map[bool]string{true: `"Infinity"`, false: `"-Infinity"`}[x > 0]...)
	}
	format := byte('f')
	if size := math.Abs(x); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	start := len(b)
	b = strconv.AppendFloat(b, x, format, -1, 64)
	if !slices.Contains(b[start:], '.') && format == 'f' {
		b = append(b, ".0"...)
	}
	return b
}

// appendString appends a JSON string. Unlike encoding/json it leaves < > and &
// as they are, and it copies what needs no escape in one piece.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += n
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, `\n`...)
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			start = i + 1
		}
		i++
	}
	return append(append(b, s[start:]...), '"')
}
