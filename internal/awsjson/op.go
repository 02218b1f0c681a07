package awsjson

import (
	"context"
	"reflect"

	"fovea"
)

// An Op is the code of one operation: a handler, and how it differs from the
// API's other operations in the names of its errors.
type Op struct {
	in, out reflect.Type
	call    func(ctx context.Context, in reflect.Value) (reflect.Value, error)
	names   map[fovea.Kind]string
}

// Call returns an operation that fn handles. In and Out are the generated
// types of the operation. What fn gets keeps all constraints of the
// description; the context carries the caller and, where the request has one,
// the client token (fovea.Once).
func Call[In, Out any](fn func(context.Context, *In) (*Out, error)) Op {
	return Op{
		in:  reflect.TypeFor[In](),
		out: reflect.TypeFor[Out](),
		call: func(ctx context.Context, in reflect.Value) (reflect.Value, error) {
			out, err := fn(ctx, in.Interface().(*In))
			return reflect.ValueOf(out), err
		},
	}
}

// Naming returns the operation with another name for errors of that kind.
func (o Op) Naming(kind fovea.Kind, name string) Op {
	names := map[fovea.Kind]string{kind: name}
	for k, n := range o.names {
		if k != kind {
			names[k] = n
		}
	}
	o.names = names
	return o
}

// unbuilt returns the operation that stands for one that fovea does not have.
func unbuilt(d *Operation) Op {
	return Op{
		in:  d.In,
		out: d.Out,
		call: func(context.Context, reflect.Value) (reflect.Value, error) {
			return reflect.Value{}, fovea.Errorf(fovea.Unsupported,
				"fovea does not have the operation %s yet. docs/operations.md says which operations it has.", d.Name)
		},
	}
}
