// Package freeport chooses ports for the servers that tests and benchmarks start.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are chosen below those that systems give to whoever asks for any, which
// begin at 32768 or later: so nobody gets one before its server has begun to
// listen, or while that is down.
const (
	first = 16 << 10
	last  = 32 << 10
)

var (
	mu     sync.Mutex
	chosen = map[int]bool{} // by this process, free or not
)

// Choose returns a port of 127.0.0.1 at which nobody listens, another one each
// time.
func Choose() (port int, err error) {
	mu.Lock()
	defer mu.Unlock()
	for range 1000 {
		port := first + rand.IntN(last-first)
		if chosen[port] {
			continue
		}
		chosen[port] = true
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free", first, last)
}
