package s3

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"fovea"
)

// refused turns what S3 answered into the vocabulary. What the user can mend
// is BadObject: its cause is fs.ErrNotExist for what is missing and
// fs.ErrPermission for what is forbidden. Anything else is ours or the
// network's, and stays Internal.
func refused(ref fovea.ObjectRef, err error) error {
	bad := func(cause error, format string, args ...any) error {
		return &fovea.Error{Kind: fovea.BadObject, Message: ref.String() + " " + fmt.Sprintf(format, args...), Err: cause}
	}
	code := ""
	if e := smithy.APIError(nil); errors.As(err, &e) {
		code = e.ErrorCode()
	}
	status := 0
	if e := (*awshttp.ResponseError)(nil); errors.As(err, &e) {
		status = e.HTTPStatusCode()
	}
	switch {
	case status == http.StatusNotFound && code == "NoSuchBucket":
		return bad(fs.ErrNotExist, "cannot be read: there is no bucket %s", ref.Bucket)
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed: // the latter for a delete marker
		return bad(fs.ErrNotExist, "does not exist")
	case status == http.StatusForbidden:
		return bad(fs.ErrPermission, "is forbidden: the access key of the external S3 may not read it, or S3 does not know the key (%s)", code)
	case status == http.StatusPreconditionFailed, status == http.StatusRequestedRangeNotSatisfiable:
		return replaced(ref)
	case status >= 300 && status < 400:
		return bad(err, "is not at this endpoint: S3 answered %d, which is not followed; set the region and the endpoint of the bucket", status)
	case status == http.StatusBadRequest:
		return bad(err, "cannot be read: S3 answered %d %s", status, code)
	}
	if errors.Is(err, io.EOF) { // a lost connection, which would read as the end of the object
		return fmt.Errorf("%s: %v: %w", ref, err, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("%s: %w", ref, err)
}

func replaced(ref fovea.ObjectRef) error {
	return fovea.Errorf(fovea.BadObject, "%s has been replaced since it was looked at", ref)
}
