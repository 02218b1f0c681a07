package conformance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"fovea/internal/awsjson"
)

// A Case is a request and what must come of it.
type Case struct {
	Operation string
	Member    string // path of the member it is about, as in AWS's messages
	Name      string // what is special about the member, such as "256 characters"

	Method string
	Target string // escaped path and query
	Header http.Header
	Body   []byte

	Accepted bool   // the checks of the description let it through
	Code     string // else the error that is answered
	Status   int    // and its HTTP status
	spoken   bool   // the error's message names the member
}

// Cases yields the cases of the operations of that name, of all operations if
// none is named. Requests are made one by one, because some have megabytes.
func Cases(d *awsjson.Description, operations ...string) iter.Seq[Case] {
	return func(yield func(Case) bool) {
		if len(operations) == 0 {
			for _, op := range d.Operations {
				operations = append(operations, op.Name)
			}
		}
		for _, name := range operations {
			op := d.Operation(name)
			for v := range structures(op.Input, true) {
				c, ok := render(d, op, v)
				if ok && !yield(c) {
					return
				}
			}
		}
	}
}

// String names the case for people.
func (c Case) String() string {
	return fmt.Sprintf("%s/%s/%s", c.Operation, cmp.Or(c.Member, "request"), c.Name)
}

// Request returns the request to a server at base, such as
// "http://127.0.0.1:7373". It is not signed.
func (c Case) Request(base string) (*http.Request, error) {
	r, err := http.NewRequest(c.Method, base+c.Target, bytes.NewReader(c.Body))
	if err != nil {
		return nil, err
	}
	r.Header = c.Header.Clone()
	return r, nil
}

// Check reports an answer that is not the one that the case wants.
func (c Case) Check(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	code, status := response.Header.Get("X-Amzn-Errortype"), response.StatusCode
	var answer struct{ Message string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer is no JSON object: %s", body)
	}
	complaint := strings.Contains(answer.Message, "validation error")
	switch {
	case c.Accepted && (complaint || code == "SerializationException" || status >= 500 && status != http.StatusNotImplemented):
		return fmt.Errorf("want it accepted, got %d %s: %s", status, code, answer.Message)
	case !c.Accepted && (code != c.Code || status != c.Status):
		return fmt.Errorf("want %d %s, got %d %s: %s", c.Status, c.Code, status, code, answer.Message)
	case !c.Accepted && c.spoken && !strings.Contains(answer.Message, " at '"+c.Member+"'"):
		return fmt.Errorf("the message does not name %s: %s", c.Member, answer.Message)
	}
	return nil
}
