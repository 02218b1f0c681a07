// Package s3api is the embedded S3 endpoint: buckets, object versions and
// multipart uploads in one folder, and the part of the S3 protocol that the
// AWS SDKs, the AWS CLI and browsers speak.
//
// A [Store] keeps names, versions and metadata as rows of SQLite, and bytes in
// immutable blob files that are never named after a key. A row lists the
// extents of the blobs it consists of, so that completing a multipart upload
// and copying an object move no bytes. A blob is on disk, with its directory
// entry, before the row that names it commits; a crash leaves at most a blob
// that no row names, and the sweep removes those.
//
// A [Server] answers HTTP over a Store. The Store also implements
// fovea.Objects, so the rest of the program reads manifests and images without
// HTTP in between.
//
// Bucket policies and ACLs are stored or answered as clients expect and are
// not enforced: whoever has a key of this server may do everything.
// docs/design/s3.md says why this is our own handler.
package s3api
