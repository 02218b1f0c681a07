package cutfs

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"syscall"
	"time"
)

// The protocol between the kernel and a file system, as far as it is needed
// here: fuse(4) and the kernel's header linux/fuse.h. Numbers are little endian,
// as on all machines that the tests run on.
const (
	opLookup      = 1
	opForget      = 2
	opGetattr     = 3
	opSetattr     = 4
	opMkdir       = 9
	opUnlink      = 10
	opRmdir       = 11
	opRename      = 12
	opLink        = 13
	opOpen        = 14
	opRead        = 15
	opWrite       = 16
	opStatfs      = 17
	opRelease     = 18
	opFsync       = 20
	opFlush       = 25
	opInit        = 26
	opOpendir     = 27
	opReaddir     = 28
	opReleasedir  = 29
	opFsyncdir    = 30
	opCreate      = 35
	opInterrupt   = 36
	opBatchForget = 42
	opRename2     = 45
)

const (
	rootID     = 1
	inHeader   = 40 // bytes
	maxWrite   = 128 << 10
	cacheTime  = 3600 // seconds: the kernel alone changes anything
	keepCache  = 2    // a flag of opened files
	bigWrites  = 1 << 5
	setMode    = 1 << 0
	setSize    = 1 << 3
	setTime    = 1 << 5
	setTimeNow = 1 << 8
)

var le = binary.LittleEndian

// A request is what the kernel asks.
type request struct {
	op   uint32
	node uint64
	body []byte
}

// serve answers the kernel until the file system is unmounted.
func (f *FS) serve(device int, ended chan struct{}) {
	defer close(ended)
	defer syscall.Close(device)
	buf := make([]byte, maxWrite+64<<10)
	for {
		n, err := syscall.Read(device, buf)
		switch {
		case err == syscall.EINTR || err == syscall.EAGAIN || err == syscall.ENOENT: // ENOENT: it was interrupted
			continue
		case err != nil || n < inHeader:
			return // ENODEV: unmounted
		}
		r := request{op: le.Uint32(buf[4:]), node: le.Uint64(buf[16:]), body: buf[inHeader:n]}
		if r.op == opForget || r.op == opBatchForget || r.op == opInterrupt {
			continue // which want no answer
		}
		body, errno := f.answer(r)
		if errno != 0 {
			body = nil // as the kernel demands
		}
		out := le.AppendUint32(nil, uint32(16+len(body)))
		out = le.AppendUint32(out, uint32(-int32(errno)))
		out = append(out, buf[8:16]...)
		syscall.Write(device, append(out, body...)) // it fails if whoever asked is gone
	}
}

// answer does what is asked and returns the body of the answer.
func (f *FS) answer(r request) ([]byte, syscall.Errno) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.op == opInit {
		return initAnswer(), 0
	}
	n := f.nodes[r.node]
	if n == nil {
		return nil, syscall.ESTALE
	}
	switch r.op {
	case opLookup:
		return f.lookup(n, text(r.body))
	case opGetattr:
		return attrAnswer(n), 0
	case opSetattr:
		return f.setattr(n, r.body)
	case opMkdir:
		return f.make(n, text(r.body[8:]), "mkdir", syscall.S_IFDIR|le.Uint32(r.body)&0o7777)
	case opCreate:
		entry, errno := f.make(n, text(r.body[16:]), "create", syscall.S_IFREG|le.Uint32(r.body[4:])&0o7777)
		return append(entry, openAnswer()...), errno
	case opUnlink:
		return nil, f.unlink(n, text(r.body), "unlink")
	case opRmdir:
		return nil, f.unlink(n, text(r.body), "rmdir")
	case opRename:
		return nil, f.rename(n, le.Uint64(r.body), r.body[8:])
	case opRename2:
		if le.Uint32(r.body[8:]) != 0 {
			return nil, syscall.EINVAL
		}
		return nil, f.rename(n, le.Uint64(r.body), r.body[16:])
	case opLink:
		return f.link(n, le.Uint64(r.body), text(r.body[8:]))
	case opOpen, opOpendir:
		return openAnswer(), f.failing("open", n.path())
	case opRead:
		return f.read(n, r.body)
	case opReaddir:
		return readdir(n, r.body), 0
	case opWrite:
		return f.write(n, r.body)
	case opFsync, opFsyncdir:
		return nil, f.fsync(n)
	case opStatfs:
		return statfsAnswer(), 0
	case opRelease, opReleasedir, opFlush:
		return nil, 0
	}
	return nil, syscall.ENOSYS
}

// text returns the string that ends with a NUL.
func text(b []byte) string {
	s, _, _ := bytes.Cut(b, []byte{0})
	return string(s)
}

func (f *FS) lookup(dir *node, name string) ([]byte, syscall.Errno) {
	n := dir.entries[name]
	if n == nil {
		return nil, syscall.ENOENT
	}
	f.nodes[n.id] = n
	return entryAnswer(n), 0
}

func (f *FS) make(dir *node, name, kind string, mode uint32) ([]byte, syscall.Errno) {
	if dir.entries[name] != nil {
		return nil, syscall.EEXIST
	}
	if errno := f.failing(kind, joined(dir, name)); errno != 0 {
		return nil, errno
	}
	n := f.add(mode)
	f.enter(dir, name, n)
	f.nodes[n.id] = n
	return entryAnswer(n), 0
}

func joined(dir *node, name string) string { return (&node{parent: dir, name: name}).path() }

func (f *FS) unlink(dir *node, name, kind string) syscall.Errno {
	n := dir.entries[name]
	switch {
	case n == nil:
		return syscall.ENOENT
	case n.isDir() && len(n.entries) > 0:
		return syscall.ENOTEMPTY
	}
	if errno := f.failing(kind, joined(dir, name)); errno != 0 {
		return errno
	}
	delete(dir.entries, name)
	return 0
}

