package cutfs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// An Op is what a program asks of the file system.
type Op struct {
	Kind string // create, mkdir, unlink, rmdir, rename, link, truncate, write, read, open or fsync
	Path string // below the mount point
}

// Writes reports whether the operation changes anything.
func (o Op) Writes() bool { return o.Kind != "read" && o.Kind != "open" && o.Kind != "fsync" }

// An FS is a mounted file system. Its methods may be called at any time, also
// beside programs that work on it.
type FS struct {
	dir string

	mu     sync.Mutex
	root   *node
	nodes  map[uint64]*node
	lastID uint64
	fault  func(Op) syscall.Errno
	lies   func(path string) bool
	syncs  int64

	device int
	ended  chan struct{} // closed when nothing is served any more
}

// Mount mounts an empty file system on a folder that is there.
func Mount(dir string) (*FS, error) {
	f := &FS{dir: dir, nodes: map[uint64]*node{}, lastID: rootID}
	f.root = &node{id: rootID, mode: syscall.S_IFDIR | 0o700, entries: map[string]*node{}, synced: map[string]*node{}, modified: time.Now()}
	return f, f.mount()
}

func (f *FS) mount() error {
	device, err := syscall.Open("/dev/fuse", os.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open /dev/fuse: %w", err)
	}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other", device, os.Getuid(), os.Getgid())
	if err := syscall.Mount("cutfs", f.dir, "fuse.cutfs", syscall.MS_NOSUID|syscall.MS_NODEV, options); err != nil {
		syscall.Close(device)
		return fmt.Errorf("mount a FUSE file system on %s: %w", f.dir, err)
	}
	f.device, f.ended = device, make(chan struct{})
	f.nodes = map[uint64]*node{rootID: f.root}
	go f.serve(device, f.ended)
	return f.refusePoll()
}

// refusePoll lets the kernel ask for the first time whether files can be waited
// for, and hear that they cannot. Go's runtime asks that of every file it opens
// in a way that must not block, and so, if this process were the first, could
// keep the answer from being given.
func (f *FS) refusePoll() error {
	path := filepath.Join(f.dir, ".poll")
	file, err := syscall.Open(path, os.O_RDWR|os.O_CREATE|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("open a file on the new file system: %w", err)
	}
	defer syscall.Unlink(path)
	defer syscall.Close(file)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer syscall.Close(epoll)
	event := syscall.EpollEvent{Events: syscall.EPOLLIN}
	syscall.Syscall6(syscall.SYS_EPOLL_CTL, uintptr(epoll), syscall.EPOLL_CTL_ADD, uintptr(file), uintptr(unsafe.Pointer(&event)), 0, 0)
	return nil
}

// Unmount ends the use of the file system.
func (f *FS) Unmount() error {
	err := syscall.Unmount(f.dir, syscall.MNT_DETACH)
	<-f.ended
	return err
}

// Cut is a power failure: what was not synced is lost, all of it or some. The
// programs that use the file system must have been killed. It is mounted again
// when Cut returns.
func (f *FS) Cut(loss Loss, rng *rand.Rand) error {
	if err := f.Unmount(); err != nil {
		return err
	}
	f.mu.Lock()
	f.root.cut(loss, rng)
	f.mu.Unlock()
	return f.mount()
}

// Fail lets operations fail with the error that fault returns, 0 for none. A
// nil fault is the end of them.
func (f *FS) Fail(fault func(Op) syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

// Lie makes the file system claim to have synced the files and folders for
// whose path lies returns true, and not do it. A nil lies is honest.
func (f *FS) Lie(lies func(path string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lies = lies
}

// Syncs returns how often something was synced.
func (f *FS) Syncs() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.syncs
}

// failing returns the error that is to be injected into an operation.
func (f *FS) failing(kind, path string) syscall.Errno {
	if f.fault == nil {
		return 0
	}
	return f.fault(Op{kind, path})
}

// add makes a node.
func (f *FS) add(mode uint32) *node {
	f.lastID++
	n := &node{id: f.lastID, mode: mode, modified: time.Now()}
	if n.isDir() {
		n.entries, n.synced = map[string]*node{}, map[string]*node{}
	}
	return n
}

// enter puts a node under a name.
func (f *FS) enter(dir *node, name string, n *node) {
	dir.entries[name] = n
	dir.modified = time.Now()
	n.parent, n.name = dir, name
}

// fsync syncs a node unless that fails or is a lie.
func (f *FS) fsync(n *node) syscall.Errno {
	if errno := f.failing("fsync", n.path()); errno != 0 {
		return errno
	}
	f.syncs++
	if f.lies == nil || !f.lies(n.path()) {
		n.sync()
	}
	return 0
}
