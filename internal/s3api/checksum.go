package s3api

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// A sum is the one checksum of an object or a part that is kept beside its
// ETag.
type sum struct {
	Algorithm string `json:"a,omitempty"` // such as CRC32; "" for none
	Value     string `json:"v,omitempty"` // base64, of a composite with -N behind it
	Type      string `json:"t,omitempty"` // fullObject or composite
}

// The two ways in which the checksum of a multipart object is made.
const (
	fullObject = "FULL_OBJECT"
	composite  = "COMPOSITE"
)

// An algorithm is a checksum algorithm of S3.
type algorithm struct {
	name string
	new  func() hash.Hash
	poly uint64 // of a CRC, reflected; 0 for what is no CRC
	bits int    // of a CRC
}

// nvme is the reflected polynomial of CRC-64/NVME.
const nvme = 0x9a6c9329ac4bc9b5

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	nvmeTable  = crc64.MakeTable(nvme)
)

// algorithms are those that can be computed here, in the order in which a
// request is searched for them.
var algorithms = []algorithm{
	{"CRC32", func() hash.Hash { return crc32.NewIEEE() }, crc32.IEEE, 32},
	{"CRC32C", func() hash.Hash { return crc32.New(castagnoli) }, crc32.Castagnoli, 32},
	{"CRC64NVME", func() hash.Hash { return crc64.New(nvmeTable) }, nvme, 64},
	{"SHA1", sha1.New, 0, 0},
	{"SHA256", sha256.New, 0, 0},
	{"SHA512", sha512.New, 0, 0},
	{"MD5", md5.New, 0, 0},
	{"XXHASH64", func() hash.Hash { return xxhash.New() }, 0, 0},
}

// algorithmNamed returns the algorithm, or reports InvalidRequest with the
// names of those there are.
func algorithmNamed(name string) (algorithm, error) {
	var names []string
	for _, a := range algorithms {
		if a.name == strings.ToUpper(name) {
			return a, nil
		}
		names = append(names, a.name)
	}
	return algorithm{}, errorf("InvalidRequest", "Checksum algorithm provided is unsupported: %.40q. Please try again with any of %s.",
		name, strings.Join(names, ", "))
}

// header returns the name of the header that carries a sum of the algorithm.
func (a algorithm) header() string { return "X-Amz-Checksum-" + a.name }

func encodeSum(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// defaultType returns how a multipart upload makes its checksum if its client
// does not say.
func (a algorithm) defaultType() string {
	if a.name == "CRC64NVME" {
		return fullObject
	}
	return composite
}

// allows reports whether a multipart checksum can be made in that way: what is
// no CRC cannot be had for the whole from those of the parts, and CRC64NVME is
// always that of the whole.
func (a algorithm) allows(typ string) bool {
	switch typ {
	case composite:
		return a.name != "CRC64NVME"
	case fullObject:
		return a.bits > 0
	}
	return false
}

// join returns the checksum of a multipart object from those of its parts.
func (a algorithm) join(typ string, sums []string, sizes []int64) (string, error) {
	raw := make([][]byte, len(sums))
	for i, s := range sums {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "", err
		}
		raw[i] = b
	}
	if typ == composite {
		h := a.new()
		h.Write(slices.Concat(raw...))
		return encodeSum(h.Sum(nil)), nil
	}
	crc := uint64(0)
	for i, b := range raw {
		crc = a.combine(crc, toUint(b), sizes[i])
	}
	return encodeSum(fromUint(crc, a.bits/8)), nil
}

// combine returns the CRC of two runs of bytes from the CRC of each and the
// length of the second. Behind n zero bytes a CRC is its product with x^8n
// modulo the polynomial, so that is what the first is multiplied with.
func (a algorithm) combine(crc1, crc2 uint64, n int64) uint64 {
	power := uint64(1) << (a.bits - 9) // x^8, bit-reflected
	shift := uint64(1) << (a.bits - 1) // x^0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			shift = a.multiply(shift, power)
		}
		power = a.multiply(power, power)
	}
	return a.multiply(crc1, shift) ^ crc2
}

// multiply returns the product of two reflected polynomials over GF(2), modulo
// that of the CRC.
func (a algorithm) multiply(x, y uint64) uint64 {
	var product uint64
	top := uint64(1) << (a.bits - 1)
	for ; x != 0; x <<= 1 {
		if x&top != 0 {
			product ^= y
			x ^= top
		}
		low := y & 1
		y >>= 1
		if low != 0 {
			y ^= a.poly
		}
	}
	return product
}

func toUint(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func fromUint(n uint64, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[size-1-i] = byte(n)
		n >>= 8
	}
	return b
}
