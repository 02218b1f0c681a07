// Package sigv4 verifies and makes AWS Signature Version 4 signatures, for
// every service that fovea answers: the Authorization header, the presigned
// query, and the chunk and trailer signatures inside an aws-chunked body.
//
// A verified request has two halves. What is checked before Verify returns is
// the head: who signed, for which service, when, and over which method, path,
// query and headers. The body of a small request is checked with it. The body
// of an S3 upload is checked while it is read: [Body.Read] reports an error in
// place of io.EOF if one byte differs from what was signed, so whoever stores
// a body commits it only after io.EOF.
//
// S3 differs from all other services in what it signs: its path is encoded
// once and taken as it is, theirs is normalised and encoded twice; it must
// name its payload hash in a header, and may leave the payload unsigned.
package sigv4
