package dataset

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"fovea"
	"fovea/internal/manifest"
	"fovea/internal/quality"
)

// maxObserved is how many findings of a code about the whole of a dataset are
// told; more are only counted.
const maxObserved = 10_000

// An observation is a finding about a line that could only be made when all
// lines had been read. Where the line is and what image it names is looked up
// when it is told.
type observation struct {
	part    int
	line    int64 // in the part
	problem manifest.Problem
}

// An examiner finds what is wrong with a dataset as a whole.
type examiner struct {
	scan *scan
	out  *outcome
	dups *deduplicator
}

// examine adds to the outcome what is found in the images and labels together.
func (s *scan) examine(ctx context.Context, out *outcome, d *deduplicator) error {
	if !s.examined() {
		return nil
	}
	e := &examiner{s, out, d}
	e.labels()
	for _, step := range []func(context.Context) error{e.rareLabels, e.outliers, e.repeated, e.inBoth} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("compare the images: %w", err)
		}
	}
	slices.SortStableFunc(out.observed, func(a, b observation) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.line, b.line))
	})
	return nil
}

// examined tells whether the images are decoded and compared.
func (s *scan) examined() bool { return s.images != nil && s.images.Quality && s.whole }

// observe adds a finding about a line.
func (e *examiner) observe(part int, line int64, p manifest.Problem) {
	if e.out.codes[p.Code]++; e.out.codes[p.Code] <= maxObserved {
		e.out.observed = append(e.out.observed, observation{part, line, p})
	}
}

// images yields what was seen of the images.
func (e *examiner) images(ctx context.Context) func() iter.Seq2[*seen, error] {
	return func() iter.Seq2[*seen, error] { return e.scan.seen(ctx, e.out, e.dups) }
}

// outliers finds images that are unlike all others.
func (e *examiner) outliers(ctx context.Context) error {
	var spread quality.Spread
	for v, err := range e.images(ctx)() {
		if err != nil {
			return err
		}
		spread.Add(&v.Look)
	}
	find := spread.Bounds()
	for v, err := range e.images(ctx)() {
		if err != nil {
			return err
		}
		for _, o := range find(&v.Look) {
			e.observe(v.part, int64(v.line), outlier(&v.Look, o))
		}
	}
	return nil
}

// outlier words that an image is unlike the others.
func outlier(l *quality.Look, o quality.Outlier) manifest.Problem {
	switch o.Measure {
	case quality.Pixels:
		return doubt(sizeOutlier, fmt.Sprintf("It is %dx%d, %s pixels.", l.Width, l.Height, number(math.Round(o.Value))),
			fmt.Sprintf("about %s pixels, the median of the dataset", number(o.Median)), "Check that it is of the same kind as the others; scale it like them, or remove the line.")
	case quality.Brightness:
		mend := "Check the exposure: if hardly anything can be seen, remove the line."
		return doubt(brightOutlier, fmt.Sprintf("Its brightness is %.0f of 255.", o.Value), fmt.Sprintf("about %.0f, the median of the dataset", o.Median), mend)
	}
	mend := "Check whether it is out of focus or moved: if so, take it again or remove the line."
	if o.Above {
		mend = "Check whether it is noisy, drawn, or a screenshot: if it is unlike what will be detected, remove the line."
	}
	return doubt(sharpOutlier, fmt.Sprintf("Its sharpness is %.2g.", o.Value), fmt.Sprintf("about %.2g, the median of the dataset", o.Median), mend)
}

// repeated finds images that repeat one before them.
func (e *examiner) repeated(ctx context.Context) error {
	return e.compare(ctx, e.images(ctx), true, func(r repeat) {
		of := e.out.parts[r.of.part].firstLine + int64(r.of.line)
		e.observe(r.by.part, int64(r.by.line), repeatOf(r, fmt.Sprintf("line %d", of)))
		if r.of.labels != r.by.labels {
			e.observe(r.by.part, int64(r.by.line), doubt(labelsDiffer, fmt.Sprintf("Its labels are not those of line %d.", of),
				"the same labels for the same picture", "Correct the labels of one of them, or remove one line."))
		}
	})
}

// inBoth finds images that are in the other dataset, too.
func (e *examiner) inBoth(ctx context.Context) error {
	other := e.scan.other
	if other == nil {
		return nil
	}
	others := func() iter.Seq2[*seen, error] { return other.seen(ctx) }
	err := e.compare(ctx, others, false, func(r repeat) {
		p := repeatOf(r, fmt.Sprintf("line %d of the %s dataset, %s", r.of.line, other.Split, excerpt(other.Manifest)))
		e.observe(r.by.part, int64(r.by.line), doubt(bothSplits, p.Found, "images that the other dataset has not", "Remove the line here or there: what is measured with it is too good."))
	})
	if errors.Is(err, errOther) {
		return nil // what is lost of another dataset is no reason to fail this one
	}
	return err
}

