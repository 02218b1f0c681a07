package awsjson

import (
	"reflect"
	"regexp"
	"sync"
)

// A Description is what one API says of itself: the facts that internal/apigen
// takes from its published model. A description with a Target speaks AWS JSON
// 1.1, one without speaks REST-JSON 1.
type Description struct {
	Service     string // such as "Rekognition"
	Version     string // such as "2016-06-27"
	SigningName string // such as "rekognition"
	Target      string // prefix of X-Amz-Target; "" for REST-JSON
	TokenScope  string // what client tokens are remembered under, such as "lookout"

	Invalid       string // error name of a violated constraint
	InvalidPage   string // and of a MaxResults out of its range (CL-1.41)
	Malformed     string // and of a request that cannot be decoded
	UnknownStatus int    // HTTP status of an UnknownOperationException

	Operations []*Operation // in order of name
	Errors     []*ErrorShape
}

// Operation returns the operation of that name, nil if there is none.
func (d *Description) Operation(name string) *Operation {
	for _, op := range d.Operations {
		if op.Name == name {
			return op
		}
	}
	return nil
}

// An Operation describes one operation.
type Operation struct {
	Name   string
	Method string // HTTP method
	Path   string // escaped, with labels as {name}; {name+} takes the rest of the path
	Status int    // HTTP status of success
	Input  *Shape
	Output *Shape
	In     reflect.Type // the struct that holds Input
	Out    reflect.Type // and the one that holds Output
	Errors []string     // names of the errors that the operation lists
}

// An ErrorShape describes one error.
type ErrorShape struct {
	Name    string
	Status  int
	Members []string // besides the message, in the body or the header
}

// A Kind is the type of a shape.
type Kind int

// The kinds of shape. A Stream is a blob that is the whole body.
const (
	Structure Kind = iota
	List
	Map
	String
	Integer
	Long
	Float
	Boolean
	Timestamp
	Blob
	Stream
)

// A Shape describes a type and its constraints. Min and Max bound the length
// of a string in characters, of a blob in bytes, of a list or map in elements,
// and the value of a number.
type Shape struct {
	Name    string
	Kind    Kind
	Min     *int64
	Max     *int64
	Enum    []string
	Fold    bool // the enumeration is accepted in any letter case (CL-2.51)
	Pattern *Pattern
	Key     *Shape   // of a map
	Elem    *Shape   // of a list or map
	Members []Member // of a structure, in the order of the model
}

// A Location says where in a request a member travels.
type Location int

// The locations.
const (
	InBody Location = iota
	InPath
	InQuery
	InHeader
	InPayload // the member is the whole body
)

// A Member describes a member of a structure.
type Member struct {
	Name     string
	Shape    *Shape
	In       Location
	Wire     string // name in the path, query or header
	Required bool
	Always   bool // sent even when it is empty
	Token    bool // a client token
}

// A Pattern is a regular expression that a whole text must match.
type Pattern struct {
	Text      string // as the API publishes it
	Expr      string // as Go takes it
	NotPrefix string // what the text must not begin with; "" for none

	once sync.Once
	expr *regexp.Regexp
}

// Match reports whether all of text matches. It compiles the expression when
// it is first needed; internal/apigen has seen that it compiles.
func (p *Pattern) Match(text string) bool {
	p.once.Do(func() { p.expr = regexp.MustCompile(`\A(?:` + p.Expr + `)\z`) })
	if n := len(p.NotPrefix); n > 0 && len(text) >= n && text[:n] == p.NotPrefix {
		return false
	}
	return p.expr.MatchString(text)
}
