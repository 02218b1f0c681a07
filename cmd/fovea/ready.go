package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"fovea"
)

// How long a look at the storage may take, and how long its result is good for:
// whoever asks all the time must not make the server write all the time.
const (
	probeTime = 5 * time.Second
	probeLife = 2 * time.Second
)

// probeSize is more than a full disk has left over.
const probeSize = 16 << 10

// probePrefix is what the names of probes begin with.
const probePrefix = "probe/"

// sweepProbes removes the probes that were written before a time, and could not
// be deleted again.
func sweepProbes(ctx context.Context, blobs fovea.Blobs, before time.Time) error {
	for info, err := range blobs.List(ctx, probePrefix) {
		if err != nil {
			return err
		}
		if info.Modified.Before(before) {
			if err := blobs.Delete(ctx, info.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// A probe finds out, now and then, whether the storage takes what is written.
// The zero value is ready to use.
type probe struct {
	mu   sync.Mutex
	at   time.Time
	last error
}

// check writes a blob and deletes it, unless that was done a moment ago, and
// returns why it failed.
func (p *probe) check(ctx context.Context, blobs fovea.Blobs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) < probeLife {
		return p.last
	}
	name := fmt.Sprintf("%s%016x", probePrefix, rand.Uint64())
	_, err := blobs.Put(ctx, name, strings.NewReader(strings.Repeat("fovea\n\n\n", probeSize/8)))
	err = errors.Join(err, blobs.Delete(ctx, name))
	if ctx.Err() == nil { // or it says nothing of the storage
		p.at, p.last = time.Now(), err
	}
	return err
}

// ready reports why the node cannot serve: the database does not answer, or
// the blob storage takes nothing.
func (n *node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	if err := n.store.View(ctx, func(tx fovea.Tx) error { _, err := tx.Setting(pageKeySetting); return err }); err != nil {
		n.log.ErrorContext(ctx, "the database does not answer", "error", err)
		if err := n.store.InPlace(); err != nil {
			return errors.New("a file of the database was removed or replaced; the log says which")
		}
		return errors.New("the database does not answer")
	}
	if n.s3 != nil {
		if err := n.s3.InPlace(); err != nil {
			n.log.ErrorContext(ctx, "the database of the S3 is not in place", "error", err)
			return errors.New("a file of the S3's database was removed or replaced; the log says which")
		}
	}
	if err := n.probe.check(ctx, n.blobs); err != nil {
		n.log.ErrorContext(ctx, "the blob storage cannot be written", "error", err)
		return errors.New("the blob storage cannot be written")
	}
	return nil
}
