//go:build !amd64 && !arm64

package kernel

// native returns no set: there is no assembly for this processor.
func native() []*Set { return nil }
