package awsjson

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A decoder sets the members of one request and collects the constraints that
// they violate, all of them, because AWS reports them at once.
type decoder struct {
	violations []Violation
	count      int // of violations, also of those that are not kept
}

// value sets a holder to what a JSON value says. The error is of a value of
// the wrong type.
func (d *decoder) value(c *codec, text []byte, holder reflect.Value, at *place) *wireError {
	v := c.settle(holder)
	switch c.shape.Kind {
	case Structure:
		if text[0] != '{' {
			return mismatch(at, "an object", text)
		}
		return d.structure(c, text, v, at)
	case List:
		if text[0] != '[' {
			return mismatch(at, "an array", text)
		}
		return d.list(c, text, v, at)
	case Map:
		if text[0] != '{' {
			return mismatch(at, "an object", text)
		}
		return d.mapping(c, text, v, at)
	case String:
		if text[0] != '"' {
			return mismatch(at, "a string", text)
		}
		return d.text(c, unquote(text), v, at)
	case Blob:
		if text[0] != '"' {
			return mismatch(at, "a string", text)
		}
		return d.blob(c, text, v, at)
	case Boolean:
		if text[0] != 't' && text[0] != 'f' {
			return mismatch(at, "true or false", text)
		}
	case Integer, Long, Float:
		if text[0] != '-' && (text[0] < '0' || text[0] > '9') {
			return mismatch(at, "a number", text)
		}
	}
	return d.text(c, string(text), v, at)
}

// structure sets the members of a structure in the order of the description,
// so that violations are reported in the same order whatever the request's is.
// Of members of one name the last counts; unknown ones are passed over and a
// null is absent (CL-1.6, LV-1.22).
func (d *decoder) structure(c *codec, object []byte, v reflect.Value, at *place) *wireError {
	found := c.collect(object)
	for i, f := range c.fields {
		if err := d.member(f, found[i], v.Field(f.index), at.member(f.Name)); err != nil {
			return err
		}
	}
	return nil
}

// collect returns the values of the members in the order of the fields, nil
// for one that is absent.
func (c *codec) collect(object []byte) [][]byte {
	found := make([][]byte, len(c.fields))
	for name, value := range members(object) {
		for i, f := range c.fields {
			if f.In == InBody && isName(name, f.Name) {
				found[i] = value
			}
		}
	}
	return found
}

// isName reports whether a quoted name is that one, in exact case.
func isName(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return unquote(quoted) == name
	}
	return string(quoted[1:len(quoted)-1]) == name
}

// member sets one member of a structure; text is nil if it is absent.
func (d *decoder) member(f field, text []byte, holder reflect.Value, at *place) *wireError {
	if text == nil || text[0] == 'n' {
		if f.Required {
			d.missing(at)
		}
		return nil
	}
	return d.value(f.codec, text, holder, at)
}

func (d *decoder) list(c *codec, array []byte, v reflect.Value, at *place) *wireError {
	n := 0
	for range elements(array) {
		n++
	}
	v.Set(reflect.MakeSlice(c.typ, 0, 0))
	if !d.size(c.shape, n, array, at) {
		return nil // and a list that is too long costs nothing
	}
	v.Set(reflect.MakeSlice(c.typ, n, n))
	i := 0
	for text := range elements(array) {
		if err := d.value(c.elem, text, v.Index(i), at.element(i)); err != nil {
			return err
		}
		i++
	}
	return nil
}

func (d *decoder) mapping(c *codec, object []byte, v reflect.Value, at *place) *wireError {
	last := make(map[string][]byte)
	var names []string
	for name, text := range members(object) {
		key := unquote(name)
		if _, ok := last[key]; !ok {
			names = append(names, key)
		}
		last[key] = text
	}
	v.Set(reflect.MakeMap(c.typ))
	if !d.size(c.shape, len(names), object, at) {
		return nil
	}
	for _, name := range names {
		key, elem := reflect.New(c.key.typ).Elem(), reflect.New(c.elem.typ).Elem()
		key.SetString(name)
		d.key(c.key.shape, name, at)
		if err := d.value(c.elem, last[name], elem, at.entry(name)); err != nil {
			return err
		}
		v.SetMapIndex(key, elem)
	}
	return nil
}

