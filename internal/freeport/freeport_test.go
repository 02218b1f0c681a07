package freeport

import "testing"

// TestChoose: ports are below those that systems hand out, and none comes twice.
func TestChoose(t *testing.T) {
	seen := map[int]bool{}
	for range 100 {
		port, err := Choose()
		if err != nil {
			t.Fatal(err)
		}
		if port < first || port >= last || seen[port] {
			t.Fatalf("port %d, before it %v", port, seen)
		}
		seen[port] = true
	}
}
