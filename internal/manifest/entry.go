package manifest

// An Entry is one line of a manifest and what its checker found in it. Its
// byte slices point into the line, or into memory of the checker that the next
// Check reuses.
type Entry struct {
	Line   []byte // the text as it came, without its line end
	Offset int64  // of the line's first byte in the file
	Number int64  // of the line, from 1; relative to the first line that was read

	// What follows is set by Checker.Check, which overwrites all of it.

	SourceRef []byte    // value of source-ref, JSON escapes decoded; nil if the line is dropped for its want
	Bucket    []byte    // the part of SourceRef that names the bucket
	Labeled   bool      // CL-6.63, LV-2.33
	Class     Class     // Lookout only
	Date      int64     // creation-date, milliseconds since the Unix epoch; 0 if absent or unparsable
	Labels    []Label   // each name once
	Problems  []Problem // in order of their place in the line
	Dropped   bool      // the line does not enter the dataset; a Problem says why
}

// Reset empties the entry for the next line, keeping its memory.
func (e *Entry) Reset() {
	*e = Entry{Labels: e.Labels[:0], Problems: e.Problems[:0]}
}

// A Class is what Lookout for Vision knows of an image.
type Class uint8

// The classes. An image of NoClass is unlabelled.
const (
	NoClass Class = iota
	Normal
	Anomaly
)

// String returns "", "normal" or "anomaly".
func (c Class) String() string { return [...]string{"", "normal", "anomaly"}[c] }

// A Label is a label of an entry.
type Label struct {
	Name  string // interned by the checker
	Used  bool   // false: only declared in a class map, by no annotation (OQ-25)
	Boxed bool   // on at least one box
}

// A Severity says what a problem does to its line.
type Severity uint8

// The severities.
const (
	Warning Severity = iota // worth knowing; changes nothing
	Error                   // stored with the entry and listed with it (CL-6.3)
	Fatal                   // the line is dropped (CL-6.2), or fails the import (LV-5.89)
)

// String returns the severity in lower case.
func (s Severity) String() string { return [...]string{"warning", "error", "fatal"}[s] }

// A Problem is something wrong with a line.
type Problem struct {
	Severity Severity
	Code     string // such as ERROR_BOUNDING_BOX_TOO_SMALL
	Message  string // as AWS words it, where it does

	// At is the JSON pointer (RFC 6901) of the object that carries the
	// error list in a listed entry (CL-6.61): "" for the line.
	At string

	Pointer  string // JSON pointer of the value at fault, or of where a missing one belongs
	Offset   int    // of the value at fault in the line, in bytes; that of its parent for a missing one
	Found    string // what is there, shortened
	Expected string // what should be
	Mend     string // what to do about it, as an imperative sentence
}

// A LineError says why a line cannot be read at all. It is passed to the
// checker, which has the service's word for it.
type LineError struct {
	Reason LineReason
	Offset int    // in the line, in bytes, of what is wrong
	Found  string // what is there, shortened and printable
	Want   string // what was expected, such as "':' after an object key"
	Chars  int64  // length of the line in characters, for TooLong
}

// A LineReason is the way in which a line is unreadable.
type LineReason uint8

// The reasons.
const (
	Syntax    LineReason = iota // not JSON (RFC 8259)
	NotObject                   // JSON, but not an object
	NotUTF8                     // an invalid UTF-8 sequence
	TooDeep                     // nested deeper than MaxDepth
	TooLong                     // more characters than the service allows
	Blank                       // nothing but white space
)

// A Checker judges lines by the rules of one service. It is used by one
// goroutine at a time.
type Checker interface {
	// Check fills in what it finds in the line: e.Line has been read into
	// doc, or bad says why it could not be.
	Check(e *Entry, doc *Doc, bad *LineError)
}
