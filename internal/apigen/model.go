package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
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
	APIVersion          string   `json:"apiVersion"`
	Auth                []string `json:"auth"`
	EndpointPrefix      string   `json:"endpointPrefix"`
	JSONVersion         string   `json:"jsonVersion"`
	Protocol            string   `json:"protocol"`
	Protocols           []string `json:"protocols"`
	ServiceFullName     string   `json:"serviceFullName"`
	ServiceAbbreviation string   `json:"serviceAbbreviation"`
	ServiceID           string   `json:"serviceId"`
	SignatureVersion    string   `json:"signatureVersion"`
	SigningName         string   `json:"signingName"`
	TargetPrefix        string   `json:"targetPrefix"`
	UID                 string   `json:"uid"`
}

type operation struct {
	Name string `json:"name"`
	HTTP struct {
		Method       string `json:"method"`
		RequestURI   string `json:"requestUri"`
		ResponseCode int    `json:"responseCode"`
	} `json:"http"`
	Input      ref   `json:"input"`
	Output     ref   `json:"output"`
	Errors     []ref `json:"errors"`
	Idempotent bool  `json:"idempotent"`
}

// A ref names a shape and says where a member of it travels.
type ref struct {
	Shape            string `json:"shape"`
	Location         string `json:"location"`
	LocationName     string `json:"locationName"`
	IdempotencyToken bool   `json:"idempotencyToken"`
	JSONValue        bool   `json:"jsonvalue"`
}

type shape struct {
	Name      string         `json:"-"`
	Type      string         `json:"type"`
	Members   ordered[ref]   `json:"members"`
	Member    *ref           `json:"member"`
	Key       *ref           `json:"key"`
	Value     *ref           `json:"value"`
	Required  []string       `json:"required"`
	Enum      []string       `json:"enum"`
	Min       *int64         `json:"min"`
	Max       *int64         `json:"max"`
	Pattern   string         `json:"pattern"`
	Payload   string         `json:"payload"`
	Streaming bool           `json:"streaming"`
	Length    bool           `json:"requiresLength"`
	Sensitive bool           `json:"sensitive"`
	Exception bool           `json:"exception"`
	Fault     bool           `json:"fault"`
	Error     *errorResponse `json:"error"`
}

type errorResponse struct {
	HTTPStatusCode int `json:"httpStatusCode"`
}

// Ordered is a JSON object in the order in which it is written.
type ordered[T any] []struct {
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
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var value T
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		*o = append(*o, struct {
			Name  string
			Value T
		}{name.(string), value})
	}
	return nil
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
