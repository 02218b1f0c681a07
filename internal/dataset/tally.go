package dataset

import (
	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/segment"
)

// A tally keeps the statistics and labels of a revision while entries go and
// come.
type tally struct {
	stats  fovea.Stats
	labels []fovea.LabelCount
	index  map[string]int
}

// newTally starts from a revision, which it leaves as it is.
func newTally(r *fovea.Revision) *tally {
	t := &tally{stats: r.Stats, index: make(map[string]int, len(r.Labels))}
	for _, l := range r.Labels {
		t.index[l.Name] = len(t.labels)
		t.labels = append(t.labels, l)
	}
	return t
}

// label returns the counts of a label. A new one comes after all others.
func (t *tally) label(name string) *fovea.LabelCount {
	i, ok := t.index[name]
	if !ok {
		i = len(t.labels)
		t.index[name] = i
		t.labels = append(t.labels, fovea.LabelCount{Name: name})
	}
	return &t.labels[i]
}

// statsOf returns what an entry adds to the statistics.
func statsOf(f segment.Fact) fovea.Stats {
	one := fovea.Stats{Entries: 1}
	if f.Labeled {
		one.Labeled = 1
	}
	if f.Errors {
		one.Errors = 1
	}
	switch f.Class {
	case manifest.Normal:
		one.Normal = 1
	case manifest.Anomaly:
		one.Anomaly = 1
	}
	return one
}

// add counts an entry.
func (t *tally) add(f segment.Fact) {
	t.stats.Add(statsOf(f))
	t.count(f, 1)
}

// remove takes an entry away.
func (t *tally) remove(f segment.Fact) {
	t.stats.Sub(statsOf(f))
	t.count(f, -1)
}

func (t *tally) count(f segment.Fact, n int64) {
	for _, l := range f.Labels {
		c := t.label(l.Name)
		c.Lines += n
		if l.Used {
			c.Entries += n
		}
		if l.Boxed {
			c.Boxed += n
		}
	}
}

// addOutcome counts the entries of a scan.
func (t *tally) addOutcome(out *outcome) {
	t.stats.Add(out.stats)
	for _, l := range out.labels {
		c := t.label(l.Name)
		c.Lines += l.Lines
		c.Entries += l.Entries
		c.Boxed += l.Boxed
	}
}

// finish gives the revision the statistics, and the labels that some entry still
// has (CL-7.4).
func (t *tally) finish(r *fovea.Revision) {
	r.Stats, r.Labels = t.stats, nil
	for _, l := range t.labels {
		if l.Lines > 0 {
			r.Labels = append(r.Labels, l)
		}
	}
}
