package conformance

import (
	"fmt"
	"iter"
	"strings"

	"fovea/internal/awsjson"
)

// A verdict says what must come of a value.
type verdict int

const (
	accepted     verdict = iota
	violates             // a constraint
	violatesPage         // the range of a page size, which has its own error in one API
	malformed            // the type: the request cannot be decoded
)

// A variant is a value of a shape with what must come of it. Values are those
// of encoding/json, but that a blob is a []byte.
type variant struct {
	member string // path below the shape, "" for the value itself
	name   string
	value  any
	want   verdict
}

// base returns a value of the shape that keeps its constraints.
func base(s *awsjson.Shape) any {
	switch s.Kind {
	case awsjson.Structure:
		object := make(map[string]any)
		for _, m := range s.Members {
			if m.Required {
				object[m.Name] = base(m.Shape)
			}
		}
		return object
	case awsjson.List:
		return repeat(s, max(1, low(s)))
	case awsjson.Map:
		return entries(s, max(1, low(s)))
	case awsjson.String:
		return text(s, max(1, low(s)))
	case awsjson.Integer, awsjson.Long, awsjson.Float:
		return max(1, low(s))
	case awsjson.Boolean:
		return true
	case awsjson.Timestamp:
		return "2020-06-23T01:02:03Z"
	}
	return []byte("blob")
}

// low returns the lower bound of a shape, 0 if it has none.
func low(s *awsjson.Shape) int {
	if s.Min == nil {
		return 0
	}
	return int(*s.Min)
}

// variants yields values of a shape. In text they are those that a path, query
// or header can carry.
func variants(s *awsjson.Shape, inText bool) iter.Seq[variant] {
	switch s.Kind {
	case awsjson.Structure:
		return structures(s, false)
	case awsjson.List:
		return lists(s, inText)
	case awsjson.Map:
		return maps(s)
	case awsjson.String:
		return strs(s, inText)
	case awsjson.Integer, awsjson.Long, awsjson.Float:
		return numbers(s, inText)
	case awsjson.Blob, awsjson.Stream:
		return blobs(s)
	case awsjson.Boolean:
		return each(variant{name: "true", value: true}, variant{name: "false", value: false},
			variant{name: "a word", value: "yes", want: malformed}, variant{name: "a number", value: 1, want: malformed})
	}
	return each(variant{name: "RFC 3339", value: "2020-06-23T01:02:03.456000Z"}, variant{name: "no zone", value: "2020-06-23T01:02:03"},
		variant{name: "seconds", value: "1592874123.456"}, variant{name: "a word", value: "tomorrow", want: malformed})
}

func each(vs ...variant) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		for _, v := range vs {
			if !yield(v) {
				return
			}
		}
	}
}

// structures yields values of a structure, one for each variant of each of its
// members beside those that are required.
func structures(s *awsjson.Shape, top bool) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if !yield(variant{name: "what is required", value: base(s)}) {
			return
		}
		if !top && !yield(variant{name: "an array", value: []any{}, want: malformed}) {
			return
		}
		for _, m := range s.Members {
			if !absences(s, m, yield) {
				return
			}
			for v := range variants(m.Shape, m.In != awsjson.InBody) {
				v.value = with(s, m.Name, v.value)
				v.member = join(lower(m.Name), v.member)
				if m.Name == "MaxResults" && v.want == violates {
					v.want = violatesPage
				}
				if !yield(v) {
					return
				}
			}
		}
	}
}

// absences yields structures without a member.
func absences(s *awsjson.Shape, m awsjson.Member, yield func(variant) bool) bool {
	want := accepted
	if m.Required {
		want = violates
	}
	without := base(s).(map[string]any)
	delete(without, m.Name)
	ok := yield(variant{lower(m.Name), "absent", without, want})
	if m.In != awsjson.InBody {
		return ok
	}
	misspelt := base(s).(map[string]any)
	delete(misspelt, m.Name)
	misspelt[lower(m.Name)] = 5
	return ok && yield(variant{lower(m.Name), "null", with(s, m.Name, nil), want}) &&
		yield(variant{lower(m.Name), "in another case", misspelt, want})
}

// with returns a value of a structure with one member set.
func with(s *awsjson.Shape, member string, value any) map[string]any {
	object := base(s).(map[string]any)
	object[member] = value
	return object
}

func lists(s *awsjson.Shape, inText bool) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if !inText && !yield(variant{name: "an object", value: map[string]any{}, want: malformed}) {
			return
		}
		for v := range sizes(s, "elements", func(n int) any { return repeat(s, n) }) {
			if list := v.value.([]any); !(inText && len(list) == 0) && !yield(v) {
				return
			}
		}
		for v := range variants(s.Elem, inText) {
			list := repeat(s, max(1, low(s)))
			list[0] = v.value
			v.value, v.member = list, join("1.member", v.member)
			if !yield(v) {
				return
			}
		}
	}
}

