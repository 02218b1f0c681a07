// Package lint is what the checkers of both services share: collecting the
// problems of a line, taking a source-ref apart, and guessing what people who
// wrote something wrong meant.
//
// It knows no rule of either service. Nothing in it costs more than a few
// comparisons as long as a line is right; what is wrong may take its time,
// within bounds, because it is told to a person.
package lint
