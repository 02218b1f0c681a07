package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"fovea/internal/awsjson"
)

// render returns the request that carries a value of an operation's input, or
// false if HTTP cannot carry it.
func render(d *awsjson.Description, op *awsjson.Operation, v variant) (Case, bool) {
	c := Case{
		Operation: op.Name, Member: v.member, Name: v.name,
		Method: op.Method, Target: op.Path, Header: make(http.Header),
		Accepted: v.want == accepted, Status: http.StatusBadRequest,
		spoken: v.want == violates || v.want == violatesPage,
	}
	c.Code = map[verdict]string{violates: d.Invalid, violatesPage: d.InvalidPage, malformed: d.Malformed}[v.want]
	if d.Target != "" {
		c.Header.Set("Content-Type", "application/x-amz-json-1.1")
		c.Header.Set("X-Amz-Target", d.Target+"."+op.Name)
	}
	input := v.value.(map[string]any)
	body, query := make(map[string]any), make(url.Values)
	for name, value := range input {
		if m := member(op.Input, name); m == nil || m.In == awsjson.InBody {
			body[name] = value
		} else if !c.place(m, value, query) {
			return Case{}, false
		}
	}
	if strings.Contains(c.Target, "{") {
		return Case{}, false // a path without one of its labels is another path
	}
	if len(query) > 0 {
		c.Target += "?" + query.Encode()
	}
	if len(body) > 0 || d.Target != "" {
		c.Body, _ = json.Marshal(body) // a tree of plain values
	}
	return c, true
}

// place puts a member where it travels outside of the JSON body.
func (c *Case) place(m *awsjson.Member, value any, query url.Values) bool {
	switch m.In {
	case awsjson.InPayload:
		c.Body = value.([]byte)
	case awsjson.InPath:
		text := fmt.Sprint(value)
		c.Target = strings.NewReplacer("{"+m.Wire+"}", url.PathEscape(text), "{"+m.Wire+"+}", url.PathEscape(text)).Replace(c.Target)
		return text != ""
	case awsjson.InHeader:
		text := fmt.Sprint(value)
		c.Header[http.CanonicalHeaderKey(m.Wire)] = []string{text}
		return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) && strings.TrimSpace(text) == text
	case awsjson.InQuery:
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, element := range list {
			query.Add(m.Wire, fmt.Sprint(element))
		}
	}
	return true
}

func member(s *awsjson.Shape, name string) *awsjson.Member {
	for i := range s.Members {
		if s.Members[i].Name == name {
			return &s.Members[i]
		}
	}
	return nil
}
