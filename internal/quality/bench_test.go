package quality

import (
	"bytes"
	"context"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"testing"

	"fovea/internal/imaging"
	"fovea/internal/qualitytest"
)

// photograph returns the file of a real photograph of 640x480.
func photograph(t testing.TB) []byte {
	t.Helper()
	cells, _ := qualitytest.Photographs("../..")
	if len(cells) == 0 {
		t.Skip("no photographs here: set FOVEA_TEST_DATA")
	}
	file, err := os.ReadFile(cells[0])
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// BenchmarkLookAt measures the hashing of a decoded photograph of 640x480.
func BenchmarkLookAt(b *testing.B) {
	file := photograph(b)
	m, err := imaging.Decode(context.Background(), bytes.NewReader(file), int64(len(file)), imaging.Decoding{Stored: true})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		LookAt(m)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

// BenchmarkDecode measures what comes before: the decoding of that photograph.
func BenchmarkDecode(b *testing.B) {
	file := photograph(b)
	for b.Loop() {
		if _, err := imaging.Decode(context.Background(), bytes.NewReader(file), int64(len(file)), imaging.Decoding{Stored: true}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

// BenchmarkDecodeOnly measures the JPEG decoder of the standard library alone.
func BenchmarkDecodeOnly(b *testing.B) {
	file := photograph(b)
	for b.Loop() {
		if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}

// BenchmarkMatch measures the search for copies of an image among 100,000 that
// are not alike.
func BenchmarkMatch(b *testing.B) {
	m := NewMatcher(noise(100_000))
	queries := noise(1000)
	i := 0
	for b.Loop() {
		m.Match(&queries[i%len(queries)], 100_000)
		i++
	}
}

// noise returns looks whose hashes have nothing to do with each other.
func noise(n int) []Look {
	r := rand.New(rand.NewPCG(uint64(n), 2))
	looks := make([]Look, n)
	for i := range looks {
		looks[i].Hash = r.Uint64()
		for k := range 16 {
			looks[i].Sum[k] = byte(r.Uint32())
			looks[i].Thumb[r.IntN(thumbSize)] = byte(r.Uint32())
		}
	}
	return looks
}