func maps(s *awsjson.Shape) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if !yield(variant{name: "an array", value: []any{}, want: malformed}) {
			return
		}
		for v := range sizes(s, "entries", func(n int) any { return entries(s, n) }) {
			if !yield(v) {
				return
			}
		}
		for v := range strs(s.Key, false) {
			if key, ok := v.value.(string); ok && v.want != malformed {
				v.name = "key: " + v.name
				v.value = map[string]any{key: base(s.Elem)}
				if !yield(v) {
					return
				}
			}
		}
		for v := range variants(s.Elem, false) {
			v.value, v.member = map[string]any{"k": v.value}, join("k.member", v.member)
			if !yield(v) {
				return
			}
		}
	}
}

func strs(s *awsjson.Shape, inText bool) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		if !inText && !yield(variant{name: "a number", value: 5, want: malformed}) {
			return
		}
		if len(s.Enum) > 0 {
			enums(s)(yield)
			return
		}
		for v := range sizes(s, "characters", func(n int) any { return text(s, n) }) {
			if !yield(v) {
				return
			}
		}
		if s.Pattern == nil {
			return
		}
		if bad, ok := mismatch(s); ok && !yield(variant{name: "no match of the pattern", value: bad, want: violates}) {
			return
		}
		if p := s.Pattern.NotPrefix; p != "" {
			yield(variant{name: "begins with " + p, value: p + "x", want: violates})
		}
	}
}

func enums(s *awsjson.Shape) iter.Seq[variant] {
	other := variant{name: "another case", value: strings.ToLower(s.Enum[0]), want: violates}
	if other.value == s.Enum[0] {
		other.value = strings.ToUpper(s.Enum[0])
	}
	if s.Fold {
		other.want = accepted
	}
	vs := []variant{other, {name: "no value of it", value: "no value of it", want: violates}}
	for _, value := range s.Enum {
		vs = append(vs, variant{name: "the value " + value, value: value})
	}
	return each(vs...)
}

func numbers(s *awsjson.Shape, inText bool) iter.Seq[variant] {
	vs := []variant{{name: "a word", value: "many", want: malformed}}
	if s.Kind != awsjson.Float {
		vs = append(vs, variant{name: "a fraction", value: 1.5, want: malformed}, variant{name: "too large", value: 1e30, want: malformed})
	}
	if !inText {
		vs = append(vs, variant{name: "a text", value: "1", want: malformed})
	}
	if s.Min != nil {
		vs = append(vs, variant{name: "the least", value: *s.Min}, variant{name: "below the least", value: *s.Min - 1, want: violates})
	}
	if s.Max != nil {
		vs = append(vs, variant{name: "the most", value: *s.Max}, variant{name: "above the most", value: *s.Max + 1, want: violates})
	}
	return each(vs...)
}

func blobs(s *awsjson.Shape) iter.Seq[variant] {
	if s.Kind == awsjson.Stream {
		return each(variant{name: "bytes", value: []byte("image")}, variant{name: "no bytes", value: []byte{}, want: violates})
	}
	return func(yield func(variant) bool) {
		for v := range sizes(s, "bytes", func(n int) any { return make([]byte, n) }) {
			if !yield(v) {
				return
			}
		}
		_ = yield(variant{name: "a number", value: 5, want: malformed}) &&
			yield(variant{name: "no base64", value: "a*b=", want: malformed}) &&
			yield(variant{name: "base64 without padding", value: "YQ", want: malformed})
	}
}

// sizes yields values just inside and just outside the bounds of a length.
func sizes(s *awsjson.Shape, unit string, value func(n int) any) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		try := func(n int) bool {
			v := variant{name: fmt.Sprintf("%d %s", n, unit), value: value(n)}
			if n < low(s) || s.Max != nil && n > int(*s.Max) {
				v.want = violates
			}
			if t, ok := v.value.(string); ok && s.Pattern != nil && !s.Pattern.Match(t) {
				v.want = violates
			}
			return yield(v)
		}
		ns := []int{low(s)}
		if low(s) > 0 {
			ns = []int{low(s) - 1, low(s)}
		}
		if s.Max != nil {
			ns = append(ns, int(*s.Max), int(*s.Max)+1)
		}
		for _, n := range ns {
			if !try(n) {
				return
			}
		}
	}
}

// repeat returns a list of n elements.
func repeat(s *awsjson.Shape, n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = base(s.Elem)
	}
	return list
}

// entries returns a map of n entries.
func entries(s *awsjson.Shape, n int) map[string]any {
	m := make(map[string]any)
	for i := range n {
		m[fmt.Sprintf("k%d", i)] = base(s.Elem)
	}
	return m
}

func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }

func join(path, rest string) string {
	if rest == "" {
		return path
	}
	return path + "." + rest
}
