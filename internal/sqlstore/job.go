package sqlstore

import (
	"encoding/json"
	"fmt"

	"fovea"
)

// Enqueue implements fovea.Tx.
func (t *tx) Enqueue(args fovea.JobArgs) error {
	data, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	now := t.now()
	n, err := t.count("enqueue "+args.Kind(), `
		INSERT INTO jobs (id, kind, name, args, state, queued, due, attempt, failures, worker, cancel, message, ended)
		VALUES ($1, $2, $3, $4, 'queued', $5, $5, 0, 0, '', FALSE, '', 0)
		ON CONFLICT (name) WHERE name <> '' AND state IN ('queued', 'running') DO NOTHING`,
		fovea.NewID(now), args.Kind(), args.Unique(), string(data), millis(now))
	t.enqueued = t.enqueued || n > 0
	return err
}

// OnEnqueue sets what is called after every commit that added a job. It must
// not block.
func (s *Store) OnEnqueue(fn func()) { s.enqueued.Store(&fn) }
