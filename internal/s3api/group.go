package s3api

import (
	"context"
	"slices"
	"time"
)

// maxGroup bounds the writes of one commit, and so the wait of each.
const maxGroup = 128

// A pending write is what an update does, waiting for its turn.
type pending struct {
	fn    func(*tx) error
	err   error
	panic any // what fn panicked with
	done  bool
}

// writeTimeout bounds a commit, and the work of all the writes in it.
const writeTimeout = 30 * time.Second

// update runs fn in a transaction and commits if it returns nil. It goes on
// when the request is cancelled, so that nobody is in doubt about a commit.
//
// What waits while a commit is on its way to the disk goes into the next one
// together: the disk is waited for once for all of them, and each returns when
// it has happened. Within a transaction the writes run one after the other,
// each behind a savepoint, so that one that fails takes nothing of the others
// with it.
func (s *Store) update(ctx context.Context, fn func(*tx) error) error {
	w := &pending{fn: fn}
	s.queueMu.Lock()
	s.queue = append(s.queue, w)
	s.queueMu.Unlock()

	s.takeTurns(ctx, w)
	if w.panic != nil {
		panic(w.panic)
	}
	return w.err
}

// takeTurns commits what waits until w is done, one group after the other.
func (s *Store) takeTurns(ctx context.Context, w *pending) {
	s.turn.Lock()
	defer s.turn.Unlock()
	for !w.done { // or the one before has taken it along
		s.commit(ctx, s.next())
	}
}

// next takes the writes that have waited longest off the queue.
func (s *Store) next() []*pending {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	n := min(len(s.queue), maxGroup)
	group := slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	return group
}

// commit runs writes in one transaction. If that fails, all of them have
// failed: also what one was refused for may have been the work of another.
func (s *Store) commit(ctx context.Context, group []*pending) {
	err := s.transact(ctx, group)
	for _, w := range group {
		w.done = true
		if err != nil {
			w.err = err
		}
	}
}

func (s *Store) transact(ctx context.Context, group []*pending) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := s.InPlace(); err != nil { // or a new connection would open whatever is there
		return err
	}
	t, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	for _, w := range group {
		if err := w.run(&tx{t, ctx, s.opts.Now().UTC()}); err != nil {
			return err
		}
	}
	if err := s.InPlace(); err != nil {
		return err
	}
	return t.Commit()
}

// run runs the write behind a savepoint. It returns an error if the transaction
// cannot go on, as when SQLite has undone all of it because the disk is full.
func (w *pending) run(t *tx) error {
	if _, err := t.exec(`SAVEPOINT one`); err != nil {
		return err
	}
	if w.err = w.call(t); w.err != nil || w.panic != nil {
		if _, err := t.exec(`ROLLBACK TO one`); err != nil {
			if w.err != nil && asError(w.err) == nil {
				return w.err // the reason
			}
			return err
		}
	}
	_, err := t.exec(`RELEASE one`)
	return err
}

// call calls fn, whose panic is that of the one who waits for it, and not of
// the one whose turn it is.
func (w *pending) call(t *tx) error {
	defer func() { w.panic = recover() }()
	return w.fn(t)
}
