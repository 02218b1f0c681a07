package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// match compares what came with a pattern, which is a JSON value, and returns
// the first difference, "" if there is none.
//
// An object in the pattern matches one that has at least its members; "!"
// matches an absent member and "?" any present one. An array matches one of
// equal length, or, if it begins with "...", one that has its elements in this
// order among others. "~RE" matches a string that the whole regular expression
// matches. An object or array also matches a string that is the JSON of a
// match: the entries of datasets are such strings.
func match(want, got any) string { return matchAt("", want, got) }

func matchAt(at string, want, got any) string {
	if text, ok := got.(string); ok {
		switch want.(type) {
		case map[string]any, []any:
			var parsed any
			if err := json.Unmarshal([]byte(text), &parsed); err != nil {
				return fmt.Sprintf("%s is %q, which is not JSON", at, text)
			}
			got = parsed
		}
	}
	switch want := want.(type) {
	case map[string]any:
		return matchObject(at, want, got)
	case []any:
		return matchArray(at, want, got)
	case string:
		if want == "?" {
			return ""
		}
		if re, ok := strings.CutPrefix(want, "~"); ok {
			if text, isText := got.(string); isText && regexp.MustCompile("^(?:"+re+")$").MatchString(text) {
				return ""
			}
			return fmt.Sprintf("%s = %v, which %s does not match", at, show(got), re)
		}
	case float64:
		if n, ok := got.(float64); ok && math.Abs(n-want) < 1e-9*max(1, math.Abs(want)) {
			return ""
		}
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("%s = %s, want %s", at, show(got), show(want))
	}
	return ""
}

func matchObject(at string, want map[string]any, got any) string {
	members, ok := got.(map[string]any)
	if !ok {
		return fmt.Sprintf("%s = %s, want an object", at, show(got))
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		member, there := members[name]
		path := at + "." + name
		switch {
		case want[name] == "!" && there:
			return fmt.Sprintf("%s = %s, want it absent", path, show(member))
		case want[name] == "!":
		case !there:
			return fmt.Sprintf("%s is absent, want %s", path, show(want[name]))
		default:
			if diff := matchAt(path, want[name], member); diff != "" {
				return diff
			}
		}
	}
	return ""
}

func matchArray(at string, want []any, got any) string {
	items, ok := got.([]any)
	if !ok {
		return fmt.Sprintf("%s = %s, want an array", at, show(got))
	}
	if len(want) > 0 && want[0] == "..." {
		next := 1
		for _, item := range items {
			if next < len(want) && matchAt("", want[next], item) == "" {
				next++
			}
		}
		if next < len(want) {
			return fmt.Sprintf("%s = %s, which lacks %s", at, show(got), show(want[next]))
		}
		return ""
	}
	if len(items) != len(want) {
		return fmt.Sprintf("%s has %d elements, want %d: %s", at, len(items), len(want), show(got))
	}
	for i := range want {
		if diff := matchAt(fmt.Sprintf("%s[%d]", at, i), want[i], items[i]); diff != "" {
			return diff
		}
	}
	return ""
}

// encode returns v as JSON, with the keys of maps sorted.
func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// show returns the beginning of v as JSON, for messages.
func show(v any) string {
	text := encode(v)
	if len(text) > 600 {
		text = text[:600] + "…"
	}
	return text
}

// lookup returns the value at a path such as "Projects.0.Arn".
func lookup(v any, path string) (any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			member, ok := in[name]
			if !ok {
				return nil, false
			}
			v = member
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		want, got string
		ok        bool
	}{
		{`{"a":1}`, `{"a":1,"b":2}`, true},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":"!"}`, `{"b":2}`, true},
		{`{"a":"!"}`, `{"a":null}`, false},
		{`{"a":"?"}`, `{"a":0}`, true},
		{`{"a":"?"}`, `{}`, false},
		{`["~a+"]`, `["aaa"]`, true},
		{`["~a+"]`, `["aab"]`, false},
		{`[1]`, `[1,2]`, false},
		{`["...",1,3]`, `[0,1,2,3]`, true},
		{`["...",3,1]`, `[0,1,2,3]`, false},
		{`[{"x":1}]`, `["{\"x\":1}"]`, true},
		{`[{"x":1}]`, `["{\"x\":2}"]`, false},
	} {
		var want, got any
		for text, v := range map[string]*any{tt.want: &want, tt.got: &got} {
			if err := json.Unmarshal([]byte(text), v); err != nil {
				t.Fatal(err)
			}
		}
		if diff := match(want, got); (diff == "") != tt.ok {
			t.Errorf("match(%s, %s) = %q", tt.want, tt.got, diff)
		}
	}
}
