package dataset_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
)

// A past is what a dataset held at a revision: lines by source-ref.
type past map[string]string

// labelsOf returns the labels of a line that boxLine made.
func labelsOf(line string) (labels []string) {
	for _, l := range []string{"bolt", "nut", "washer"} {
		if strings.Contains(line, `"`+l+`"`) {
			labels = append(labels, l)
		}
	}
	return labels
}

// naiveDiff compares two states the obvious way.
func naiveDiff(a, b past) (lines []string, labels map[string]dataset.DifferenceCount) {
	labels = map[string]dataset.DifferenceCount{}
	count := func(before, now string) {
		for _, l := range []string{"bolt", "nut", "washer"} {
			had, has := slices.Contains(labelsOf(before), l), slices.Contains(labelsOf(now), l)
			c := labels[l]
			switch {
			case had && has:
				c.Changed++
			case had:
				c.Removed++
			case has:
				c.Added++
			default:
				continue
			}
			labels[l] = c
		}
	}
	for ref := range maps.Keys(b) {
		switch {
		case a[ref] == "":
			lines = append(lines, "added "+ref+" "+b[ref])
			count("", b[ref])
		case a[ref] != b[ref]:
			lines = append(lines, "changed "+ref+" "+a[ref]+" "+b[ref])
			count(a[ref], b[ref])
		}
	}
	for ref := range maps.Keys(a) {
		if b[ref] == "" {
			lines = append(lines, "removed "+ref+" "+a[ref])
			count(a[ref], "")
		}
	}
	slices.Sort(lines)
	return lines, labels
}

// diff returns what Diff tells, in the form of naiveDiff.
func (w *world) diff(t testing.TB, v *dataset.View, a, b int64) (lines []string, labels map[string]dataset.DifferenceCount) {
	t.Helper()
	var told dataset.DifferenceCount
	result, err := w.Diff(context.Background(), v, a, b, func(d dataset.Difference) error {
		switch d.Kind {
		case dataset.EntryAdded:
			told.Added++
			lines = append(lines, fmt.Sprintf("added %s %s", d.SourceRef, d.New))
		case dataset.EntryRemoved:
			told.Removed++
			lines = append(lines, fmt.Sprintf("removed %s %s", d.SourceRef, d.Old))
		case dataset.EntryChanged:
			told.Changed++
			lines = append(lines, fmt.Sprintf("changed %s %s %s", d.SourceRef, d.Old, d.New))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.DifferenceCount != told || result.From.Number != a || result.To.Number != b {
		t.Errorf("diff %d %d counts %+v of %d to %d, and told %+v", a, b, result.DifferenceCount, result.From.Number, result.To.Number, told)
	}
	labels = map[string]dataset.DifferenceCount{}
	for _, l := range result.Labels {
		labels[l.Name] = l.DifferenceCount
	}
	slices.Sort(lines)
	return lines, labels
}

// pastOf returns what a dataset holds at a revision, read entry by entry.
func (w *world) pastOf(t testing.TB, v *dataset.View, number int64) past {
	t.Helper()
	p := past{}
	for token := ""; ; {
		page, err := w.Entries(context.Background(), v, dataset.Query{Revision: number, Token: token, Max: 13})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			ref, _, _ := strings.Cut(strings.TrimPrefix(string(row.Line), `{"source-ref":"`), `"`)
			p[ref] = string(row.Line)
		}
		if token = page.Next; token == "" {
			return p
		}
	}
}

// TestHistory: after random updates and restores, the entries as of every
// revision are what they were, Diff of any two is what a naive comparison finds,
// however few keys it may keep, and History tells of all.
func TestHistory(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 11))
		w := newWorld(t, rekognition.Profile(rekognition.Limits()))
		w.ImportRange = 3000
		line := func(n int) (ref, line string) {
			var labels []string
			for _, l := range []string{"bolt", "nut", "washer"} {
				if r.IntN(2) == 0 {
					labels = append(labels, l)
				}
			}
			key := fmt.Sprintf("%d.jpg", n)
			return "s3://imgs/" + key, boxLine(key, labels...)
		}
		now, text := past{}, ""
		for n := range 40 {
			ref, l := line(n)
			now[ref] = l
			text += l + "\n"
		}
		states := []past{nil, now}
		w.load(t, fovea.Train, text)
		for round := range 20 { // enough for segments to be merged
			now = maps.Clone(now)
			if r.IntN(3) == 0 {
				to := 1 + r.Int64N(int64(len(states)-1))
				now = states[to]
				w.restore(t, fovea.Train, to)
			} else {
				changes, seen := "", past{}
				for range 1 + r.IntN(20) {
					ref, l := line(r.IntN(60 + round))
					if seen[ref] == "" {
						now[ref], seen[ref] = l, l
						changes += l + "\n"
					}
				}
				if v := w.change(t, fovea.Train, changes); v.Dataset.Status != fovea.Updated {
					t.Fatalf("seed %d round %d: %+v", seed, round, v.Dataset)
				}
			}
			states = append(states, now)
		}
		v := w.view(t, fovea.Train)
		commits, err := w.History(context.Background(), v, 0, 100)
		if err != nil || len(commits) != len(states)-1 {
			t.Fatalf("history = %d revisions, %v; want %d", len(commits), err, len(states)-1)
		}
		for i, c := range commits {
			want := int64(len(states) - 1 - i)
			if c.Number != want || c.Current != (i == 0) || c.Stats.Entries != int64(len(states[want])) {
				t.Errorf("seed %d: history[%d] = %+v", seed, i, c.Revision)
			}
			if grown := int64(len(states[want]) - len(states[want-1])); c.Known && c.Added-c.Removed != grown {
				t.Errorf("seed %d: revision %d grew by %d - %d, not %d", seed, want, c.Added, c.Removed, grown)
			}
			if diff := cmp.Diff(states[want], w.pastOf(t, v, want)); diff != "" {
				t.Fatalf("seed %d: entries of revision %d (-want +got):\n%s", seed, want, diff)
			}
		}
		for a := range int64(len(states)) {
			b := 1 + r.Int64N(int64(len(states)-1))
			if a == 0 {
				continue
			}
			w.DiffKeys = []uint64{0, 1, 7}[r.IntN(3)]
			lines, labels := w.diff(t, v, a, b)
			wantLines, wantLabels := naiveDiff(states[a], states[b])
			if diff := cmp.Diff([]any{wantLines, wantLabels}, []any{lines, labels}); diff != "" {
				t.Fatalf("seed %d: diff %d %d with %d keys (-want +got):\n%s", seed, a, b, w.DiffKeys, diff)
			}
		}
	}
}

