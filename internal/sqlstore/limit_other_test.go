//go:build !unix

package sqlstore_test

import "testing"

// limitFileSize skips the test: there is no such limit here.
func limitFileSize(t *testing.T, _ uint64) (lift func()) {
	t.Skip("the size of files cannot be limited")
	return nil
}
