package manifest

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func parsed(t *testing.T, text string) *Doc {
	t.Helper()
	var d Doc
	if e := d.Parse([]byte(text), 0); e != nil {
		t.Fatalf("Parse(%s) = %+v", text, *e)
	}
	return &d
}

func TestMember(t *testing.T) {
	d := parsed(t, `{"a":1,"b":{"a":2,"c":[3]},"a":{"x":4},"\u0061b":5,"ab\/":6,"":7}`)
	for _, tt := range []struct{ name, want string }{
		{"a", `{"x":4}`}, {"b", `{"a":2,"c":[3]}`}, {"ab", "5"}, {"ab/", "6"}, {"", "7"}, {"c", ""}, {`ab\/`, ""},
	} {
		got := ""
		if v := d.Member(d.Root(), tt.name); v >= 0 {
			got = string(d.Raw(v))
		}
		if got != tt.want {
			t.Errorf("Member(%q) = %s, want %s", tt.name, got, tt.want)
		}
	}
	if v := d.Member(d.Member(0, "b"), "a"); string(d.Raw(v)) != "2" {
		t.Errorf("inner member = %s", d.Raw(v))
	}
	if v := d.Member(d.Member(0, "ab"), "a"); v != -1 {
		t.Errorf("member of a number = %d", v)
	}
}

func TestStr(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{`""`, ""},
		{`"s3://b/k"`, "s3://b/k"},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t"},
		{`"a\u00e9\u65e5b"`, "aé日b"},
		{`"\ud83d\uDE00"`, "😀"},
		{`"\ud83d"`, "\ufffd"},
		{`"\ude00\ud83dx"`, "\ufffd\ufffdx"},
		{`"\ud83d\u0041"`, "\ufffdA"},
		{`"\ud83d\ud83d\ude00"`, "\ufffd😀"},
		{`"\u0000"`, "\x00"},
		{`12`, ""},
	} {
		d := parsed(t, `{"v":`+tt.raw+`}`)
		if got := string(d.Str(2, nil)); got != tt.want {
			t.Errorf("Str(%s) = %q, want %q", tt.raw, got, tt.want)
		}
		if got := d.Is(2, tt.want); got != (d.Type(2) == String) {
			t.Errorf("Is(%s, %q) = %t", tt.raw, tt.want, got)
		}
	}
	d := parsed(t, `{"a":"x\ny"}`)
	scratch := make([]byte, 0, 8)
	if got := d.Str(2, scratch); &got[0] != &scratch[:1][0] {
		t.Error("Str does not use scratch")
	}
}

func TestNumber(t *testing.T) {
	type number struct {
		float float64
		ok    bool
		int   int64
		whole bool
	}
	for raw, want := range map[string]number{
		"0":                       {0, true, 0, true},
		"-0":                      {0, true, 0, true},
		"1768":                    {1768, true, 1768, true},
		"-12.25":                  {-12.25, true, 0, false},
		"0.1":                     {0.1, true, 0, false},
		"0.95":                    {0.95, true, 0, false},
		"123456789.012345":        {123456789.012345, true, 0, false},
		"1234567890.1234567":      {1234567890.1234567, true, 0, false},
		"1e2":                     {100, true, 100, true},
		"3.0":                     {3, true, 3, true},
		"9223372036854775807":     {9223372036854775807, true, 9223372036854775807, true},
		"-9223372036854775808":    {-9223372036854775808, true, -9223372036854775808, true},
		"9223372036854775808":     {9223372036854775808, true, 0, false},
		"1e999":                   {0, false, 0, false},
		"-1e999":                  {0, false, 0, false},
		"1e-999":                  {0, true, 0, true},
		strings.Repeat("9", 1000): {0, false, 0, false},
		`"1"`:                     {0, false, 0, false},
	} {
		d := parsed(t, `{"v":`+raw+`}`)
		var got number
		if got.float, got.ok = d.Float(2); !got.ok {
			got.float = 0
		}
		got.int, got.whole = d.Int(2)
		if got != want {
			t.Errorf("%.30s = %+v, want %+v", raw, got, want)
		}
	}
}

// TestFloatRounding compares with strconv, to the last bit.
func TestFloatRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "number")
		var d Doc
		if e := d.Parse([]byte(`{"v":`+raw+`}`), 0); e != nil {
			t.Fatalf("Parse(%s) = %+v", raw, *e)
		}
		want, err := strconv.ParseFloat(raw, 64)
		got, ok := d.Float(2)
		if ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("Float(%s) = %v %t, want %v %v", raw, got, ok, want, err)
		}
		if whole, ok := d.Int(2); ok && float64(whole) != want {
			t.Errorf("Int(%s) = %d, want %v", raw, whole, want)
		}
	})
}

func TestPointerOf(t *testing.T) {
	d := parsed(t, `{"a/b":[{"m~n":1},[2,{"":3}]],"\u0063":{}}`)
	for _, tt := range []struct {
		i    int
		want string
	}{
		{0, ""}, {1, "/a~1b"}, {2, "/a~1b"}, {3, "/a~1b/0"}, {4, "/a~1b/0/m~0n"}, {5, "/a~1b/0/m~0n"},
		{6, "/a~1b/1"}, {7, "/a~1b/1/0"}, {8, "/a~1b/1/1"}, {9, "/a~1b/1/1/"}, {10, "/a~1b/1/1/"}, {11, "/c"}, {12, "/c"},
	} {
		if got := d.PointerOf(tt.i); got != tt.want {
			t.Errorf("PointerOf(%d) = %q, want %q", tt.i, got, tt.want)
		}
	}
	if got := Pointer("BB-metadata", "class-map", "~/"); got != "/BB-metadata/class-map/~0~1" {
		t.Errorf("Pointer = %q", got)
	}
}

func TestExcerpt(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"", 3, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc…"}, {"äöüß", 3, "äöü…"}, {"a\x00\xff\n", 9, `a\x00\xff\x0a`},
		{"\u202e\u00a0\U000e0001", 9, `\u202e\u00a0\U000e0001`}, {"<b>日</b>", 20, "<b>日</b>"},
	} {
		if got := Excerpt([]byte(tt.text), tt.n); got != tt.want {
			t.Errorf("Excerpt(%q, %d) = %s, want %s", tt.text, tt.n, got, tt.want)
		}
	}
}

// BenchmarkAccess reads the numbers of all boxes of a line.
func BenchmarkAccess(b *testing.B) {
	var d Doc
	line := boxLine(testRand(), 4)
	if e := d.Parse(line, 0); e != nil {
		b.Fatal(e)
	}
	b.ReportAllocs()
	for b.Loop() {
		boxes := d.Member(d.Member(d.Root(), "BB"), "annotations")
		for box := range d.Elements(boxes) {
			for k, v := range d.Members(box) {
				if _, ok := d.Float(v); !ok || d.Is(k, "depth") {
					b.Fatal("not a box")
				}
			}
		}
	}
}