// text sets a simple value to what its text says: the JSON text of a number or
// a boolean, what a JSON string contains, or a parameter of a path, query or
// header.
func (d *decoder) text(c *codec, text string, v reflect.Value, at *place) *wireError {
	switch c.shape.Kind {
	case String:
		if c.shape.Fold {
			text = strings.ToUpper(text)
		}
		v.SetString(text)
		d.checkString(c.shape, text, at)
	case Integer, Long:
		n, ok := parseInt(text, c.shape.Kind)
		if !ok {
			return malformed("'%s' must be a whole number that fits its type, and is %s.", at, shorten(text))
		}
		v.SetInt(n)
		d.checkRange(c.shape, float64(n), text, at)
	case Float:
		x, err := strconv.ParseFloat(text, 32)
		if err != nil {
			return malformed("'%s' must be a number that fits 32 bits, and is %s.", at, shorten(text))
		}
		v.SetFloat(x)
		d.checkRange(c.shape, x, text, at)
	case Boolean:
		if text != "true" && text != "false" {
			return malformed("'%s' must be true or false, and is '%s'.", at, shorten(text))
		}
		v.SetBool(text == "true")
	case Timestamp:
		t, ok := parseTime(text)
		if !ok {
			return malformed("'%s' must be a time such as 2020-06-23T01:02:03Z, and is '%s'.", at, shorten(text))
		}
		v.Set(reflect.ValueOf(t))
	}
	return nil
}

// blob sets a blob to what a quoted base64 text says (CL-1.9, LV-1.18). It
// decodes the body where it lies, unless some client has escaped a character.
func (d *decoder) blob(c *codec, quoted []byte, v reflect.Value, at *place) *wireError {
	text := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		text = []byte(unquote(quoted))
	}
	blob := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(blob, text)
	if err != nil {
		return malformed("'%s' must be base64 with padding: %v.", at, err)
	}
	v.SetBytes(blob[:n])
	for _, broken := range lengthConstraints(c.shape, n) {
		d.violate(at, fmt.Sprintf("'%d bytes'", n), "%s", broken)
	}
	return nil
}

// parseInt returns a whole number of 32 bits (Integer) or 64 (Long). It takes
// the forms that some languages give whole numbers, such as 1.0 and 1e2.
func parseInt(text string, kind Kind) (int64, bool) {
	bits := 64
	if kind == Integer {
		bits = 32
	}
	if n, err := strconv.ParseInt(text, 10, bits); err == nil {
		return n, true
	}
	x, ok := parseDecimal(text)
	if !ok || x != math.Trunc(x) || math.Abs(x) > math.MaxInt32 {
		return 0, false
	}
	return int64(x), true
}

// parseDecimal returns a number in decimal digits. strconv knows more forms,
// such as 0x1p-2 and Inf, which a query could bring.
func parseDecimal(text string) (float64, bool) {
	x, err := strconv.ParseFloat(text, 64)
	return x, err == nil && strings.Trim(text, "0123456789+-.eE") == ""
}

// timeForms are the forms of a time in a query (LV-1.17). A fraction of the
// seconds is accepted where a form has none.
var timeForms = []string{time.RFC3339, "2006-01-02T15:04:05"}

// parseTime returns the time that an ISO 8601 text or a number of seconds
// since the epoch says, in UTC.
func parseTime(text string) (time.Time, bool) {
	for _, form := range timeForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), true
		}
	}
	const last = 253402300799 // the end of the year 9999
	seconds, ok := parseDecimal(text)
	if !ok || math.Abs(seconds) > last {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(math.Round(seconds * 1000))).UTC(), true
}
