// Package conformance walks the description of an API and makes requests with
// values just inside and just outside every constraint, with what must come of
// each: for tests that send them to an [awsjson.API] or to a running server.
//
// What is inside is only known to pass the checks of the description. A server
// may still have no such project; it must not answer with a validation error.
package conformance
