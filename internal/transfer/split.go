package transfer

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"fovea/internal/exchange"
)

// A Splitting says which dataset an image goes to.
type Splitting struct {
	all   exchange.Split // every image goes there, if it is not NoSplit
	train uint64         // of total images without a split go to train
	total uint64         // 0: all of them do
}

// ParseSplitting reads how images are to be split: "auto" takes what the
// collection says, and train where it says nothing; "train" and "test" take all
// images; "80/20" is auto, but of the images of which the collection says
// nothing about 20 of 100 go to test.
func ParseSplitting(s string) (Splitting, error) {
	switch s {
	case "", "auto":
		return Splitting{}, nil
	case string(exchange.Train), string(exchange.Test):
		return Splitting{all: exchange.Split(s)}, nil
	}
	a, b, ok := strings.Cut(s, "/")
	train, err1 := strconv.ParseUint(a, 10, 16)
	test, err2 := strconv.ParseUint(b, 10, 16)
	if !ok || err1 != nil || err2 != nil || train+test == 0 {
		return Splitting{}, fmt.Errorf("%q is no way to split images: it is auto, train, test, or shares such as 80/20", s)
	}
	return Splitting{train: train, total: train + test}, nil
}

// of returns the dataset of an image. With shares it depends on the image's name
// alone, so that an image stays where it is when others come or go.
func (s Splitting) of(img *exchange.Image) exchange.Split {
	switch {
	case s.all != exchange.NoSplit:
		return s.all
	case img.Split != exchange.NoSplit:
		return img.Split
	case s.total == 0:
		return exchange.Train
	}
	h := fnv.New64a()
	h.Write([]byte(img.Name))
	if mix(h.Sum64())%s.total < s.train {
		return exchange.Train
	}
	return exchange.Test
}

// mix spreads the bits of a hash: those of FNV differ too little where names
// differ in their last letter only. It is the finalizer of MurmurHash3.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// splits are both datasets of a project, in the order in which they are made
// (LV-2.19).
var splits = []exchange.Split{exchange.Train, exchange.Test}
