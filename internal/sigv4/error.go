package sigv4

import "fmt"

// A Code says in which way a request is not authentic. The protocol packages
// map codes to their own error names (CL-1.5, LV-1.39).
type Code string

// The codes.
const (
	MissingAuthentication Code = "MissingAuthentication" // not signed at all
	Unsupported           Code = "Unsupported"           // signed in a way that is not Signature Version 4
	IncompleteSignature   Code = "IncompleteSignature"   // a part of the signature is missing or malformed
	UnsignedHeader        Code = "UnsignedHeader"        // a header that matters is not covered
	InvalidSignature      Code = "InvalidSignature"      // the signature is not that of this request
	UnknownKey            Code = "UnknownKey"            // nobody has this access key
	BadScope              Code = "BadScope"              // signed for another service, region or day
	Skewed                Code = "Skewed"                // the clocks differ by more than the tolerance
	Expired               Code = "Expired"               // a presigned URL after its time
	BadPayload            Code = "BadPayload"            // x-amz-content-sha256 is missing, malformed or not allowed here
	BodyMismatch          Code = "BodyMismatch"          // the body is not the one that was signed
	BodyTooLarge          Code = "BodyTooLarge"          // more bytes than the operation takes
	MalformedBody         Code = "MalformedBody"         // the aws-chunked framing is wrong
	IncompleteBody        Code = "IncompleteBody"        // the body ended too early
	MissingLength         Code = "MissingLength"         // x-amz-decoded-content-length is missing
)

// An Error says why a request was refused. Its message is for the caller and
// never holds a secret.
type Error struct {
	Code    Code
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}
