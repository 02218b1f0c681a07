// Package awsjson serves an AWS API as a table of operations. It speaks two
// protocols: AWS JSON 1.1, where a header names the operation, and REST-JSON
// 1, where method and path do. Which one, and every name and constraint, comes
// from a [Description] that internal/apigen writes.
//
// A handler made with [Call] holds no HTTP: it gets a request that was decoded
// and that keeps every constraint of the description, and returns a response
// or an error of package fovea. Operations that are described and not built
// answer 501 after the same checks.
//
// The decoder is our own, and not encoding/json's into structs, because that
// folds the case of names, cannot tell which members were missing, and says
// nothing in AWS's words. It reads only the members that the description has,
// so that a request costs memory in proportion to its body and no more.
package awsjson
