package container_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fovea/internal/ml/container"
)

type description struct {
	Name string `json:"name"`
	Size int    `json:"size"`
}

func seal(t testing.TB, values ...float32) []byte {
	t.Helper()
	tensors := container.Tensors{}
	tensors.Put("weights", values, len(values), 1)
	tensors.Put("bias", []float32{7})
	file, err := container.Seal("test", 3, description{"a name", 5}, tensors)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestContainer(t *testing.T) {
	file := seal(t, 1, 2, 3)
	var d description
	tensors, err := container.Open(file, "test", 3, &d)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(description{"a name", 5}, d); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
	rows, cols, other := -1, 1, 2
	if _, err := tensors.Take("weights", &rows, &other); err == nil {
		t.Error("a tensor of another shape is taken")
	}
	rows = -1
	values, err := tensors.Take("weights", &rows, &cols)
	if diff := cmp.Diff([]float32{1, 2, 3}, values); err != nil || diff != "" || rows != 3 {
		t.Errorf("weights, %d rows: %v\n%s", rows, err, diff)
	}
	if _, err := tensors.Take("weights", &rows, &cols); err == nil {
		t.Error("a tensor is taken twice")
	}
	if err := tensors.Done(); err == nil || !strings.Contains(err.Error(), "bias") {
		t.Errorf("with a tensor left: %v", err)
	}
	if _, err := container.Open(file, "other", 3, &d); err == nil || !strings.Contains(err.Error(), `"test"`) {
		t.Errorf("as another kind: %v", err)
	}
	if _, err := container.Open(file, "test", 2, &d); err == nil || !strings.Contains(err.Error(), "version") {
		t.Errorf("as another version: %v", err)
	}
	var none struct{}
	if _, err := container.Open(file, "test", 3, &none); err == nil {
		t.Error("a description with unknown fields is taken")
	}
	if _, err := container.Open(seal(t, float32(math.NaN())), "test", 3, &d); err == nil {
		t.Error("NaN is taken")
	}
}

// TestHardeningT18: a flipped bit is noticed, or changes nothing, as in the blanks that
// fill the header up.
func TestHardeningT18(t *testing.T) {
	file := seal(t, 1, 2, 3)
	var d description
	want, err := container.Open(file, "test", 3, &d)
	if err != nil {
		t.Fatal(err)
	}
	for i := range file {
		for bit := range 8 {
			damaged := append([]byte(nil), file...)
			damaged[i] ^= 1 << bit
			var d description
			if got, err := container.Open(damaged, "test", 3, &d); err == nil && (cmp.Diff(want, got, cmpopts.EquateEmpty()) != "" || d != (description{"a name", 5})) {
				t.Fatalf("bit %d of byte %d, %q, is flipped and nobody notices", bit, i, file[i])
			}
		}
	}
	for n := range file {
		var d description
		if _, err := container.Open(file[:n], "test", 3, &d); err == nil {
			t.Fatalf("%d bytes of %d are taken", n, len(file))
		}
	}
}

// FuzzOpen: whatever the bytes, Open ends, and what it takes is sealed the same
// again.
func FuzzOpen(f *testing.F) {
	f.Add(seal(f, 1, 2, 3))
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d description
		tensors, err := container.Open(data, "test", 3, &d)
		if err != nil {
			return
		}
		if _, err := container.Seal("test", 3, d, tensors); err != nil {
			t.Error(err)
		}
	})
}

// FuzzSplit: whatever the bytes, Split ends, and what it takes is joined the
// same again.
func FuzzSplit(f *testing.F) {
	f.Add(container.Join([]byte("one"), nil, []byte("three")), 3)
	f.Add(container.Join(seal(f, 1)), 1)
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xffmore"), 4)
	f.Fuzz(func(t *testing.T, data []byte, most int) {
		files, err := container.Split(data, most)
		if err != nil {
			return
		}
		if most >= 0 && len(files) > most {
			t.Errorf("%d files, more than %d", len(files), most)
		}
		if got := container.Join(files...); !bytes.Equal(got, data) {
			t.Errorf("it was %q and is joined to %q", data, got)
		}
	})
}

func TestJoin(t *testing.T) {
	files := [][]byte{[]byte("one"), {}, []byte("three")}
	data := container.Join(files...)
	got, err := container.Split(data, 3)
	if diff := cmp.Diff(files, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := container.Split(data, 2); err == nil {
		t.Error("more files than allowed are taken")
	}
	for n := 1; n < len(data); n++ {
		if got, err := container.Split(data[:n], 3); err == nil && n != 11 && n != 19 {
			t.Errorf("%d bytes of %d are taken: %q", n, len(data), got)
		}
	}
}
