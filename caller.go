package fovea

import "context"

// A Caller is who signed a request, and where what they create belongs.
type Caller struct {
	Account   string // 12 digits
	Region    string // such as us-east-1
	KeyID     string // the access key that signed
	RequestID string
}

type callerKey struct{}

// WithCaller returns a context that carries c.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller that ctx carries, the zero Caller if none.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
