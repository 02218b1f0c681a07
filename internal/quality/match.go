package quality

import (
	"cmp"
	"math/bits"
	"slices"
)

const (
	// Alike is the similarity from which two pictures are nearly the same.
	// docs/quality.md shows what lies on both sides of it.
	Alike = 0.89

	radius     = 18   // bits in which the hashes of a pair that is compared differ at most
	compared   = 48   // pairs of an image that are compared, those with the nearest hashes
	unchanged  = 0.99 // similarity that no other pair will beat
	probeFlips = 2    // bits of a band that a probe changes
)

// A Match is an image that another one repeats.
type Match struct {
	Index      int     // of the image, among those of the Matcher
	Exact      bool    // the files are the same
	Similarity float32 // Alike to 1; 1 if Exact
	Turn       Turn    // what was done to one of them, besides
}

// A Matcher finds images among some that it holds in memory: about 1.2
// kilobytes for each. It may be used by several goroutines at once.
type Matcher struct {
	looks []Look
	sums  map[[16]byte]int32 // of the first image with each
	bands [len(bandBits)]band
}

// bandBits are the parts into which a hash is cut. Two hashes that differ in
// no more than 14 bits differ in at most probeFlips of one of five parts.
var bandBits = [...]int{13, 13, 13, 13, 12}

// A band finds the images whose hashes have one value in one part of them.
type band struct {
	shift, bits int
	starts      []int32 // in ids, by value
	ids         []int32
}

// NewMatcher returns a matcher of these images, which it keeps.
func NewMatcher(looks []Look) *Matcher {
	m := &Matcher{looks: looks, sums: make(map[[16]byte]int32, len(looks))}
	for i := range looks {
		if _, ok := m.sums[looks[i].Sum]; !ok {
			m.sums[looks[i].Sum] = int32(i)
		}
	}
	shift := 0
	for i, n := range bandBits {
		m.bands[i] = newBand(looks, shift, n)
		shift += n
	}
	return m
}

// newBand sorts the images by the n bits of their hashes from shift.
func newBand(looks []Look, shift, n int) band {
	b := band{shift: shift, bits: n, starts: make([]int32, 1<<n+1), ids: make([]int32, len(looks))}
	for i := range looks {
		b.starts[b.valueOf(looks[i].Hash)+1]++
	}
	for v := range 1 << n {
		b.starts[v+1] += b.starts[v]
	}
	next := slices.Clone(b.starts)
	for i := range looks {
		v := b.valueOf(looks[i].Hash)
		b.ids[next[v]] = int32(i)
		next[v]++
	}
	return b
}

func (b *band) valueOf(hash uint64) int { return int(hash >> b.shift & (1<<b.bits - 1)) }

// Match returns the image among the first n that l repeats: the first that has
// the same file, or the one that is most like it. It returns false if there is
// none.
func (m *Matcher) Match(l *Look, n int) (Match, bool) {
	if i, ok := m.sums[l.Sum]; ok && int(i) < n {
		return Match{Index: int(i), Exact: true, Similarity: 1}, true
	}
	if l.Flat || n == 0 {
		return Match{}, false
	}
	best := Match{Similarity: Alike}
	found := false
	mine := subjectOf(&l.Thumb)
	for _, c := range m.candidates(l, n) {
		s := mine.similarity(viewOf(&m.looks[c.id].Thumb, c.turn))
		if s >= best.Similarity {
			best, found = Match{Index: int(c.id), Similarity: min(s, 1), Turn: c.turn}, true
		}
		if s > unchanged {
			break
		}
	}
	return best, found
}

// A candidate is an image with a hash like that of another one.
type candidate struct {
	distance int
	id       int32
	turn     Turn
}

// candidates returns the images among the first n with the nearest hashes,
// nearest first.
func (m *Matcher) candidates(l *Look, n int) []candidate {
	q := query{matcher: m, n: n}
	for t := range Turn(turns) {
		// What is turned back is turned: only quarter turns differ.
		q.search(turned(l.Hash, t), inverse(t))
	}
	slices.SortFunc(q.found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.id, b.id), cmp.Compare(a.turn, b.turn))
	})
	return q.found[:min(len(q.found), compared)]
}

// inverse returns the turn that undoes t.
func inverse(t Turn) Turn {
	switch t {
	case transpose | mirrorX:
		return transpose | mirrorY
	case transpose | mirrorY:
		return transpose | mirrorX
	}
	return t
}

// A query collects candidates.
type query struct {
	matcher *Matcher
	n       int
	found   []candidate
}

// search adds the images whose hash is near the one given: in the bands, or in
// all images where that is less work.
func (q *query) search(hash uint64, t Turn) {
	work := 0
	for i := range q.matcher.bands {
		q.matcher.bands[i].probe(hash, func(ids []int32) { work += len(ids) })
	}
	if work >= q.n {
		for i := range q.n {
			q.add(int32(i), hash, t)
		}
		return
	}
	for i := range q.matcher.bands {
		q.matcher.bands[i].probe(hash, func(ids []int32) {
			for _, id := range ids {
				if int(id) < q.n {
					q.addOnce(id, hash, t, i)
				}
			}
		})
	}
}

// probe calls fn with the images whose hash has the value of the given one in
// the band, or one that differs in up to probeFlips bits.
func (b *band) probe(hash uint64, fn func(ids []int32)) {
	value := b.valueOf(hash)
	visit := func(v int) {
		if ids := b.ids[b.starts[v]:b.starts[v+1]]; len(ids) > 0 {
			fn(ids)
		}
	}
	visit(value)
	for i := range b.bits {
		visit(value ^ 1<<i)
		for k := range i {
			visit(value ^ 1<<i ^ 1<<k)
		}
	}
}

// addOnce adds an image that was found in the band at index i, unless a band
// before has found it too.
func (q *query) addOnce(id int32, hash uint64, t Turn, i int) {
	diff := hash ^ q.matcher.looks[id].Hash
	if bits.OnesCount64(diff) > radius {
		return
	}
	for k := range i {
		if bits.OnesCount(uint(q.matcher.bands[k].valueOf(diff))) <= probeFlips {
			return
		}
	}
	q.add(id, hash, t)
}

// add adds an image if its hash is near enough. The list is cut when it is
// long, so that thousands of like images cost no more than time.
func (q *query) add(id int32, hash uint64, t Turn) {
	l := &q.matcher.looks[id]
	d := bits.OnesCount64(hash ^ l.Hash)
	if d > radius || l.Flat {
		return
	}
	q.found = append(q.found, candidate{d, id, t})
	if len(q.found) >= 64*compared {
		slices.SortFunc(q.found, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.id, b.id)) })
		q.found = q.found[:compared]
	}
}
