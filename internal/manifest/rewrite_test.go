package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// reserved drops the keys that a server adds (CL-5.13).
func reserved(key []byte) bool {
	switch string(key) {
	case "cl-metadata", "cl-errors", "cl-warnings", "errors", "warnings":
		return true
	}
	return false
}

func TestAppendRewritten(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		drop       func([]byte) bool
		add        map[string]string
		want       string
	}{
		{name: "nothing to do", line: `{"a":[1,"x y"]}`, want: `{"a":[1,"x y"]}`},
		{name: "blanks", line: " { \"a\" : [ 1 ,\t\"x  y\" , { } , [ ] ] , \"b\" : -1.50e+07 }\r", want: `{"a":[1,"x  y",{},[]],"b":-1.50e+07}`},
		{name: "blanks, nothing dropped", line: `{"b": 1, "a": "\u00e9\/"}`, drop: reserved, want: `{"b":1,"a":"\u00e9\/"}`},
		{name: "drop the first", line: `{"errors":[{}],"a":1}`, drop: reserved, want: `{"a":1}`},
		{name: "drop the last", line: `{"a":1,"errors":[{}]}`, drop: reserved, want: `{"a":1}`},
		{name: "drop between", line: `{"a":1, "errors":[{}], "b":2}`, drop: reserved, want: `{"a":1,"b":2}`},
		{name: "drop the last two", line: `{"a":1,"errors":[{}],"warnings":{"a":1}}`, drop: reserved, want: `{"a":1}`},
		{name: "drop all", line: `{"errors":1,"cl-errors":2}`, drop: reserved, want: `{}`},
		{name: "drop within", line: `{"a":[{"errors":1},{"b":{"errors":1,"c":3}}]}`, drop: reserved, want: `{"a":[{},{"b":{"c":3}}]}`},
		{name: "drop an escaped key", line: `{"\u0065rrors":1,"a":2}`, drop: reserved, want: `{"a":2}`},
		{name: "drop no values", line: `{"a":"errors"}`, drop: reserved, want: `{"a":"errors"}`},
		{name: "add to an empty object", line: `{ }`, add: map[string]string{"": `"x":1`}, want: `{"x":1}`},
		{name: "add to the root only", line: `{"a":{"b":{}}}`, add: map[string]string{"": `"x":1,"y":2`}, want: `{"a":{"b":{}},"x":1,"y":2}`},
		{
			name: "add within", line: `{"a":[0,{"b":{}},{"b":1}],"c/d":{"":{}}}`,
			add: map[string]string{"/a/1": `"p":1`, "/a/1/b": `"q":2`, "/a/2": `"r":3`, "/c~1d/": `"s":4`, "/c~1d": `"t":5`},
			want: `{"a":[0,{"b":{"q":2},"p":1},{"b":1,"r":3}],` +
				`"c/d":{"":{"s":4},"t":5}}`,
		},
		{name: "add to the eleventh element", line: `{"a":[0,1,2,3,4,5,6,7,8,9,{}]}`, add: map[string]string{"/a/10": `"x":1`}, want: `{"a":[0,1,2,3,4,5,6,7,8,9,{"x":1}]}`},
		{name: "add under an escaped key", line: `{"\u0061~":{}}`, add: map[string]string{"/a~0": `"x":1`}, want: `{"\u0061~":{"x":1}}`},
		{name: "add nowhere", line: `{"a":[1]}`, add: map[string]string{"/a": `"x":1`, "/a/0": `"x":1`, "/b": `"x":1`, "a": `"x":1`}, want: `{"a":[1]}`},
		{name: "add nothing", line: `{"a":1}`, add: map[string]string{"": ""}, want: `{"a":1}`},
		{
			name: "replace (CL-6.61)", line: `{"a":1,"cl-errors":[{"code":"OLD"}]}`, drop: reserved,
			add:  map[string]string{"": `"cl-errors":[{"code":"NEW"}]`},
			want: `{"a":1,"cl-errors":[{"code":"NEW"}]}`,
		},
		{name: "add to what is dropped", line: `{"errors":{},"a":1}`, drop: reserved, add: map[string]string{"/errors": `"x":1`}, want: `{"a":1}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			add := map[string][]byte{}
			for p, m := range tt.add {
				add[p] = []byte(m)
			}
			got := string(AppendRewritten([]byte("before "), parsed(t, tt.line), tt.drop, add))
			if got != "before "+tt.want {
				t.Errorf("AppendRewritten = %s, want before %s", got, tt.want)
			}
		})
	}
}

func TestAppendQuoted(t *testing.T) {
	for _, tt := range []struct{ s, want string }{
		{"", `""`}, {`a"b\c/`, `"a\"b\\c/"`}, {"\x00\n\x1f\x7f", "\"\\u0000\\u000a\\u001f\x7f\""},
		{"日本😀", `"日本😀"`}, {"\xffa\xe2\x82", "\"\ufffda\ufffd\ufffd\""},
	} {
		if got := string(AppendQuoted([]byte("x"), tt.s)); got != "x"+tt.want {
			t.Errorf("AppendQuoted(%q) = %s, want %s", tt.s, got, tt.want)
		}
		if got := string(AppendQuoted(nil, []byte(tt.s))); got != tt.want {
			t.Errorf("AppendQuoted(%q) of bytes = %s, want %s", tt.s, got, tt.want)
		}
	}
}

// rewriteSlowly does to a value what AppendRewritten does to a text. It
// changes maps in place.
func rewriteSlowly(t *testing.T, v any, pointer string, drop func([]byte) bool, add map[string][]byte) {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			if drop([]byte(k)) {
				delete(v, k)
				continue
			}
			rewriteSlowly(t, v[k], pointer+Pointer(k), drop, add)
		}
		members := decode(t, slices.Concat([]byte("{"), add[pointer], []byte("}")))
		maps.Copy(v, members.(map[string]any))
	case []any:
		for i := range v {
			rewriteSlowly(t, v[i], pointer+"/"+strconv.Itoa(i), drop, add)
		}
	}
}

// decode returns the value of a JSON text, its numbers as they are written.
func decode(t *testing.T, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decode %s: %v", text, err)
	}
	return v
}

// FuzzRewrite compares with the same change to the decoded text, and rewrites
// again.
func FuzzRewrite(f *testing.F) {
	f.Add([]byte(`{"a": 1, "errors":[], "b":[{"errors" : {"x":1}, "c":{} }]}`), "errors", uint16(7), uint16(0))
	f.Add([]byte(`{"a/b~":{"":{"\u0065rrors":null}}}`), "", uint16(3), uint16(9))
	f.Add(boxLine(testRand(), 3), "class_id", uint16(9), uint16(2))
	f.Fuzz(func(t *testing.T, line []byte, key string, a, b uint16) {
		var doc Doc
		if doc.Parse(line, 0) != nil || !utf8.ValidString(key) {
			return
		}
		drop := func(k []byte) bool { return string(k) == key || string(k) == "\x00new" }
		add := map[string][]byte{
			doc.PointerOf(int(a) % len(doc.Nodes)): []byte(`"\u0000new":[{"code":1}]`),
			doc.PointerOf(int(b) % len(doc.Nodes)): []byte(`"\u0000new":2`),
		}
		got := AppendRewritten(nil, &doc, drop, add)
		want := decode(t, line)
		rewriteSlowly(t, want, "", drop, add)
		if diff := cmp.Diff(want, decode(t, got)); diff != "" {
			t.Errorf("%s became %s (-want +got):\n%s", line, got, diff)
		}
		var again Doc
		if e := again.Parse(got, 0); e != nil || again.spaced {
			t.Fatalf("%s: %+v, spaced %t", got, e, again.spaced)
		}
		if twice := AppendRewritten(nil, &again, drop, add); !bytes.Equal(got, twice) {
			t.Errorf("%s became %s when written again", got, twice)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, line); err != nil || !bytes.Equal(compact.Bytes(), AppendCompact(nil, &doc)) {
			t.Errorf("AppendCompact = %s, want %s, %v", AppendCompact(nil, &doc), compact.Bytes(), err)
		}
	})
}

func FuzzAppendQuoted(f *testing.F) {
	f.Add("a\"\\\x00\xff\u2028😀")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(AppendQuoted(nil, s), &got); err != nil || got != strings.ToValidUTF8(s, "") && got != string([]rune(s)) {
			t.Errorf("AppendQuoted(%q) is %q: %v", s, got, err)
		}
	})
}

// TestRewriteAllocs has what every line of a dataset goes through.
func TestRewriteAllocs(t *testing.T) {
	doc := parsed(t, string(boxLines(1)[0]))
	add := map[string][]byte{"": []byte(`"cl-metadata":{"is_labeled":true}`)}
	var dst []byte
	rewrite := func() { dst = AppendRewritten(dst[:0], doc, reserved, add) }
	rewrite()
	if n := testing.AllocsPerRun(10, rewrite); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkRewrite(b *testing.B) {
	lines := boxLines(1000)
	docs := make([]Doc, len(lines))
	for i, l := range lines {
		if i%2 == 1 { // as Python writes it
			l = bytes.ReplaceAll(bytes.ReplaceAll(l, []byte(`":`), []byte(`": `)), []byte(`,"`), []byte(`, "`))
		}
		if e := docs[i].Parse(l, 0); e != nil {
			b.Fatal(e)
		}
	}
	root := map[string][]byte{"": []byte(`"cl-metadata":{"is_labeled":true}`)}
	inner := map[string][]byte{"": root[""], "/BB/annotations/1": []byte(`"cl-errors":[]`)}
	for _, bm := range []struct {
		name string
		do   func(dst []byte, d *Doc) []byte
	}{
		{"compact", AppendCompact},
		{"root", func(dst []byte, d *Doc) []byte { return AppendRewritten(dst, d, reserved, root) }},
		{"inner", func(dst []byte, d *Doc) []byte { return AppendRewritten(dst, d, reserved, inner) }},
		{"encoding_json_Compact", func(dst []byte, d *Doc) []byte {
			buf := bytes.NewBuffer(dst)
			if err := json.Compact(buf, d.Text); err != nil {
				panic(err)
			}
			return buf.Bytes()
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.SetBytes(sizeOf(lines))
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				for i := range docs {
					dst = bm.do(dst[:0], &docs[i])
				}
			}
		})
	}
}

func ExampleAppendRewritten() {
	var doc Doc
	doc.Parse([]byte(`{"source-ref": "s3://b/k", "errors": []}`), 0)
	drop := func(key []byte) bool { return string(key) == "errors" }
	add := map[string][]byte{"": []byte(`"cl-metadata":{"is_labeled":false}`)}
	fmt.Printf("%s\n", AppendRewritten(nil, &doc, drop, add))
	// Output: {"source-ref":"s3://b/k","cl-metadata":{"is_labeled":false}}
}
