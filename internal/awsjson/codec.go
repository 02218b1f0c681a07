package awsjson

import (
	"fmt"
	"io"
	"reflect"
	"time"
)

// A codec is a shape bound to the Go type that holds it.
type codec struct {
	shape   *Shape
	typ     reflect.Type
	pointer bool // the holder has a pointer to typ
	fields  []field
	key     *codec
	elem    *codec
}

// A field is a member of a structure bound to a field of a Go struct.
type field struct {
	*Member
	codec *codec
	index int
}

// goKinds says how values of the simple kinds are held.
var goKinds = map[Kind]reflect.Type{
	Integer:   reflect.TypeFor[int](),
	Long:      reflect.TypeFor[int64](),
	Float:     reflect.TypeFor[float32](),
	Boolean:   reflect.TypeFor[bool](),
	Timestamp: reflect.TypeFor[time.Time](),
	Blob:      reflect.TypeFor[[]byte](),
	Stream:    reflect.TypeFor[io.Reader](),
}

// bind returns the codec of a shape in a Go type. It panics if the type cannot
// hold the shape, which only a fault of internal/apigen can cause.
func bind(shape *Shape, typ reflect.Type) *codec {
	c := &codec{shape: shape, typ: typ}
	if typ.Kind() == reflect.Pointer {
		c.typ, c.pointer = typ.Elem(), true
	}
	fits := c.typ == goKinds[shape.Kind]
	switch shape.Kind {
	case String:
		fits = c.typ.Kind() == reflect.String
	case List:
		if fits = c.typ.Kind() == reflect.Slice; fits {
			c.elem = bind(shape.Elem, c.typ.Elem())
		}
	case Map:
		if fits = c.typ.Kind() == reflect.Map; fits {
			c.key, c.elem = bind(shape.Key, c.typ.Key()), bind(shape.Elem, c.typ.Elem())
		}
	case Structure:
		if fits = c.typ.Kind() == reflect.Struct; fits {
			c.bindFields()
		}
	}
	if !fits {
		panic(fmt.Sprintf("awsjson: %v cannot hold the shape %s", typ, shape.Name))
	}
	return c
}

func (c *codec) bindFields() {
	for i := range c.shape.Members {
		m := &c.shape.Members[i]
		f, ok := c.typ.FieldByName(m.Name)
		if !ok {
			panic(fmt.Sprintf("awsjson: %v has no field %s", c.typ, m.Name))
		}
		c.fields = append(c.fields, field{Member: m, codec: bind(m.Shape, f.Type), index: f.Index[0]})
	}
}

// settle returns the value to set for a holder, after allocating what a
// pointer points to.
func (c *codec) settle(holder reflect.Value) reflect.Value {
	if !c.pointer {
		return holder
	}
	holder.Set(reflect.New(c.typ))
	return holder.Elem()
}