// compare calls tell with each image that repeats one of others, once.
func (e *examiner) compare(ctx context.Context, others func() iter.Seq2[*seen, error], same bool, tell func(repeat)) error {
	told := map[int64]repeat{}
	more := roaring.New() // that are only counted
	c := comparison{others: others, images: e.images(ctx), same: same, stride: cmp.Or(e.scan.images.stride, seenInMemory), found: func(n int64, r repeat) {
		old, ok := told[n]
		switch {
		case ok && (old.Exact || !r.Exact && old.Similarity >= r.Similarity):
		case ok, len(told) < maxRepeats:
			told[n] = r
		case more.CheckedAdd(uint32(n)):
			e.out.codes[codeOf(r, same)]++
		}
	}}
	if err := c.run(ctx); err != nil {
		return err
	}
	numbers := make([]int64, 0, len(told))
	for n := range told {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		tell(told[n])
	}
	return nil
}

// codeOf returns the code of a repeat among the images, or of another dataset.
func codeOf(r repeat, same bool) string {
	switch {
	case !same:
		return bothSplits
	case r.Exact:
		return dupImage
	}
	return nearImage
}

// repeatOf words that an image repeats another one.
func repeatOf(r repeat, of string) manifest.Problem {
	const mend = "Remove one of the two lines: a picture that is there twice counts twice, and may end in both train and test."
	if r.Exact {
		return doubt(dupImage, "It has the bytes of the image of "+of+".", "another image", mend)
	}
	found := fmt.Sprintf("It is like the image of %s: similarity %.2f of 1", of, r.Similarity)
	if how := r.Turn.String(); how != "" {
		found += ", " + how
	}
	return doubt(nearImage, found+".", fmt.Sprintf("a similarity below %.2f", quality.Alike), mend)
}

// A labelSite is the first line that uses a label.
type labelSite struct {
	part int
	line int64
}

// rareLabels finds what is wrong with how often labels are used.
func (e *examiner) rareLabels(ctx context.Context) error {
	sites, err := e.sites(ctx)
	if err != nil {
		return err
	}
	counts := slices.Clone(e.out.labels)
	for i, c := range []struct {
		name string
		n    int64
	}{{manifest.Normal.String(), e.out.stats.Normal}, {manifest.Anomaly.String(), e.out.stats.Anomaly}} {
		if c.n > 0 && e.out.classes[i].line > 0 {
			counts = append(counts, fovea.LabelCount{Name: c.name, Entries: c.n})
			sites[c.name] = e.out.classes[i]
		}
	}
	most := fovea.LabelCount{}
	for _, l := range counts {
		if l.Entries > most.Entries {
			most = l
		}
	}
	plain := map[string]string{}
	for _, l := range counts {
		at, ok := sites[l.Name]
		if !ok || l.Entries == 0 {
			continue
		}
		for _, p := range labelDoubts(l, most, plain) {
			e.observe(at.part, at.line, p)
		}
	}
	return nil
}

// labelDoubts returns what is wrong with how often a label is used, of which the
// most frequent one is given, and how it is written; plain remembers the labels
// before.
func labelDoubts(l, most fovea.LabelCount, plain map[string]string) (list []manifest.Problem) {
	name := `"` + manifest.Excerpt([]byte(l.Name), maxFound) + `"`
	images := fmt.Sprintf("The label %s is on %d images.", name, l.Entries)
	if l.Entries == 1 {
		images = fmt.Sprintf("The label %s is on 1 image.", name)
	}
	switch {
	case l.Entries < quality.NeedToSplit:
		list = append(list, doubt(labelNoSplit, images, fmt.Sprintf("%d images or more, one for each dataset", quality.NeedToSplit), "Add images of it, or take the label away."))
	case l.Entries < quality.FewToLearn:
		list = append(list, doubt(labelRare, images, fmt.Sprintf("%d images or more", quality.FewToLearn), "Add images of it, or join it with another label."))
	}
	if l.Entries*quality.Imbalance < most.Entries {
		list = append(list, doubt(imbalance, images, fmt.Sprintf("at least 1/%d of the %d images of %q", quality.Imbalance, most.Entries, manifest.Excerpt([]byte(most.Name), maxFound)),
			"Add images of it, or leave some of the frequent label out."))
	}
	if l.Boxed > 0 && l.Boxed < l.Entries {
		list = append(list, doubt(mixedUse, fmt.Sprintf("The label %s is on boxes in %d images and on the whole image in %d others.", name, l.Boxed, l.Entries-l.Boxed),
			"boxes in all images, or in none", "Draw boxes for it in all images, or give the whole images another label."))
	}
	if p := quality.PlainLabel(l.Name); p != "" {
		if other, ok := plain[p]; ok {
			list = append(list, doubt(alikeLabels, fmt.Sprintf("There are the labels %q and %s.", manifest.Excerpt([]byte(other), maxFound), name), "one way to write a label", "Write it in one way in all lines, if they mean the same."))
		} else {
			plain[p] = l.Name
		}
	}
	return list
}

