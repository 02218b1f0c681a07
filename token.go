package fovea

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// TokenLife is how long a client token is remembered (LV-4.7).
const TokenLife = 8 * time.Hour

// A TokenKey is the scope in which a client token is unique (LV-4.8).
type TokenKey struct {
	Account   string
	Region    string
	Operation string // such as "lookout.CreateDataset"
	Value     string
}

// A Token is a client token with the outcome of the call that it came with.
type Token struct {
	Key    TokenKey
	Params string // digest of the call's other parameters (LV-4.13)
	Answer []byte // JSON of the operation's result
	Used   time.Time
}

type tokenKey struct{}

// WithToken returns a context that makes Once and Replay work for one call:
// its Key and Params are the call's.
func WithToken(ctx context.Context, t Token) context.Context {
	return context.WithValue(ctx, tokenKey{}, t)
}

// Once runs fn, which sets *out, and remembers *out under the context's client
// token in the same transaction. If the token is remembered already, it sets
// *out to the remembered answer and does not run fn. A token that came with
// other parameters is Invalid (LV-4.5, LV-14.1). Without a token it runs fn.
func Once[T any](ctx context.Context, tx Tx, now time.Time, out *T, fn func() error) error {
	t, ok := ctx.Value(tokenKey{}).(Token)
	if !ok {
		return fn()
	}
	if done, err := replay(tx, t, now, out); done || err != nil {
		return err
	}
	if err := fn(); err != nil {
		return err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("remember the answer to a client token: %w", err)
	}
	t.Answer, t.Used = answer, now
	return tx.PutToken(&t)
}

// Replay reports whether the context's client token is remembered, and then
// sets *out to its answer. It is for the part of an operation that comes
// before its transaction: a replay must not look at anything that may have
// changed since (LV-4.9).
func Replay[T any](ctx context.Context, s Store, now time.Time, out *T) (done bool, err error) {
	t, ok := ctx.Value(tokenKey{}).(Token)
	if !ok {
		return false, nil
	}
	err = s.View(ctx, func(tx Tx) error {
		done, err = replay(tx, t, now, out)
		return err
	})
	return done, err
}

func replay[T any](tx Tx, t Token, now time.Time, out *T) (bool, error) {
	old, err := tx.Token(t.Key)
	switch {
	case KindOf(err) == NotFound && err != nil:
		return false, nil
	case err != nil:
		return false, err
	case now.Sub(old.Used) >= TokenLife:
		return false, nil
	case old.Params != t.Params:
		return false, Errorf(Invalid, "The client token %s was used before with other parameters. "+
			"Repeat the call as it was, or use a new token.", t.Key.Value)
	}
	return true, json.Unmarshal(old.Answer, out)
}
