package s3api

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestKnownSums has the check values of the algorithms' definitions, over the
// text 123456789.
func TestKnownSums(t *testing.T) {
	for name, want := range map[string]string{
		"CRC32":     "cbf43926",
		"CRC32C":    "e3069283",
		"CRC64NVME": "ae8b14860a799888",
		"SHA1":      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
		"MD5":       "25f9e794323b453885f5181f1b624d0b",
		"XXHASH64":  "8cb841db40e6ae83",
	} {
		a, err := algorithmNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		h := a.new()
		h.Write([]byte("123456789"))
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
	if _, err := algorithmNamed("XXHASH3"); asError(err) == nil {
		t.Errorf("XXHASH3: %v", err)
	}
}

// TestJoin: the checksum that is joined from those of the parts is that of the
// whole.
func TestJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 1, 5).Draw(t, "parts")
		for _, a := range algorithms {
			if !a.allows(fullObject) {
				continue
			}
			whole := a.new()
			var sums []string
			var sizes []int64
			for _, p := range parts {
				h := a.new()
				h.Write(p)
				whole.Write(p)
				sums, sizes = append(sums, encodeSum(h.Sum(nil))), append(sizes, int64(len(p)))
			}
			got, err := a.join(fullObject, sums, sizes)
			if want := encodeSum(whole.Sum(nil)); err != nil || got != want {
				t.Fatalf("%s joined = %s, %v; want %s", a.name, got, err, want)
			}
		}
	})
}
