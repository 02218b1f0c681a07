// Package integration proves fovea from the outside: it builds the program,
// starts real servers on free ports of the loopback interface, and lets the
// clients that people have (the AWS CLI, boto3, the AWS SDKs for Go and
// JavaScript) call them.
//
// One table of scenarios says what is called and what must come back, in the
// words of the wire; every client runs it through a driver of a few lines. A
// client that is not installed is skipped with a message, unless FOVEA_TEST_ALL
// is set, as make test does after it has installed them all.
package integration
