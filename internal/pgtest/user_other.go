//go:build !unix

package pgtest

import "syscall"

// serverUser changes nothing: here PostgreSQL runs as whoever runs the tests.
func serverUser(string) (*syscall.SysProcAttr, error) { return nil, nil }
