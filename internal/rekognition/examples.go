package rekognition

import (
	"cmp"
	"context"
	"crypto/sha256"
	"slices"

	"fovea"
	"fovea/internal/imaging"
	"fovea/internal/lint"
	"fovea/internal/manifest"
	"fovea/internal/ml/head"
	"fovea/internal/model"
)

// A sample is a manifest line of a training.
type sample struct {
	number int64 // of the line, from 1
	image  fovea.ObjectRef
	labels []string // of the whole image, sorted
	boxes  []target
	state  lineState
	failed bool // it has errors
	repeat bool // an earlier line has its image
	width  int  // of the image in pixels, upright
	height int
}

// A lineState says what becomes of a line (CL-6.113).
type lineState uint8

const (
	validLine   lineState = iota
	invalidLine           // it cannot be used
	ignoredLine           // it has warnings only (CL-6.54)
)

// A target is a labelled box, in pixels of an image of that size.
type target struct {
	label string
	head.Box
	width, height float64
}

// codeImage is the error of an image that cannot be used (CL-6.39). It is found
// in training only.
const (
	codeImage    = "ERROR_INVALID_IMAGE"
	messageImage = "The image is invalid. Check S3 path and/or image properties."
)

// A list is what a manifest of a training has.
type list struct {
	samples []sample
	buckets map[string]bool
	lines   int64
	dropped int64                      // lines that creating a dataset would drop (CL-6.20)
	seen    map[[sha256.Size]byte]bool // source-refs
}

// add adds a line that was judged. Of lines with one image the first counts (CL-6.22).
func (l *list) add(number int64, doc *manifest.Doc, e *manifest.Entry) {
	s := sampleOf(doc, e)
	if ref := sha256.Sum256(e.SourceRef); !e.Dropped && l.seen[ref] {
		s = sample{state: invalidLine, failed: true, repeat: true}
	} else {
		l.seen[ref] = true
	}
	s.number = number
	l.lines = number
	l.samples = append(l.samples, s)
	if e.Dropped || s.repeat {
		l.dropped++
	}
	if s.image.Bucket != "" {
		l.buckets[s.image.Bucket] = true
	}
}

// readSamples judges every line of a split, as creating a dataset does, and
// keeps what is learnt from it. More lines than a dataset may have are a
// *model.Failure with the message of one: they come from manifests then
// (CL-12.3).
func readSamples(ctx context.Context, run *model.Run, split fovea.Split) (*list, error) {
	out := &list{buckets: map[string]bool{}, seen: map[[sha256.Size]byte]bool{}}
	checker := newChecker(run.Limits)
	var doc manifest.Doc
	var entry manifest.Entry
	err := run.Lines(ctx, split, func(number int64, line []byte, bad *manifest.LineError) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if most := run.Limits.Entries(split); most > 0 && number > most && run.External() {
			return &model.Failure{Message: faults[fovea.FaultTooMany].message}
		}
		if bad == nil {
			bad = doc.Parse(line, int(run.Limits.LineChars))
		}
		entry.Reset()
		entry.Line, entry.Number = line, number
		checker.Check(&entry, &doc, bad)
		out.add(number, &doc, &entry)
		return nil
	})
	return out, err
}

// sampleOf returns what is learnt from a line that was judged.
func sampleOf(doc *manifest.Doc, e *manifest.Entry) sample {
	if e.Dropped {
		return sample{state: invalidLine, failed: true}
	}
	bucket, key, _ := lint.SplitRef(e.SourceRef)
	s := sample{image: fovea.ObjectRef{Bucket: string(bucket), Key: string(key)}}
	ignored := false
	for _, p := range e.Problems {
		switch {
		case p.Severity == manifest.Error:
			s.failed = true
			if p.Code == codeNoAttributes || p.Code == codeNoValid {
				s.state = invalidLine
			}
		case p.Code == codeUnannotated || p.Code == codeWithoutBoxes:
			ignored = true
		}
	}
	switch {
	case s.state == invalidLine:
		return s
	case ignored:
		s.state = ignoredLine
		return s
	}
	usable := map[string]bool{}
	for _, l := range e.Labels {
		if l.Used {
			usable[l.Name] = true
		}
	}
	wrong := map[string]bool{} // places that have errors
	for _, p := range e.Problems {
		if p.Severity == manifest.Error {
			wrong[p.At] = true
		}
	}
	s.readTargets(doc, usable, wrong)
	return s
}

