package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// A model is one API description, restricted to some operations and to the
// shapes that they reach.
type model struct {
	Metadata   metadata
	Operations []operation // in order of name
	Shapes     []*shape    // in order of name
	overlay    overlay
}

// Metadata identifies the API.
type metadata struct {
	APIVersion          string   `json:"apiVersion,omitzero"`
	Auth                []string `json:"auth,omitzero"`
	EndpointPrefix      string   `json:"endpointPrefix,omitzero"`
	JSONVersion         string   `json:"jsonVersion,omitzero"`
	Protocol            string   `json:"protocol,omitzero"`
	Protocols           []string `json:"protocols,omitzero"`
	ServiceFullName     string   `json:"serviceFullName,omitzero"`
	ServiceAbbreviation string   `json:"serviceAbbreviation,omitzero"`
	ServiceID           string   `json:"serviceId,omitzero"`
	SignatureVersion    string   `json:"signatureVersion,omitzero"`
	SigningName         string   `json:"signingName,omitzero"`
	TargetPrefix        string   `json:"targetPrefix,omitzero"`
	UID                 string   `json:"uid,omitzero"`
}

type operation struct {
	Name string `json:"name,omitzero"`
	HTTP struct {
		Method       string `json:"method,omitzero"`
		RequestURI   string `json:"requestUri,omitzero"`
		ResponseCode int    `json:"responseCode,omitzero"`
	} `json:"http,omitzero"`
	Input      ref   `json:"input,omitzero"`
	Output     ref   `json:"output,omitzero"`
	Errors     []ref `json:"errors,omitzero"`
	Idempotent bool  `json:"idempotent,omitzero"`
}

// A ref names a shape and says where a member of it travels.
type ref struct {
	Shape            string `json:"shape,omitzero"`
	Location         string `json:"location,omitzero"`
	LocationName     string `json:"locationName,omitzero"`
	IdempotencyToken bool   `json:"idempotencyToken,omitzero"`
	JSONValue        bool   `json:"jsonvalue,omitzero"`
}

type shape struct {
	Name      string         `json:"-"`
	Type      string         `json:"type,omitzero"`
	Members   ordered[ref]   `json:"members,omitzero"`
	Member    *ref           `json:"member,omitzero"`
	Key       *ref           `json:"key,omitzero"`
	Value     *ref           `json:"value,omitzero"`
	Required  []string       `json:"required,omitzero"`
	Enum      []string       `json:"enum,omitzero"`
	Min       *int64         `json:"min,omitzero"`
	Max       *int64         `json:"max,omitzero"`
	Pattern   string         `json:"pattern,omitzero"`
	Payload   string         `json:"payload,omitzero"`
	Streaming bool           `json:"streaming,omitzero"`
	Length    bool           `json:"requiresLength,omitzero"`
	Sensitive bool           `json:"sensitive,omitzero"`
	Exception bool           `json:"exception,omitzero"`
	Fault     bool           `json:"fault,omitzero"`
	Error     *errorResponse `json:"error,omitzero"`
}

type errorResponse struct {
	HTTPStatusCode int `json:"httpStatusCode,omitzero"`
}

// Ordered is a JSON object in the order in which it is written.
type ordered[T any] []named[T]

type named[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if _, err := dec.Token(); err != nil {
		return err
	}
	*o = ordered[T]{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value T
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		*o = append(*o, named[T]{name.(string), value})
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (o ordered[T]) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		value, err := json.Marshal(m.Value)
		if err != nil {
			return nil, err
		}
		b = append(strconv.AppendQuote(b, m.Name), ':')
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

// readModel reads an API description. Names restricts it to those operations;
// none means all.
func readModel(file string, names []string) (*model, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var raw struct {
		Metadata   metadata
		Operations ordered[json.RawMessage]
		Shapes     map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	m := &model{Metadata: raw.Metadata}
	for _, o := range raw.Operations {
		if names != nil && !slices.Contains(names, o.Name) {
			continue
		}
		var op operation
		if err := strict(o.Value, &op); err != nil {
			return nil, fmt.Errorf("operation %s: %w", o.Name, err)
		}
		m.Operations = append(m.Operations, op)
	}
	if names != nil && len(m.Operations) != len(names) {
		return nil, fmt.Errorf("%d of %d operations found", len(m.Operations), len(names))
	}
	if err := m.reach(raw.Shapes); err != nil {
		return nil, err
	}
	slices.SortFunc(m.Operations, func(a, b operation) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	slices.SortFunc(m.Shapes, func(a, b *shape) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return m, nil
}

// reach adds the shapes that the operations reach.
func (m *model) reach(raw map[string]json.RawMessage) error {
	var walk func(refs ...ref) error
	walk = func(refs ...ref) error {
		for _, r := range refs {
			if m.find(r.Shape) != nil {
				continue
			}
			s := &shape{Name: r.Shape}
			if err := strict(raw[r.Shape], s); err != nil {
				return fmt.Errorf("shape %s: %w", r.Shape, err)
			}
			m.Shapes = append(m.Shapes, s)
			for _, member := range s.Members {
				if err := walk(member.Value); err != nil {
					return err
				}
			}
			for _, r := range []*ref{s.Member, s.Key, s.Value} {
				if r != nil {
					if err := walk(*r); err != nil {
						return err
					}
				}
			}
		}
		return nil
	}
	for _, o := range m.Operations {
		if err := walk(append([]ref{o.Input, o.Output}, o.Errors...)...); err != nil {
			return err
		}
	}
	return nil
}

// find returns the shape of that name, nil if the model has none.
func (m *model) find(name string) *shape {
	for _, s := range m.Shapes {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// strict decodes text and fails at a member that it does not know, which may
// be a constraint.
func strict(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}
