package cutfs

import (
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"syscall"
	"time"
)

// A node is a file or a folder. What is current is seen by programs, what is
// durable outlasts a cut.
type node struct {
	id       uint64
	mode     uint32 // with the type, as in stat(2)
	modified time.Time
	parent   *node // with name the place where it was put last, for people
	name     string

	data    []byte // of a file
	durable []byte
	pending []change // that lead from durable to data

	entries map[string]*node // of a folder
	synced  map[string]*node // those that are durable
}

// A change is a write to a file, or with a nil data its cut or growth to size.
type change struct {
	at   int64
	data []byte
}

func (n *node) isDir() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

// path returns the path of a node below the mount point, "" of the root.
func (n *node) path() string {
	if n.parent == nil {
		return ""
	}
	return path.Join(n.parent.path(), n.name)
}

// apply returns data after a change.
func (c change) apply(data []byte) []byte {
	end := c.at + int64(len(c.data))
	if c.data == nil && end < int64(len(data)) {
		return data[:end:end]
	}
	if grow := end - int64(len(data)); grow > 0 {
		data = append(data, make([]byte, grow)...)
	}
	copy(data[c.at:], c.data)
	return data
}

// change changes a file, not yet durably.
func (n *node) change(c change) {
	n.data = c.apply(n.data)
	n.pending = append(n.pending, c)
	n.modified = time.Now()
}

// sync makes the content of a file, or the names in a folder, durable.
func (n *node) sync() {
	if n.isDir() {
		n.synced = maps.Clone(n.entries)
		return
	}
	for _, c := range n.pending {
		n.durable = c.apply(n.durable)
	}
	n.pending = nil
}

// A Loss says how much of what was not synced a cut takes.
type Loss int

// What a cut takes.
const (
	All  Loss = iota // of what was not synced, everything
	Some             // of every change that was not synced, by chance
)

// cut makes what survives a power failure the current state of a node.
func (n *node) cut(loss Loss, rng *rand.Rand) {
	survives := func() bool { return loss == Some && rng.IntN(2) == 0 }
	if !n.isDir() {
		n.pending = slices.DeleteFunc(n.pending, func(change) bool { return !survives() })
		n.sync()
		n.data = slices.Clone(n.durable)
		return
	}
	names := slices.Sorted(maps.Keys(n.entries))
	for name := range n.synced {
		if n.entries[name] == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names) // so that a seed gives one result
	for _, name := range names {
		if survives() {
			put(n.synced, name, n.entries[name])
		}
	}
	n.entries = maps.Clone(n.synced)
	for name, child := range n.entries {
		child.parent, child.name = n, name
		child.cut(loss, rng)
	}
}

// put sets an entry, or removes it if there is none.
func put(entries map[string]*node, name string, n *node) {
	if n == nil {
		delete(entries, name)
	} else {
		entries[name] = n
	}
}
