package exchange

import "fmt"

// maxProblems is how many problems of one kind of reading are kept until they
// are told. The others are counted.
const maxProblems = 10_000

// problems are errors that concern single files or annotations.
type problems struct {
	errs []error
	more int
}

// add keeps an error, which may be nil.
func (p *problems) add(err error) {
	switch {
	case err == nil:
	case len(p.errs) == maxProblems:
		p.more++
	default:
		p.errs = append(p.errs, err)
	}
}

// addf keeps an error.
func (p *problems) addf(format string, args ...any) { p.add(fmt.Errorf(format, args...)) }

// all returns the errors, the last of which says how many are not among them.
func (p *problems) all() []error {
	if p.more == 0 {
		return p.errs
	}
	return append(p.errs[:len(p.errs):len(p.errs)], fmt.Errorf("%d more problems of this kind", p.more))
}
