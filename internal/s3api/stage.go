package s3api

import (
	"crypto/md5"
	"hash"
	"io"
	"sync"
)

// buffers are what bodies are copied through.
var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// A staged body is on disk, and no row names it yet.
type staged struct {
	w    *blobWriter // nil for an empty body
	body extents
	size int64
	md5  []byte
	sum  []byte // of the algorithm that was asked for; nil for none
}

// stage writes a body to a new blob and makes it durable. The algorithm may be
// nil. Whatever stage returns without an error must be settled or dropped.
func (s *Store) stage(body io.Reader, a *algorithm) (*staged, error) {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	sums := []hash.Hash{md5.New()}
	if a != nil {
		sums = append(sums, a.new())
	}
	st := &staged{}
	for {
		n, err := fill(body, *buf)
		if n > 0 {
			if werr := s.write(st, (*buf)[:n], sums); werr != nil {
				err = werr
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			st.drop()
			return nil, err
		}
	}
	st.md5 = sums[0].Sum(nil)
	if a != nil {
		st.sum = sums[1].Sum(nil)
	}
	if st.w == nil {
		return st, nil
	}
	st.body = extents{{st.w.id, 0, st.size}}
	if err := st.w.sync(); err != nil {
		st.drop()
		return nil, err
	}
	return st, nil
}

// fill reads until p is full or r ends or fails. Unlike io.ReadFull it keeps
// the end of a body apart from a body that broke off.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var k int
		k, err = r.Read(p[n:])
		n += k
	}
	return n, err
}

// write takes one buffer of the body in.
func (s *Store) write(st *staged, p []byte, sums []hash.Hash) error {
	if st.w == nil {
		w, err := s.blobs.create()
		if err != nil {
			return err
		}
		st.w = w
	}
	for _, h := range sums {
		h.Write(p)
	}
	st.size += int64(len(p))
	_, err := st.w.Write(p)
	return err
}

// drop removes the blob, which no row names.
func (st *staged) drop() {
	if st.w != nil {
		st.w.discard()
	}
}

// settle ends the staging after the transaction that was to name the blob. If
// that was refused the blob goes; if its outcome is not known, the sweep finds
// out.
func (st *staged) settle(err error) {
	switch {
	case st.w == nil:
	case err != nil && asError(err) != nil:
		st.w.discard()
	default:
		st.w.close()
	}
}