// readTargets reads the labels and boxes of the line, those that are valid: of
// labels that the checker let through, at places without errors. How many boxes
// there may be is for the checker to say.
func (s *sample) readTargets(doc *manifest.Doc, usable, wrong map[string]bool) {
	var line lint.Line
	line.Read(doc, isReserved)
	for _, pair := range line.Pairs {
		if wrong[doc.PointerOf(pair.Value)] || wrong[doc.PointerOf(pair.Meta)] {
			continue
		}
		if node := doc.Member(pair.Meta, "class-name"); node >= 0 && doc.Type(pair.Value) != manifest.Object {
			if name := string(doc.Str(node, nil)); usable[name] {
				s.labels = append(s.labels, name)
			}
			continue
		}
		size := doc.Member(pair.Value, "image_size")
		if size < 0 {
			continue
		}
		frame, ok := sizeAt(doc, size)
		if !ok {
			continue
		}
		for _, b := range appendBoxes(nil, doc, pair, 0) {
			if usable[b.Label] && !wrong[b.At.Pointer] {
				s.boxes = append(s.boxes, target{b.Label, head.Box{Left: b.Left, Top: b.Top, Width: b.Width, Height: b.Height}, frame.Width, frame.Height})
			}
		}
	}
	slices.Sort(s.labels)
	s.labels = slices.Compact(s.labels)
}

// opened counts images that were looked at.
type opened struct {
	images int // all of them
	unread int // that could not be read from where they are
	denied int // of those, that may not be
}

// none reports whether no image could be read, of at least one.
func (o opened) none() bool { return o.images > 0 && o.unread == o.images }

// openSamples looks at every image that is to be used, and makes lines invalid
// whose image cannot be (CL-6.39).
func openSamples(ctx context.Context, images *model.Images, l *list, progress func(done float64)) (found opened, err error) {
	ref := func(i int) (ref fovea.ObjectRef) {
		if l.samples[i].state == validLine {
			ref = l.samples[i].image
		}
		return ref
	}
	err = images.CheckAll(ctx, len(l.samples), ref, func(i int, info imaging.Info, fault model.ImageFault) {
		s := &l.samples[i]
		s.width, s.height = info.Width, info.Height
		if info.Orientation >= 5 {
			s.width, s.height = s.height, s.width // upright, as it is trained with (CL-10.40)
		}
		if fault != model.Usable {
			s.state, s.failed = invalidLine, true
		}
		found.images++
		if fault == model.UnreadImage || fault == model.DeniedImage {
			found.unread++
		}
		if fault == model.DeniedImage {
			found.denied++
		}
		progress(float64(found.images) / float64(len(l.samples)))
	})
	return found, err
}

// use returns the samples of the list that can be used.
func (l *list) use() []sample {
	var out []sample
	for _, s := range l.samples {
		if s.state == validLine {
			out = append(out, s)
		}
	}
	return out
}

// testShare is the part of a manifest that tests a model for which there is no
// test data (CL-9.3).
const testShare = 0.2

// splitSamples takes a test set out of the samples, of every label alike, by a
// hash of the images' names: the same images test every model. It fails if a
// label has too few images (CL-6.84).
func splitSamples(all []sample) (train, test []sample, ok bool) {
	order := slices.Clone(all)
	slices.SortFunc(order, func(a, b sample) int {
		x, y := sha256.Sum256([]byte(a.image.String())), sha256.Sum256([]byte(b.image.String()))
		return cmp.Or(slices.Compare(x[:], y[:]), cmp.Compare(a.number, b.number))
	})
	total, taken := map[string]int{}, map[string]int{}
	for i := range order {
		for _, name := range order[i].names() {
			total[name]++
		}
	}
	for _, n := range total {
		if n < 2 {
			return nil, nil, false
		}
	}
	for _, s := range order {
		names := s.names()
		wanted, last := false, false
		for _, name := range names {
			wanted = wanted || float64(taken[name]) < testShare*float64(total[name])
			last = last || total[name]-taken[name] == 1 // the one that is left trains
		}
		if !wanted || last {
			train = append(train, s)
			continue
		}
		for _, name := range names {
			taken[name]++
		}
		test = append(test, s)
	}
	return train, test, len(test) > 0
}

// names returns the labels of a sample, each once, whatever they are on.
func (s *sample) names() []string {
	names := slices.Clone(s.labels)
	for _, b := range s.boxes {
		names = append(names, b.label)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
