package awsjson

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The most violations that are told in words, and the most bytes of a value
// that are repeated in them.
const (
	maxViolations = 50
	maxShown      = 256
)

// A Violation is a constraint that a member of a request does not keep.
type Violation struct {
	Member  string // path of the member, such as "tags.1.member.key"
	Message string // in AWS's words
	Page    bool   // a page size is out of its range
}

// A place is where in a request a value is, as a list from the inside out, so
// that naming it costs nothing until there is something to say about it.
type place struct {
	in   *place
	name string
}

func (p *place) member(name string) *place {
	return &place{p, strings.ToLower(name[:1]) + name[1:]}
}

func (p *place) element(i int) *place { return &place{p, strconv.Itoa(i+1) + ".member"} }

func (p *place) entry(key string) *place { return &place{p, shorten(key) + ".member"} }

// String returns the path of the member as AWS writes it.
func (p *place) String() string {
	var names []string
	for ; p != nil; p = p.in {
		names = append(names, p.name)
	}
	slices.Reverse(names)
	return strings.Join(names, ".")
}

// violate notes a violation.
func (d *decoder) violate(at *place, value, format string, args ...any) {
	if d.count++; d.count > maxViolations {
		return
	}
	member := at.String()
	d.violations = append(d.violations, Violation{
		Member:  member,
		Message: fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: ", value, member) + fmt.Sprintf(format, args...),
	})
}

func (d *decoder) missing(at *place) { d.violate(at, "null", "Member must not be null") }

func (d *decoder) checkString(s *Shape, text string, at *place) {
	for _, c := range stringConstraints(s, text) {
		d.violate(at, quote(text), "%s", c)
	}
}

// key checks a key of a map, whose violations AWS reports at the map.
func (d *decoder) key(s *Shape, key string, at *place) {
	if broken := stringConstraints(s, key); broken != nil {
		d.violate(at, quote(key), "Map keys must satisfy constraint: [%s]", strings.Join(broken, ", "))
	}
}

// stringConstraints returns the constraints that a text violates. One that is
// too long is not matched, so the description bounds what a match costs.
func stringConstraints(s *Shape, text string) []string {
	n := utf8.RuneCountInString(text)
	broken := lengthConstraints(s, n)
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
		broken = append(broken, "Member must satisfy enum value set: ["+strings.Join(s.Enum, ", ")+"]")
	}
	tooLong := s.Max != nil && int64(n) > *s.Max
	if s.Pattern != nil && !tooLong && !s.Pattern.Match(text) {
		broken = append(broken, "Member must satisfy regular expression pattern: "+s.Pattern.Text)
	}
	return broken
}

// lengthConstraints returns the constraints that a length violates.
func lengthConstraints(s *Shape, n int) []string {
	switch {
	case s.Max != nil && int64(n) > *s.Max:
		return []string{"Member must have length less than or equal to " + strconv.FormatInt(*s.Max, 10)}
	case s.Min != nil && int64(n) < *s.Min:
		return []string{"Member must have length greater than or equal to " + strconv.FormatInt(*s.Min, 10)}
	}
	return nil
}

// size checks the number of elements of a list or map that text is, and
// reports whether it is right.
func (d *decoder) size(s *Shape, n int, text []byte, at *place) bool {
	broken := lengthConstraints(s, n)
	for _, c := range broken {
		d.violate(at, "'"+shorten(string(text[:min(len(text), 2*maxShown)]))+"'", "%s", c)
	}
	return broken == nil
}

func (d *decoder) checkRange(s *Shape, x float64, text string, at *place) {
	count := len(d.violations)
	switch {
	case s.Max != nil && x > float64(*s.Max):
		d.violate(at, quote(text), "Member must have value less than or equal to %d", *s.Max)
	case s.Min != nil && x < float64(*s.Min):
		d.violate(at, quote(text), "Member must have value greater than or equal to %d", *s.Min)
	}
	if len(d.violations) > count {
		d.violations[count].Page = d.violations[count].Member == "maxResults"
	}
}

// err returns the error that reports the violations, nil if there are none.
func (d *decoder) err(api *Description) *wireError {
	if d.count == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d validation error%s detected: ", d.count, map[bool]string{false: "s"}[d.count == 1])
	for i, v := range d.violations {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(v.Message)
	}
	return &wireError{name: api.violationName(d.violations), status: 400, message: b.String()}
}

// violationName returns the error name for violations: AWS documents one for a
// page size out of its range and another for the rest (CL-1.41, OQ-9). The
// two names are in the description, so this is the one place that decides.
func (d *Description) violationName(vs []Violation) string {
	for _, v := range vs {
		if !v.Page {
			return d.Invalid
		}
	}
	return d.InvalidPage
}

// quote returns a value as it is repeated in a message.
func quote(text string) string { return "'" + shorten(text) + "'" }

// shorten returns the beginning of a text that is too long to repeat.
func shorten(text string) string {
	if len(text) <= maxShown {
		return text
	}
	return strings.ToValidUTF8(text[:maxShown], "") + "..."
}
