package classify

import (
	"context"
	"math/rand/v2"

	"fovea/internal/ml/feature"
	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

// A block is one feature of images with the head that decides by it.
type block struct {
	name     string  // as vision.md calls it
	source   source  // what it is made of
	method   method  // how
	optional bool    // it counts only where it makes predictions better
	weight   float64 // of its head in the mean of all

	fisher *feature.Fisher // of method fisher
	memory *feature.Memory // of method nearest
	tiles  *head.Linear    // of method tiled
	head   *head.Linear
}

// A source is the part of a view that a block is made of.
type source uint8

const (
	classical source = iota + 1
	deep
	global
	given
	fine
)

// A method is how a block is made of its source.
type method uint8

const (
	pooled  method = iota + 1 // statistics over the map
	fisher                    // a Fisher vector
	nearest                   // the extremes of the distances to a memory
	whole                     // as it is
	tiled                     // what a head says of tiles
)

// blocksOf returns the features of a task, without what is learnt.
func blocksOf(t Task, l lens, withMasks bool) []*block {
	blocks := ownBlocks(t, l.network != nil)
	if l.fine > 0 {
		blocks = append(blocks, &block{name: "C:knn fine", source: fine, method: nearest, optional: true})
	}
	if l.fine > 0 && withMasks {
		blocks = append(blocks, &block{name: "C:tiles", source: fine, method: tiled, optional: true})
	}
	if l.given > 0 {
		blocks = append(blocks, &block{name: "given", source: given, method: whole})
	}
	return blocks
}

// memories returns the features of a model of Anomaly that has no heads: the
// classical distances, and those by the cells of a backbone (Roth et al., Towards
// Total Recall in Industrial Anomaly Detection, 2022).
func memories(withBackbone bool) []*block {
	list := []*block{{name: "C:knn", source: classical, method: nearest}}
	if withBackbone {
		list = append(list, &block{name: "B:knn", source: deep, method: nearest})
	}
	return list
}

// ownBlocks returns the features that are made here.
func ownBlocks(t Task, withBackbone bool) []*block {
	switch {
	case t == Anomaly && withBackbone:
		return []*block{
			{name: "C:spm", source: classical, method: pooled},
			{name: "C:knn", source: classical, method: nearest},
			{name: "P:spm", source: deep, method: pooled},
			{name: "P:fv", source: deep, method: fisher},
		}
	case t == Anomaly:
		return []*block{
			{name: "C:spm", source: classical, method: pooled},
			{name: "C:knn", source: classical, method: nearest},
		}
	case withBackbone:
		return []*block{
			{name: "P", source: global, method: whole},
			{name: "C:fv", source: classical, method: fisher},
		}
	}
	return []*block{
		{name: "C:spm", source: classical, method: pooled},
		{name: "C:fv", source: classical, method: fisher},
	}
}

// raw tells whether the head takes the features as they are: the classical
// Fisher vector is even already.
func (b *block) raw() bool { return b.method == fisher && b.source == classical }

// strengths returns the values of C that are tried.
func (b *block) strengths() []float64 {
	if b.raw() {
		return head.FisherStrengths
	}
	return head.Strengths
}

// encode returns the features of a view.
func (b *block) encode(v *view) []float32 {
	switch b.method {
	case pooled:
		return v.cells(b.source).Pool()
	case fisher:
		return b.fisher.Encode(v.cells(b.source))
	case nearest:
		return feature.Extremes(b.memory.Distances(v.cells(b.source)))
	case tiled:
		return ofTiles(b.tiles, v.cells(b.source))
	}
	if b.source == given {
		return v.given
	}
	return v.global
}

// learn learns what the features need to know, from the sample of images for
// which keep is true. A memory is made of normal ones.
func (b *block) learn(ctx context.Context, s *sample, keep, isNormal func(i int) bool, seed uint64) (err error) {
	r := rand.New(rand.NewPCG(seed, uint64(b.source)<<8|uint64(b.method)))
	switch b.method {
	case fisher:
		b.fisher, err = feature.FitFisher(ctx, stack(s.cells[b.source], keep), feature.FisherSetting{}, r)
	case nearest:
		b.memory, err = feature.FitMemory(ctx, stack(s.cells[b.source], func(i int) bool { return keep(i) && isNormal(i) }), r)
	case tiled:
		b.tiles, err = fitTiles(ctx, s.tiles, keep)
	}
	return err
}

// unfair tells whether the features of an image that was learned from are not
// like those of others: cells of a normal image are in the memory.
func (b *block) unfair(isNormal bool) bool {
	return b.method == tiled || b.method == nearest && isNormal
}

// A features is what a block made of the images, a row for each.
type features struct {
	*block
	unseen []*block // of each fold, the block if it had not learned from it; nil where that is fair
	x      *matrix.Matrix
}