func (f *FS) rename(from *node, toID uint64, names []byte) syscall.Errno {
	old, rest, _ := bytes.Cut(names, []byte{0})
	name := text(rest)
	to, n := f.nodes[toID], from.entries[string(old)]
	switch {
	case to == nil || n == nil:
		return syscall.ENOENT
	case to.entries[name] != nil && to.entries[name].isDir() && len(to.entries[name].entries) > 0:
		return syscall.ENOTEMPTY
	}
	if errno := f.failing("rename", joined(to, name)); errno != 0 {
		return errno
	}
	delete(from.entries, string(old))
	f.enter(to, name, n)
	return 0
}

func (f *FS) link(dir *node, id uint64, name string) ([]byte, syscall.Errno) {
	n := f.nodes[id]
	if n == nil {
		return nil, syscall.ENOENT
	}
	if errno := f.failing("link", joined(dir, name)); errno != 0 {
		return nil, errno
	}
	f.enter(dir, name, n)
	return entryAnswer(n), 0
}

func (f *FS) setattr(n *node, body []byte) ([]byte, syscall.Errno) {
	valid := le.Uint32(body)
	if valid&setMode != 0 {
		n.mode = n.mode&syscall.S_IFMT | le.Uint32(body[68:])&0o7777
	}
	if valid&setSize != 0 {
		if errno := f.failing("truncate", n.path()); errno != 0 {
			return nil, errno
		}
		n.change(change{at: int64(le.Uint64(body[16:]))})
	}
	if valid&setTime != 0 && valid&setTimeNow == 0 {
		n.modified = time.Unix(int64(le.Uint64(body[40:])), int64(le.Uint32(body[60:])))
	}
	return attrAnswer(n), 0
}

func (f *FS) read(n *node, body []byte) ([]byte, syscall.Errno) {
	if errno := f.failing("read", n.path()); errno != 0 {
		return nil, errno
	}
	at, size := le.Uint64(body[8:]), uint64(le.Uint32(body[16:]))
	at = min(at, uint64(len(n.data)))
	return n.data[at:min(at+size, uint64(len(n.data)))], 0
}

func (f *FS) write(n *node, body []byte) ([]byte, syscall.Errno) {
	if errno := f.failing("write", n.path()); errno != 0 {
		return nil, errno
	}
	at, size := int64(le.Uint64(body[8:])), le.Uint32(body[16:])
	n.change(change{at, slices.Clone(body[40 : 40+size])})
	return le.AppendUint32(le.AppendUint32(nil, size), 0), 0
}

// readdir returns the entries of a folder from an offset on.
func readdir(dir *node, body []byte) (out []byte) {
	from, size := int(le.Uint64(body[8:])), int(le.Uint32(body[16:]))
	for i, name := range slices.Sorted(maps.Keys(dir.entries)) {
		n := dir.entries[name]
		length := (24 + len(name) + 7) / 8 * 8
		if i < from {
			continue
		}
		if len(out)+length > size {
			break
		}
		entry := le.AppendUint64(nil, n.id)
		entry = le.AppendUint64(entry, uint64(i+1))
		entry = le.AppendUint32(entry, uint32(len(name)))
		entry = le.AppendUint32(entry, n.mode>>12)
		entry = append(entry, name...)
		out = append(out, append(entry, make([]byte, length-len(entry))...)...)
	}
	return out
}

func initAnswer() []byte {
	b := make([]byte, 64)
	for i, v := range []uint32{7, 31, maxWrite, bigWrites} { // version, read-ahead, flags
		le.PutUint32(b[4*i:], v)
	}
	le.PutUint16(b[16:], 64)
	le.PutUint16(b[18:], 48)
	le.PutUint32(b[20:], maxWrite)
	le.PutUint32(b[24:], 1) // nanoseconds
	return b
}

func openAnswer() []byte {
	b := make([]byte, 16)
	le.PutUint32(b[8:], keepCache)
	return b
}

func attr(n *node) []byte {
	b := make([]byte, 88)
	le.PutUint64(b, n.id)
	le.PutUint64(b[8:], uint64(len(n.data)))
	le.PutUint64(b[16:], uint64(len(n.data)+511)/512)
	for i := range 3 {
		le.PutUint64(b[24+8*i:], uint64(n.modified.Unix()))
		le.PutUint32(b[48+4*i:], uint32(n.modified.Nanosecond()))
	}
	le.PutUint32(b[60:], n.mode)
	le.PutUint32(b[64:], 1)
	le.PutUint32(b[68:], uint32(syscall.Getuid()))
	le.PutUint32(b[72:], uint32(syscall.Getgid()))
	le.PutUint32(b[80:], 4096)
	return b
}

func attrAnswer(n *node) []byte {
	return append(append(le.AppendUint64(nil, cacheTime), make([]byte, 8)...), attr(n)...)
}

func entryAnswer(n *node) []byte {
	b := make([]byte, 40)
	le.PutUint64(b, n.id)
	le.PutUint64(b[16:], cacheTime)
	le.PutUint64(b[24:], cacheTime)
	return append(b, attr(n)...)
}

func statfsAnswer() []byte {
	b := make([]byte, 80)
	for i, v := range []uint64{1 << 20, 1 << 19, 1 << 19, 1 << 20, 1 << 19} { // blocks, free ones, files, free ones
		le.PutUint64(b[8*i:], v)
	}
	for i, v := range []uint32{4096, 255, 4096} {
		le.PutUint32(b[40+4*i:], v)
	}
	return b
}
