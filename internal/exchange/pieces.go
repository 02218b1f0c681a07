package exchange

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// pieces is a JSON decoder that reads maxPiece bytes at most for one value.
type pieces struct {
	*json.Decoder
	rationed *rationed
}

// newPieces returns a decoder of a stream.
func newPieces(r io.Reader) *pieces {
	ration := &rationed{r: r, left: maxPiece}
	return &pieces{json.NewDecoder(ration), ration}
}

// A rationed reader gives out a number of bytes.
type rationed struct {
	r    io.Reader
	left int
}

// Read implements io.Reader.
func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("a piece of it is longer than %d bytes", maxPiece)
	}
	n, err := r.r.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

// token returns the next token.
func (p *pieces) token() (json.Token, error) {
	p.rationed.left = maxPiece
	t, err := p.Token()
	return t, complete(err)
}

// expect reads a token that must be that one.
func (p *pieces) expect(want json.Token) error {
	t, err := p.token()
	if err == nil && t != want {
		err = fmt.Errorf("found %v where %v should be, at byte %d", t, want, p.InputOffset())
	}
	return err
}

// skip reads a value for nothing.
func (p *pieces) skip() error {
	for depth := 0; ; {
		t, err := p.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > jsonDepth {
				return fmt.Errorf("it is nested deeper than %d", jsonDepth)
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// each reads an array and calls fn with its elements. One in which something
// has the wrong type is passed to bad instead.
func each[T any](p *pieces, bad func(error), fn func(*T) error) error {
	if err := p.expect(json.Delim('[')); err != nil {
		return err
	}
	for n := 1; p.More(); n++ {
		p.rationed.left = maxPiece
		v := new(T)
		err := p.Decode(v)
		if wrong := new(json.UnmarshalTypeError); errors.As(err, &wrong) {
			bad(fmt.Errorf("element %d of the list: found %s in place of %s at %s", n, wrong.Value, wrong.Type, wrong.Field))
			continue
		}
		if err == nil {
			err = fn(v)
		}
		if err != nil {
			return complete(err)
		}
	}
	return p.expect(json.Delim(']'))
}

// complete names the end of a file that comes too early.
func complete(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it is cut off")
	}
	return err
}
