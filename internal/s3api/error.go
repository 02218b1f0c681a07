package s3api

import (
	"errors"
	"fmt"
	"net/http"

	"fovea/internal/sigv4"
)

// An Error is an error of the S3 protocol.
type Error struct {
	Code    string // such as NoSuchKey
	Status  int    // of HTTP
	Message string
	Header  http.Header // to be sent with it; may be nil
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// statuses has the HTTP status of each code that is not 400.
var statuses = map[string]int{
	"AccessDenied":               403,
	"AccessForbidden":            403,
	"BucketAlreadyExists":        409,
	"BucketAlreadyOwnedByYou":    409,
	"BucketNotEmpty":             409,
	"InternalError":              500,
	"InvalidAccessKeyId":         403,
	"InvalidRange":               416,
	"MethodNotAllowed":           405,
	"MissingContentLength":       411,
	"NoSuchBucket":               404,
	"NoSuchBucketPolicy":         404,
	"NoSuchCORSConfiguration":    404,
	"NoSuchKey":                  404,
	"NoSuchTagSet":               404,
	"NoSuchUpload":               404,
	"NoSuchVersion":              404,
	"NotImplemented":             501,
	"NotModified":                304,
	"PreconditionFailed":         412,
	"RequestTimeTooSkewed":       403,
	"SignatureDoesNotMatch":      403,
	"XAmzContentSHA256Mismatch":  400,
	"ConditionalRequestConflict": 409,

	"NoSuchLifecycleConfiguration":                   404,
	"NoSuchPublicAccessBlockConfiguration":           404,
	"NoSuchWebsiteConfiguration":                     404,
	"ObjectLockConfigurationNotFoundError":           404,
	"OwnershipControlsNotFoundError":                 404,
	"ReplicationConfigurationNotFoundError":          404,
	"ServerSideEncryptionConfigurationNotFoundError": 404,
}

func errorf(code, format string, args ...any) *Error {
	status := statuses[code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	return &Error{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// signatureCodes are S3's names for what sigv4 refuses.
var signatureCodes = map[sigv4.Code]string{
	sigv4.MissingAuthentication: "AccessDenied",
	sigv4.Unsupported:           "InvalidRequest",
	sigv4.IncompleteSignature:   "AuthorizationHeaderMalformed",
	sigv4.UnsignedHeader:        "AccessDenied",
	sigv4.InvalidSignature:      "SignatureDoesNotMatch",
	sigv4.UnknownKey:            "InvalidAccessKeyId",
	sigv4.BadScope:              "AuthorizationHeaderMalformed",
	sigv4.Skewed:                "RequestTimeTooSkewed",
	sigv4.Expired:               "AccessDenied",
	sigv4.BadPayload:            "InvalidRequest",
	sigv4.BodyMismatch:          "XAmzContentSHA256Mismatch",
	sigv4.BodyTooLarge:          "EntityTooLarge",
	sigv4.MalformedBody:         "InvalidRequest",
	sigv4.IncompleteBody:        "IncompleteBody",
	sigv4.MissingLength:         "MissingContentLength",
}

// asError returns err as an error of the protocol, nil if it is none.
func asError(err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	if e := (*sigv4.Error)(nil); errors.As(err, &e) {
		return errorf(signatureCodes[e.Code], "%s", e.Message)
	}
	return nil
}

func noSuchBucket(bucket string) *Error {
	return errorf("NoSuchBucket", "The specified bucket does not exist: %s", bucket)
}

func noSuchKey(bucket, key string) *Error {
	return errorf("NoSuchKey", "The specified key does not exist: s3://%s/%s", bucket, key)
}
