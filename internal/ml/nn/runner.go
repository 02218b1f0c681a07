package nn

import "sync"

// A Runner infers with a network whose parameters stay as they are. It is safe
// for use by several goroutines, each of which gets a session of its own;
// sessions are kept for later ones until memory is short.
type Runner struct {
	net  *Net
	pool sync.Pool // of *Session
}

// NewRunner returns a runner of a network.
func NewRunner(n *Net) *Runner { return &Runner{net: n} }

// Net returns the network.
func (r *Runner) Net() *Net { return r.net }

// Run calls fn with a session for one input of this size, which nobody else has
// until fn returns. The error is that of Session.Resize.
func (r *Runner) Run(height, width int, fn func(*Session)) error {
	s, _ := r.pool.Get().(*Session)
	if s == nil {
		var err error
		if s, err = r.net.NewSession(Options{Batch: 1, Height: height, Width: width}); err != nil {
			return err
		}
	} else if err := s.Resize(1, height, width); err != nil {
		return err
	}
	defer r.pool.Put(s)
	fn(s)
	return nil
}
