// Package s3 reads and writes the users' objects in an S3 that is not fovea's
// own: Amazon's, or any server that speaks its protocol.
//
// An object that is being imported must not change under the import, and a
// network that stutters must not fail it. So every read is pinned to the
// version and the ETag that Stat saw, a body that breaks off is taken up again
// where it stopped under the same pin, and every wait has an end.
//
// The operator chose the endpoint, so it may be at a private address. It
// cannot send fovea anywhere else: redirects are not followed.
package s3