// sites returns the first lines that use the labels.
func (e *examiner) sites(ctx context.Context) (map[string]labelSite, error) {
	sites := map[string]labelSite{}
	for i, p := range e.out.parts {
		if err := p.fetch(ctx, e.scan.blobs); err != nil {
			return nil, err
		}
		for _, l := range p.Labels {
			if _, ok := sites[l.Name]; !ok && l.First > 0 {
				sites[l.Name] = labelSite{i, l.First}
			}
		}
		p.letGo()
	}
	return sites, nil
}

// labels finds kinds of labels that do not go together, and notes where the
// classes of Lookout are first.
func (e *examiner) labels() {
	var kinds labelKinds
	var sites [labelKindCount]labelSite
	for i, p := range e.out.parts {
		for k := range kinds {
			if kinds[k].Entries += p.Kinds[k].Entries; sites[k].line == 0 && p.Kinds[k].First > 0 {
				sites[k] = labelSite{i, p.Kinds[k].First}
			}
		}
	}
	e.out.classes[0], e.out.classes[1] = sites[normalEntry], sites[maskedEntry]
	if at := sites[unmaskedEntry]; at.line > 0 && (sites[maskedEntry].line == 0 || before(at, sites[maskedEntry])) {
		e.out.classes[1] = at
	}
	e.mixture(kinds, sites, boxedEntry, wholeEntry, mixedKinds, "%d images have boxes, and %d have only labels of the whole image.", "one kind of label",
		"Draw boxes in all images, or make two projects.")
	e.mixture(kinds, sites, maskedEntry, unmaskedEntry, mixedMasks, "%d anomalous images have a mask with a label, and %d have none.", "a mask for every anomalous image, or for none",
		"Draw the missing masks: without them the images teach nothing about places.")
}

// mixture finds that entries of two kinds are there, at the first of the kind
// that is less frequent.
func (e *examiner) mixture(kinds labelKinds, sites [labelKindCount]labelSite, a, b int, code, found, expected, mend string) {
	if kinds[a].Entries == 0 || kinds[b].Entries == 0 {
		return
	}
	rare := a
	if kinds[b].Entries < kinds[a].Entries {
		rare = b
	}
	e.observe(sites[rare].part, sites[rare].line, doubt(code, fmt.Sprintf(found, kinds[a].Entries, kinds[b].Entries), expected, mend))
}

func before(a, b labelSite) bool { return a.part < b.part || a.part == b.part && a.line < b.line }

// The kinds of labelled entries.
const (
	boxedEntry    = iota // it has boxes
	wholeEntry           // it has only labels of the whole image
	normalEntry          // Lookout
	maskedEntry          // an anomaly with a label in its mask
	unmaskedEntry        // an anomaly without
	labelKindCount
)

// labelKinds counts entries by kind.
type labelKinds [labelKindCount]struct {
	Entries int64
	First   int64 // the first line of one
}

// add counts an entry.
func (k *labelKinds) add(e *manifest.Entry) {
	used, boxed := false, false
	for i := range e.Labels {
		used = used || e.Labels[i].Used
		boxed = boxed || e.Labels[i].Boxed
	}
	kind := wholeEntry
	switch {
	case e.Class == manifest.Normal:
		kind = normalEntry
	case e.Class == manifest.Anomaly && used:
		kind = maskedEntry
	case e.Class == manifest.Anomaly:
		kind = unmaskedEntry
	case boxed:
		kind = boxedEntry
	case !used:
		return
	}
	if k[kind].Entries++; k[kind].First == 0 {
		k[kind].First = e.Number
	}
}

// boxDoubts returns what is wrong with the boxes of an image among themselves.
func boxDoubts(want *fovea.ImageExpectation) (list []manifest.Problem) {
	boxes := make([]quality.Box, len(want.Boxes))
	for i, b := range want.Boxes {
		boxes[i] = quality.Box{Label: b.Label, Left: b.Left, Top: b.Top, Width: b.Width, Height: b.Height}
	}
	for _, pair := range quality.Coincident(boxes) {
		a, b := &want.Boxes[pair.First], &want.Boxes[pair.Second]
		found := fmt.Sprintf("It shares %.0f %% with the box at %s, labelled %q.", 100*pair.Overlap, a.At.Pointer, manifest.Excerpt([]byte(a.Label), maxFound))
		p := doubt(boxTwice, found, "one box for each object", "Remove one of them, if they are for one object.")
		if a.Label != b.Label {
			p = doubt(boxesCoincide, strings.Replace(found, "labelled", "whose label is", 1), "one label for each object", "Remove the box whose label is wrong; join the labels if both are right.")
		}
		p.Pointer, p.Offset = b.At.Pointer, b.At.Offset
		list = append(list, p)
	}
	return list
}
