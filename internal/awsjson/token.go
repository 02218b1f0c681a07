package awsjson

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"reflect"

	"fovea"
)

// withToken returns a context that carries the client token of a request, if
// it has one, with a digest of what else the request says (LV-4.8, LV-4.13).
func (a *API) withToken(ctx context.Context, op *operation, in reflect.Value) context.Context {
	for _, f := range op.in.fields {
		if f.Token && in.Field(f.index).String() != "" {
			caller := fovea.CallerOf(ctx)
			return fovea.WithToken(ctx, fovea.Token{
				Key: fovea.TokenKey{
					Account:   caller.Account,
					Region:    caller.Region,
					Operation: a.Description.TokenScope + "." + op.Name,
					Value:     in.Field(f.index).String(),
				},
				Params: op.digest(in),
			})
		}
	}
	return ctx
}

// digest returns the SHA-256, in hexadecimal, of the operation and the members
// of its input but for the client token. It is taken from the decoded request,
// so that the order of keys, white space and the way a text is escaped do not
// count. A blob stands for itself with its hash.
func (op *operation) digest(in reflect.Value) string {
	text := appendString(nil, op.Name)
	for _, f := range op.in.fields {
		v := in.Field(f.index)
		if f.Token || f.absent(v) {
			continue
		}
		text = append(appendString(append(text, ','), f.Name), ':')
		if f.Shape.Kind == Blob {
			sum := sha256.Sum256(v.Bytes())
			text = hex.AppendEncode(text, sum[:])
			continue
		}
		text = f.codec.append(text, v)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
