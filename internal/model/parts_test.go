package model

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParts(t *testing.T) {
	weights := JoinParts(Part{"classifier", []byte("abc")}, Part{"segmenter", nil}, Part{"settings", []byte("{}")})
	got, err := SplitParts(weights)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{"classifier": []byte("abc"), "segmenter": {}, "settings": []byte("{}")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	for n := range weights {
		if _, err := SplitParts(weights[:n]); err == nil {
			t.Errorf("%d bytes of %d are taken for whole", n, len(weights))
		}
	}
	if _, err := SplitParts(append(weights, 0)); err == nil {
		t.Error("a byte too many is taken")
	}
	if _, err := SplitParts(JoinParts(Part{"a", []byte("1")}, Part{"a", []byte("2")})); err == nil {
		t.Error("a part twice is taken")
	}
}

func FuzzParts(f *testing.F) {
	f.Add(JoinParts(Part{"classifier", []byte("abc")}, Part{"settings", nil}))
	f.Add([]byte(partsMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		parts, err := SplitParts(data)
		if err != nil {
			return
		}
		total := 0
		for name, p := range parts {
			total += len(name) + len(p)
		}
		if total > len(data) || !bytes.HasPrefix(data, []byte(partsMagic)) {
			t.Errorf("%d bytes of parts in %d bytes", total, len(data))
		}
	})
}
