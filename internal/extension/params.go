package extension

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"fovea"
)

// params are the parameters of a request. Getters note the first that is wrong;
// done reports it, or one that nobody asked for.
type params struct {
	values url.Values
	known  map[string]bool
	err    error
}

func newParams(r *http.Request) *params {
	return &params{values: r.URL.Query(), known: map[string]bool{}}
}

func (p *params) text(name string) string {
	p.known[name] = true
	return p.values.Get(name)
}

func (p *params) list(name string) []string {
	p.known[name] = true
	return p.values[name]
}

// parse returns a number that is not negative.
func (p *params) parse(name, text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		p.fail("The %s %q is not a number from 0.", name, text)
	}
	return n
}

func (p *params) number(name string, otherwise int64) int64 {
	if text := p.text(name); text != "" {
		return p.parse(name, text)
	}
	return otherwise
}

// boolean returns nil where the parameter is not given.
func (p *params) boolean(name string) *bool {
	text := p.text(name)
	if text == "" {
		return nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		p.fail("The %s %q is not true or false.", name, text)
	}
	return &b
}

// millis returns a time in milliseconds since the Unix epoch, 0 where it is not
// given.
func (p *params) millis(name string) int64 {
	text := p.text(name)
	if text == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p.fail("The %s %q is not a time such as 2024-05-01T12:00:00Z.", name, text)
	}
	return t.UnixMilli()
}

func (p *params) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fovea.Errorf(fovea.Invalid, format, args...)
	}
}

func (p *params) done() error {
	for name := range p.values {
		if !p.known[name] {
			p.fail("The call has no parameter %q.", name)
		}
	}
	return p.err
}
