package exchange

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// A yamlMap holds the members of a YAML file, by key, as far as files that
// describe a data set need YAML: scalars, and lists and maps of scalars, in
// both of their notations. What is nested deeper is kept as text.
type yamlMap map[string]*yamlValue

// A yamlValue is a scalar, or a list (whose keys are "") or map of scalars.
type yamlValue struct {
	scalar string
	items  []yamlItem
}

// A yamlItem is an element of a list or map.
type yamlItem struct{ key, value string }

// all returns the scalar, or the elements of a list.
func (v *yamlValue) all() (values []string) {
	if v == nil {
		return nil
	}
	if v.scalar != "" {
		return []string{v.scalar}
	}
	for _, item := range v.items {
		values = append(values, item.value)
	}
	return values
}

// parseYAML reads the members at the top of a YAML file.
func parseYAML(text string) (yamlMap, error) {
	p := yamlParser{m: yamlMap{}}
	for line := range strings.Lines(text) {
		if err := p.line(strings.TrimRight(uncomment(line), " \t\r\n")); err != nil {
			return nil, err
		}
	}
	if p.depth > 0 {
		return nil, errors.New("a bracket is not closed")
	}
	return p.m, nil
}

// A yamlParser reads a YAML file line by line.
type yamlParser struct {
	m     yamlMap
	last  *yamlValue      // whose elements may follow
	flow  strings.Builder // a list or map in brackets that is not complete
	depth int             // of its brackets
}

// line reads a line without its comment.
func (p *yamlParser) line(line string) error {
	bare := strings.TrimLeft(line, " \t")
	switch {
	case p.depth > 0:
		return p.brackets(bare)
	case bare == "" || line == "---" || line == "..." || line[0] == '%':
		return nil
	case len(bare) == len(line) && bare != "-" && !strings.HasPrefix(bare, "- "):
		return p.member(bare)
	case p.last == nil:
		return errors.New("it is no map")
	}
	p.last.items = append(p.last.items, item(bare))
	return nil
}

// member reads a member of the map at the top.
func (p *yamlParser) member(text string) error {
	key, value, ok := cutKey(text)
	if !ok {
		return fmt.Errorf("%.100q is no member of a map", text)
	}
	p.last = &yamlValue{}
	p.m[key] = p.last
	if strings.HasPrefix(value, "[") || strings.HasPrefix(value, "{") {
		return p.brackets(value)
	}
	p.last.scalar = scalar(value)
	return nil
}

// brackets reads a line of a list or map in brackets.
func (p *yamlParser) brackets(text string) error {
	p.flow.WriteString(text + " ")
	if p.depth += opened(text); p.depth > 0 {
		return nil
	}
	p.depth = 0
	err := p.last.flow(strings.TrimSpace(p.flow.String()))
	p.flow.Reset()
	return err
}

// item reads an element of a list or map that has a line of its own.
func item(text string) yamlItem {
	if text == "-" {
		return yamlItem{}
	}
	if v, ok := strings.CutPrefix(text, "- "); ok {
		return yamlItem{value: scalar(strings.TrimSpace(v))}
	}
	key, value, ok := cutKey(text)
	if !ok {
		return yamlItem{value: scalar(text)}
	}
	return yamlItem{key, scalar(value)}
}

// flow adds the elements of a list or map in brackets.
func (v *yamlValue) flow(text string) error {
	inner := text[1:]
	end := map[byte]string{'[': "]", '{': "}"}[text[0]]
	inner, ok := strings.CutSuffix(inner, end)
	if !ok {
		return fmt.Errorf("%.40q… does not end with %q", text, end)
	}
	for _, part := range cutFlow(inner) {
		if text[0] == '[' {
			v.items = append(v.items, yamlItem{value: scalar(part)})
			continue
		}
		key, value, ok := cutKey(part)
		if !ok {
			return fmt.Errorf("%.100q is no member of a map", part)
		}
		v.items = append(v.items, yamlItem{key, scalar(value)})
	}
	return nil
}

// cutFlow cuts a list at its commas. A last one ends nothing.
func cutFlow(text string) (parts []string) {
	start := 0
	for i := range unquoted(text) {
		if text[i] == ',' {
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
	}
	if rest := strings.TrimSpace(text[start:]); rest != "" {
		parts = append(parts, rest)
	}
	return parts
}

// cutKey cuts a member at its colon.
func cutKey(text string) (key, value string, ok bool) {
	for i := range unquoted(text) {
		if text[i] == ':' && (i+1 == len(text) || strings.ContainsRune(" \t", rune(text[i+1]))) {
			return scalar(strings.TrimSpace(text[:i])), strings.TrimSpace(text[i+1:]), true
		}
	}
	return "", "", false
}

// uncomment returns a line without its comment.
func uncomment(line string) string {
	for i := range unquoted(line) {
		if line[i] == '#' && (i == 0 || strings.ContainsRune(" \t", rune(line[i-1]))) {
			return line[:i]
		}
	}
	return line
}

// opened returns how many more brackets a text opens than it closes.
func opened(text string) (n int) {
	for i := range unquoted(text) {
		switch text[i] {
		case '[', '{':
			n++
		case ']', '}':
			n--
		}
	}
	return n
}

// unquoted yields the places of a text that are not within quotes. A quote
// opens a quoted scalar only where a scalar begins: at the start, or after a
// mark of YAML.
func unquoted(text string) iter.Seq[int] {
	return func(yield func(int) bool) {
		var quote byte
		begin := true
		for i := 0; i < len(text); i++ {
			c := text[i]
			switch {
			case quote == '"' && c == '\\':
				i++
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case begin && (c == '"' || c == '\''):
				quote, begin = c, false
			default:
				if !yield(i) {
					return
				}
				if c != ' ' && c != '\t' {
					begin = strings.IndexByte(",[{:-", c) >= 0
				}
			}
		}
	}
}

// scalar returns the value of a scalar, quoted or not.
func scalar(text string) string {
	n := len(text)
	switch {
	case n >= 2 && text[0] == '\'' && text[n-1] == '\'':
		return strings.ReplaceAll(text[1:n-1], "''", "'")
	case n >= 2 && text[0] == '"' && text[n-1] == '"':
		if s, err := strconv.Unquote(text); err == nil {
			return s
		}
		return text[1 : n-1]
	}
	return text
}
