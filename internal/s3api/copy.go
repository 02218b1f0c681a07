package s3api

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// copyObject stores o with the bytes of src, which it shares, so none are
// moved. They are read if the copy needs a checksum that src has not: what was
// uploaded in parts becomes one, with the MD5 of the whole for its ETag.
func (s *Store) copyObject(ctx context.Context, src, o *object, a *algorithm, cond condition) (*bucket, error) {
	o.size, o.etag, o.body = src.size, src.etag, src.body
	if a == nil && src.info.Sum.Algorithm != "" {
		same, err := algorithmNamed(src.info.Sum.Algorithm)
		if err != nil {
			return nil, err
		}
		a = &same
	}
	o.info.Parts, o.info.Sum = 0, src.info.Sum
	if src.info.Parts > 0 || a != nil && src.info.Sum.Algorithm != a.name {
		if err := s.hashObject(ctx, o, a); err != nil {
			return nil, err
		}
	}
	var b *bucket
	err := s.update(ctx, func(t *tx) (err error) {
		if err := t.shareBlobs(o.body); err != nil { // before the source is replaced, should it be the same key
			return err
		}
		b, err = t.insertObject(o, cond, nil)
		return err
	})
	if errors.Is(err, errGone) {
		return nil, noSuchKey(src.bucket, src.key)
	}
	return b, err
}

// hashObject reads the bytes of o and sets its ETag and its checksum.
func (s *Store) hashObject(ctx context.Context, o *object, a *algorithm) error {
	digest, value, err := s.hashBody(ctx, o.body, a)
	if err != nil {
		return err
	}
	o.etag, o.info.Sum = hex.EncodeToString(digest), sum{}
	if a != nil {
		o.info.Sum = sum{a.name, encodeSum(value), fullObject}
	}
	return nil
}

// hashBody returns the MD5 and the checksum of the bytes; nil for no
// algorithm.
func (s *Store) hashBody(ctx context.Context, body extents, a *algorithm) (digest, value []byte, err error) {
	r := s.blobs.open(body)
	defer r.Close()
	m := md5.New()
	w, extra := io.Writer(m), hash.Hash(nil)
	if a != nil {
		extra = a.new()
		w = io.MultiWriter(m, extra)
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	for {
		n, err := r.Read(*buf)
		w.Write((*buf)[:n])
		if err == io.EOF {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, nil, err
		}
	}
	if extra != nil {
		value = extra.Sum(nil)
	}
	return m.Sum(nil), value, nil
}

// copyPart stores a range of src as a part of an upload.
func (s *Store) copyPart(ctx context.Context, src *object, off, n int64, u *upload, number int) (*part, error) {
	p := &part{Number: number, Size: n, body: src.body.slice(off, n)}
	var a *algorithm
	if name := u.info.Sum.Algorithm; name != "" {
		found, err := algorithmNamed(name)
		if err != nil {
			return nil, err
		}
		a = &found
	}
	digest, value, err := s.hashBody(ctx, p.body, a)
	if err != nil {
		return nil, err
	}
	p.etag = hex.EncodeToString(digest)
	if a != nil {
		p.Sum = sum{a.name, encodeSum(value), u.info.Sum.Type}
	}
	if err := s.putPart(ctx, u, p, nil); errors.Is(err, errGone) {
		return nil, noSuchKey(src.bucket, src.key)
	} else if err != nil {
		return nil, err
	}
	return p, nil
}
