package migrate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/manifest"
)

func mustRead(t testing.TB, text string) *line {
	t.Helper()
	l := &line{}
	if e := l.read([]byte(text)); e != nil {
		t.Fatalf("%s: %+v", text, e)
	}
	return l
}

const maskMeta = `"anomaly-mask-ref-metadata":{"type":"groundtruth/semantic-segmentation"}`

func TestRefs(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       []string // KEY=VALUE, with ! if it must name an object
	}{
		{"an image", `{"source-ref":"s3://b/k"}`, []string{"source-ref=s3://b/k!"}},
		{"a mask", `{"source-ref":"i.jpg","anomaly-mask-ref":"m.png",` + maskMeta + `}`, []string{"source-ref=i.jpg!", "anomaly-mask-ref=m.png!"}},
		{"its metadata first", `{` + maskMeta + `,"anomaly-mask-ref":"m.png"}`, []string{"anomaly-mask-ref=m.png!"}},
		{"a label called -ref", `{"source-ref":"i","x-ref":1,"y-ref":"1","y-ref-metadata":{"type":"groundtruth/image-classification"}}`, []string{"source-ref=i!", "y-ref=1"}},
		{"any S3 URI", `{"z-ref":"S3://b/k","z":"s3://b/k"}`, []string{"z-ref=S3://b/k!"}},
		{"deeper ones are not", `{"a":{"source-ref":"s3://b/k"}}`, nil},
		{"escapes", `{"source\u002dref":"s3:\/\/b\/\u00fc"}`, []string{"source-ref=s3://b/ü!"}},
		{"twice", `{"source-ref":"a","source-ref":"b"}`, []string{"source-ref=a!", "source-ref=b!"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range mustRead(t, tt.line).refs {
				got = append(got, r.key+"="+r.value+map[bool]string{true: "!"}[r.sure])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("refs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyRefs: a line of very many members costs no more than one of few.
func TestManyRefs(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"source-ref":"i"`)
	for i := range 40_000 {
		fmt.Fprintf(&b, `,"%d-ref":"s3://b/k","%d-ref-metadata":{}`, i, i)
	}
	l := mustRead(t, b.String()+"}")
	if !l.crowded || len(l.refs) != maxRefs {
		t.Errorf("%d refs, crowded %t", len(l.refs), l.crowded)
	}
	labels := newTally()
	labels.add(l)
}

// TestReplace: nothing but the values of refs changes.
func TestReplace(t *testing.T) {
	const text = ` { "b" : 1.50 ,"source-ref":"old\u0020name.jpg" ,"a":[ ],"anomaly-mask-ref" : "m.png", "\u0061":"\/", ` + maskMeta + ` }`
	l := mustRead(t, text)
	got := string(l.appendReplaced(nil, func(i int) (string, bool) { return []string{`s3://n/"1"`, "s3://n/m"}[i], true }))
	want := strings.NewReplacer(`"old\u0020name.jpg"`, `"s3://n/\"1\""`, `"m.png"`, `"s3://n/m"`).Replace(text)
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := string(l.appendReplaced(nil, func(int) (string, bool) { return "", false })); got != text {
		t.Errorf("nothing replaced: %s", got)
	}
}

func TestNormalForm(t *testing.T) {
	sums := func(sum []byte) func(int) ([]byte, bool) { return func(int) ([]byte, bool) { return sum, true } }
	for _, tt := range []struct {
		name, line, want string
		service          fovea.Service
		sum              []byte
	}{
		{"an image", `{"source-ref": "s3://b/k"}`, `{"source-ref":"sha256:ab01"}`, fovea.Lookout, []byte{0xab, 1}},
		{"no image", `{"source-ref":"s3://b/k"}`, `{"source-ref":"absent"}`, fovea.Lookout, nil},
		{"numbers and order stay", `{ "z": 1.0, "a": 1e2, "source-ref": "k" }`, `{"z":1.0,"a":1e2,"source-ref":"absent"}`, fovea.Lookout, nil},
		{"what Custom Labels adds", `{"source-ref":"k","cl-metadata":{"is_labeled":true},"BB":{"errors":[1],"w":2}}`, `{"source-ref":"absent","BB":{"w":2}}`, fovea.CustomLabels, nil},
		{"and Lookout does not", `{"source-ref":"k","errors":1}`, `{"source-ref":"absent","errors":1}`, fovea.Lookout, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(mustRead(t, tt.line).appendNormal(nil, tt.service, sums(tt.sum))); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestTally(t *testing.T) {
	labels := newTally()
	for _, text := range []string{
		`{"source-ref":"1","leaf":1,"leaf-metadata":{"class-name":"leaf","type":"groundtruth/image-classification"},"again":1,"again-metadata":{"class-name":"leaf","type":"groundtruth/image-classification"}}`,
		`{"source-ref":"2","BB":{"annotations":[{"class_id":0},{"class_id":7},{"class_id":0},{"class_id":9},3]},"BB-metadata":{"class-map":{"0":"leaf","7":"bolt"},"type":"groundtruth/object-detection"}}`,
		`{"source-ref":"3","m-ref":"m","m-ref-metadata":{"internal-color-map":{"0":{"class-name":"BACKGROUND"},"1":{"class-name":"cracked"},"2":3},"type":"groundtruth/semantic-segmentation"}}`,
		`{"source-ref":"4","x":1,"x-metadata":{"class-name":5,"type":"groundtruth/image-classification"},"y":1,"y-metadata":3,"z":1,"z-metadata":{"type":"other"}}`,
		`{"source-ref":"5","BB":{"annotations":{}},"BB-metadata":{"class-map":[],"type":"groundtruth/object-detection"}}`,
	} {
		labels.add(mustRead(t, text))
	}
	want := []Label{{"bolt", 1, 1}, {"cracked", 1, 0}, {"leaf", 2, 2}}
	if diff := cmp.Diff(want, labels.sorted()); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// FuzzLine: a line with new places is the old one but for them, and is read as
// having them; its normal form is that of the old one.
func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"source-ref":"s3://b/k","x":1}`))
	f.Add([]byte(` {"a":"\u00e4","source-ref" : "a\/b" ,"anomaly-mask-ref":"m","anomaly-mask-ref-metadata":{"type":"groundtruth/semantic-segmentation"}}`))
	f.Add([]byte(`{"source-ref":"a","source-ref":"\ud800"}`))
	f.Add([]byte(`{"x-ref":"s3://b/k","errors":{"source-ref":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var l, moved line
		if l.read(text) != nil || l.crowded {
			return
		}
		labels := newTally()
		labels.add(&l)
		place := func(i int) (string, bool) {
			return fmt.Sprintf("s3://new/%d ü\"", i), l.refs[i].sure
		}
		out := l.appendReplaced(nil, place)
		if e := moved.read(out); e != nil {
			t.Fatalf("%q became %q: %+v", text, out, e)
		}
		if len(moved.refs) != len(l.refs) {
			t.Fatalf("%q has %d refs, and %q %d", text, len(l.refs), out, len(moved.refs))
		}
		for i, r := range moved.refs {
			want, ok := place(i)
			if !ok {
				want = l.refs[i].value
			}
			if r.key != l.refs[i].key || r.value != want {
				t.Errorf("%q: ref %d of %q is %+v", text, i, out, r)
			}
		}
		back := moved.appendReplaced(nil, func(i int) (string, bool) { return l.refs[i].value, l.refs[i].sure })
		again := l.appendReplaced(nil, func(i int) (string, bool) { return l.refs[i].value, l.refs[i].sure })
		if !bytes.Equal(back, again) {
			t.Errorf("%q there and back is %q", again, back)
		}
		for _, service := range []fovea.Service{fovea.CustomLabels, fovea.Lookout} {
			sum := func(i int) ([]byte, bool) { return []byte{byte(i)}, l.refs[i].sure }
			a, b := l.appendNormal(nil, service, sum), moved.appendNormal(nil, service, sum)
			if !bytes.Equal(a, b) {
				t.Errorf("%q has the normal form %q, and %q %q", text, a, out, b)
			}
			var doc manifest.Doc
			if e := doc.Parse(a, 0); e != nil {
				t.Errorf("the normal form %q: %+v", a, e)
			}
		}
	})
}