// restore restores a revision and returns the dataset.
func (w *world) restore(t testing.TB, split fovea.Split, number int64) *dataset.View {
	t.Helper()
	v, err := w.Restore(context.Background(), dataset.Restoration{Project: w.project, Split: split, Revision: number})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestRestore: a restore makes a new revision that shares the segments of the
// old one, and the next update adds entries after all that ever were.
func TestRestore(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt")+"\n"+boxLine("b.jpg", "nut"))
	first := w.view(t, fovea.Train).Revision
	w.change(t, fovea.Train, boxLine("a.jpg", "nut")+"\n"+boxLine("c.jpg", "washer"))
	second := w.view(t, fovea.Train).Revision
	v := w.restore(t, fovea.Train, 1)
	r := w.view(t, fovea.Train).Revision
	if v.Dataset.Status != fovea.Updated || v.Dataset.Revision != 3 || r.Number != 3 || r.Cause != "restore of 1" || r.Report != "" {
		t.Errorf("restored: %+v %+v", v.Dataset, r)
	}
	if diff := cmp.Diff([]any{first.Stats, first.Labels, second.NextSeq}, []any{r.Stats, r.Labels, r.NextSeq}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want := []string{boxLine("a.jpg", "bolt"), boxLine("b.jpg", "nut")}
	if diff := cmp.Diff(want, w.entries(t, w.view(t, fovea.Train), segment.Filter{}, 10)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	v = w.change(t, fovea.Train, boxLine("d.jpg", "bolt"))
	if diff := cmp.Diff(append(want, boxLine("d.jpg", "bolt")), w.entries(t, v, segment.Filter{}, 10)); diff != "" {
		t.Errorf("entries after an update (-want +got):\n%s", diff)
	}
}

// TestRestoreStates: a restore is refused when an update is (CL-4.2), and of a
// revision that is not there.
func TestRestoreStates(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	refused := func(what string, number int64, kind fovea.Kind) {
		t.Helper()
		_, err := w.Restore(ctx, dataset.Restoration{Project: w.project, Split: fovea.Train, Revision: number})
		if fovea.KindOf(err) != kind || err == nil {
			t.Errorf("%s: %v, want %v", what, err, kind)
		}
	}
	refused("no dataset", 1, fovea.NotFound)
	job := w.create(t, fovea.Train, "not a manifest")
	refused("creating", 1, fovea.InUse)
	if err := w.RunImport(ctx, job); err != nil {
		t.Fatal(err)
	}
	refused("failed", 1, fovea.NotReady)
	if err := w.Delete(ctx, w.project, fovea.Train, nil, nil); err != nil {
		t.Fatal(err)
	}
	v := w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	refused("no such revision", 2, fovea.NotFound)
	for _, pair := range [][2]int64{{1, 2}, {2, 1}, {0, 1}} {
		if _, err := w.Diff(ctx, v, pair[0], pair[1], nil); fovea.KindOf(err) != fovea.NotFound {
			t.Errorf("diff %d: %v", pair, err)
		}
	}
	if _, err := w.Entries(ctx, v, dataset.Query{Revision: 2, Max: 1}); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("entries of no revision: %v", err)
	}
	w.update(t, fovea.Train, boxLine("b.jpg", "bolt"))
	refused("updating", 1, fovea.InUse)
	if v := w.view(t, fovea.Train); v.Dataset.Revision != 1 {
		t.Errorf("a refused restore left %+v", v.Dataset)
	}
}

// TestRetention: revisions are dropped by their number and by the time since
// they were replaced, never the current one, never one replaced within 25
// hours (CL-2.5); then the sweep takes what only they had.
func TestRetention(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.SweepAge = -300_000 * time.Hour // the blobs are of today
	start := time.UnixMilli(1_700_000_000_000).UTC()
	now := start
	w.Now = func() time.Time { return now }
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	for n := range 9 { // revision 2+n, n+1 hours after the first
		now = now.Add(time.Hour)
		w.change(t, fovea.Train, boxLine("a.jpg", []string{"nut", "bolt"}[n%2]))
	}
	kept := func() (numbers []int64) {
		list, err := w.History(ctx, w.view(t, fovea.Train), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			numbers = append(numbers, c.Number)
		}
		return numbers
	}
	hour := time.Hour
	for _, tt := range []struct {
		name string
		at   time.Duration // after the first revision
		keep dataset.Retention
		want []int64
	}{
		{"all young", 25 * hour, dataset.Retention{Revisions: 1, Age: 1}, []int64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		{"no bounds", 9999 * hour, dataset.Retention{}, []int64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		{"replaced 25 hours ago", 26*hour + 1e6, dataset.Retention{Revisions: 1}, []int64{10, 9, 8, 7, 6, 5, 4, 3, 2}},
		{"number", 100 * hour, dataset.Retention{Revisions: 7}, []int64{10, 9, 8, 7, 6, 5, 4}},
		{"age", 100*hour + 5*hour + 1e6, dataset.Retention{Age: 100 * hour}, []int64{10, 9, 8, 7, 6}},
		{"either", 9999 * hour, dataset.Retention{Revisions: 1, Age: hour}, []int64{10}},
	} {
		now = start.Add(tt.at)
		if _, err := w.DropRevisions(ctx, tt.keep); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, kept()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		if err := w.RunSweep(ctx); err != nil {
			t.Fatal(err)
		}
		for _, number := range tt.want {
			w.pastOf(t, w.view(t, fovea.Train), number)
		}
	}
	segments := 0
	for _, err := range w.Blobs.List(ctx, "segments/") {
		if segments++; err != nil {
			t.Fatal(err)
		}
	}
	if segments != 1 {
		t.Errorf("the sweep left %d segments of one revision of one entry", segments)
	}
}

// counting counts how often blobs are opened, by name.
type counting struct {
	fovea.Blobs
	mu     sync.Mutex
	opened map[string]int
}

// Open implements fovea.Blobs.
func (c *counting) Open(ctx context.Context, name string) (fovea.Blob, error) {
	c.mu.Lock()
	c.opened[name]++
	c.mu.Unlock()
	return c.Blobs.Open(ctx, name)
}

// TestWhatDiffReads: segments that both revisions have alike are not
// read, and of one that has lost a row only that row is compared.
func TestWhatDiffReads(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.ImportRange = 5000 // too few segments to be merged
	text := ""
	for n := range 100 {
		text += boxLine(fmt.Sprintf("%d.jpg", n), "bolt") + "\n"
	}
	w.load(t, fovea.Train, text)
	v := w.change(t, fovea.Train, boxLine("50.jpg", "nut"))
	blobs := &counting{Blobs: w.Blobs, opened: map[string]int{}}
	w.Reader = &segment.Reader{Blobs: blobs}
	lines, _ := w.diff(t, v, 1, 2)
	if want := []string{"changed s3://imgs/50.jpg " + boxLine("50.jpg", "bolt") + " " + boxLine("50.jpg", "nut")}; !slices.Equal(lines, want) {
		t.Errorf("diff = %q, want %q", lines, want)
	}
	if len(blobs.opened) != 2 {
		t.Errorf("opened %v, want the segment of the old line and that of the new one", blobs.opened)
	}
	blobs.opened = map[string]int{}
	if lines, _ := w.diff(t, v, 2, 2); lines != nil || len(blobs.opened) > 0 {
		t.Errorf("a revision and itself: %q, opened %v", lines, blobs.opened)
	}
}

// TestErrorEndsDiff: an error of the function ends a Diff with it.
func TestErrorEndsDiff(t *testing.T) {
	w := newWorld(t, rekognition.Profile(rekognition.Limits()))
	w.load(t, fovea.Train, boxLine("a.jpg", "bolt"))
	v := w.change(t, fovea.Train, boxLine("a.jpg", "nut")+"\n"+boxLine("b.jpg", "nut"))
	stop := errors.New("enough")
	for _, pair := range [][2]int64{{1, 2}, {2, 1}} {
		calls := 0
		_, err := w.Diff(context.Background(), v, pair[0], pair[1], func(dataset.Difference) error { calls++; return stop })
		if !errors.Is(err, stop) || calls != 1 {
			t.Errorf("diff %v ended with %v after %d calls", pair, err, calls)
		}
	}
}
