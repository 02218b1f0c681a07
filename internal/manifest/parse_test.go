package manifest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseNodes(t *testing.T) {
	var d Doc
	text := ` {"a" : [1, -2.5e+3,"x\n"], "b":{}, "c":[], "d":null,"e":true ,"f":false}` + "\r"
	if e := d.Parse([]byte(text), 0); e != nil {
		t.Fatalf("Parse = %+v", e)
	}
	var got []string
	for i, n := range d.Nodes {
		got = append(got, fmt.Sprintf("%d %s escaped=%t next=%d len=%d", n.Type, d.Raw(i), n.Escaped, n.Next, n.Len))
	}
	want := []string{
		`6 ` + strings.TrimSpace(text) + ` escaped=false next=16 len=6`,
		`4 "a" escaped=false next=2 len=0`,
		`5 [1, -2.5e+3,"x\n"] escaped=false next=6 len=3`,
		`3 1 escaped=false next=4 len=0`,
		`3 -2.5e+3 escaped=false next=5 len=0`,
		`4 "x\n" escaped=true next=6 len=0`,
		`4 "b" escaped=false next=7 len=0`,
		`6 {} escaped=false next=8 len=0`,
		`4 "c" escaped=false next=9 len=0`,
		`5 [] escaped=false next=10 len=0`,
		`4 "d" escaped=false next=11 len=0`,
		`0 null escaped=false next=12 len=0`,
		`4 "e" escaped=false next=13 len=0`,
		`2 true escaped=false next=14 len=0`,
		`4 "f" escaped=false next=15 len=0`,
		`1 false escaped=false next=16 len=0`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	deep := func(n int) string { return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}` }
	for _, tt := range []struct {
		name, line string
		maxChars   int
		reason     LineReason
		offset     int
		found      string // prefix
		want       string // part
	}{
		{name: "empty", line: "", reason: Blank, want: "a JSON object"},
		{name: "blank", line: " \t\r", reason: Blank, want: "a JSON object"},
		{name: "array", line: " [1]", reason: NotObject, offset: 1, found: "[1]", want: "a JSON object"},
		{name: "string", line: `"x"`, reason: NotObject, found: `"x"`, want: "a JSON object"},
		{name: "not JSON", line: "s3://b/cat.jpg", offset: 0, found: "s3://b/cat.jpg", want: "a value"},
		{name: "trailing comma in object", line: `{"a":1,}`, offset: 7, found: "}", want: "no ',' may stand before it"},
		{name: "trailing comma in array", line: `{"a":[1,]}`, offset: 8, found: "]}", want: "no ',' may stand before it"},
		{name: "single quotes", line: `{'a':1}`, offset: 1, found: "'a':1}", want: "single quotes"},
		{name: "single quoted value", line: `{"a":'b'}`, offset: 5, found: "'b'}", want: "single quotes"},
		{name: "unquoted key", line: `{a:1}`, offset: 1, found: "a:1}", want: "an object key in double quotes"},
		{name: "NaN", line: `{"a":NaN}`, offset: 5, found: "NaN}", want: "JSON has no NaN"},
		{name: "None", line: `{"a":None}`, offset: 5, found: "None}", want: "write null"},
		{name: "True", line: `{"a":True}`, offset: 5, found: "True}", want: "lower case"},
		{name: "cut literal", line: `{"a":tru`, offset: 5, found: "tru", want: "a value"},
		{name: "no closing quote", line: `{"a":"b}`, offset: 5, found: `"b}`, want: "a closing '\"'"},
		{name: "no closing quote of a key", line: `{"a:1}`, offset: 1, found: `"a:1}`, want: "a closing '\"'"},
		{name: "closing quote forgotten", line: `{"a":"b,"c":1}`, offset: 9, found: `c":1}`, want: `a '"' may be missing`},
		{name: "comma forgotten", line: `{"a":"b""c":1}`, offset: 8, found: `"c":1}`, want: "a ',' may be missing"},
		{name: "two objects", line: `{"a":1} {"a":2}`, offset: 8, found: `{"a":2}`, want: "each line holds one object"},
		{name: "text after", line: `{"a":1};`, offset: 7, found: ";", want: "the end of the line"},
		{name: "UTF-16 little endian", line: "{\x00\"\x00a\x00", reason: NotUTF8, offset: 1, found: `{\x00"\x00a\x00`, want: "UTF-16"},
		{name: "UTF-16 big endian", line: "\x00{\x00\"\x00a", reason: NotUTF8, offset: 0, found: `\x00{`, want: "UTF-16"},
		{name: "UTF-16 byte order mark", line: "\xff\xfe{\x00", reason: NotUTF8, offset: 0, found: `\xff\xfe{\x00`, want: "UTF-16"},
		{name: "NUL in a string", line: "{\"abc\":\"\x00\"}", offset: 8, found: `\x00"}`, want: "control character"},
		{name: "NUL between tokens", line: "{\"abc\":\x001}", offset: 7, found: `\x001}`, want: "a value"},
		{name: "tab in a string", line: "{\"a\":\"\t\"}", offset: 6, found: `\x09"}`, want: "control character"},
		{name: "Latin-1", line: "{\"source-ref\":\"s3://b/caf\xe9.jpg\",\"x\":1}", reason: NotUTF8, offset: 25, found: `\xe9.jpg`, want: "UTF-8"},
		{name: "Latin-1 before a mistake", line: "{\"a\":\"\xe9\",}", reason: NotUTF8, offset: 6, found: `\xe9`, want: "UTF-8"},
		{name: "Latin-1 after a mistake", line: "{\"a\":1,},\"\xe9\"", offset: 7, found: "},", want: "key"},
		{name: "surrogate in UTF-8", line: "{\"a\":\"\xed\xa0\x80\"}", reason: NotUTF8, offset: 6, found: `\xed`, want: "UTF-8"},
		{name: "overlong", line: "{\"a\":\"\xc0\xaf\"}", reason: NotUTF8, offset: 6, found: `\xc0`, want: "UTF-8"},
		{name: "cut UTF-8", line: "{\"a\":\"\xe2\x82\"}", offset: 6, reason: NotUTF8, found: `\xe2`, want: "UTF-8"},
		{name: "byte order mark", line: "\ufeff{}", offset: 0, found: `\ufeff{}`, want: "byte order mark"},
		{name: "escape", line: `{"a":"\x41"}`, offset: 7, found: `x41"}`, want: "after a backslash"},
		{name: "hex digits", line: `{"a":"\u00g0"}`, offset: 10, found: `g0"}`, want: "hexadecimal"},
		{name: "cut escape", line: `{"a":"\u00`, offset: 10, found: "the end of the line", want: "hexadecimal"},
		{name: "backslash at the end", line: `{"a":"\`, offset: 7, found: "the end of the line", want: "backslash"},
		{name: "leading zero", line: `{"a":01}`, offset: 6, found: "1}", want: "leading zeros"},
		{name: "minus", line: `{"a":-}`, offset: 6, found: "}", want: "a digit"},
		{name: "plus", line: `{"a":+1}`, offset: 5, found: "+1}", want: "a number begins with"},
		{name: "point first", line: `{"a":.5}`, offset: 5, found: ".5}", want: "a number begins with"},
		{name: "point last", line: `{"a":5.}`, offset: 7, found: "}", want: "a digit"},
		{name: "exponent", line: `{"a":5e+}`, offset: 8, found: "}", want: "a digit"},
		{name: "comment", line: `{"a":1 // one`, offset: 7, found: "// one", want: "no comments"},
		{name: "no colon", line: `{"a" 1}`, offset: 5, found: "1}", want: "':' after an object key"},
		{name: "equals sign", line: `{"a"=1}`, offset: 4, found: "=1}", want: "':' after an object key"},
		{name: "wrong bracket", line: `{"a":[1}`, offset: 7, found: "}", want: "',' or ']'"},
		{name: "cut off", line: `{"a":[1`, offset: 7, found: "the end of the line", want: "cut off"},
		{name: "cut off after the bracket", line: `{`, offset: 1, found: "the end of the line", want: "cut off"},
		{name: "cut off after a comma", line: `{"a":1,`, offset: 7, found: "the end of the line", want: "cut off"},
		{name: "no break space", line: "{\u00a0\"a\":1}", offset: 1, found: `\u00a0`, want: "key"},
		{name: "as deep as may be", line: deep(MaxDepth)[:MaxDepth], offset: MaxDepth, found: "the end", want: "element"},
		{name: "too deep", line: deep(MaxDepth + 1), reason: TooDeep, offset: 516, found: "[", want: "512"},
		{name: "deep without end", line: strings.Repeat("[", 100_000), reason: TooDeep, offset: 512, found: "[", want: "512"},
		{name: "deep objects", line: strings.Repeat(`{"a":`, 100_000), reason: TooDeep, offset: 512 * 5, found: "{", want: "512"},
		{name: "too long", line: `{"a":"äöü"}`, maxChars: 8, reason: TooLong, offset: 10, found: "11 characters", want: "at most 8 characters"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d Doc
			e := d.Parse([]byte(tt.line), tt.maxChars)
			if e == nil {
				t.Fatal("Parse = nil")
			}
			if e.Reason != tt.reason || e.Offset != tt.offset || !strings.HasPrefix(e.Found, tt.found) || !strings.Contains(e.Want, tt.want) {
				t.Errorf("Parse = %+v, want reason %d at %d, found %q, want %q", *e, tt.reason, tt.offset, tt.found, tt.want)
			}
			if len(d.Nodes) != 0 {
				t.Errorf("%d nodes after an error", len(d.Nodes))
			}
		})
	}
}

func TestParseAccepts(t *testing.T) {
	deep := strings.Repeat(`{"a":`, MaxDepth-1) + "[]" + strings.Repeat("}", MaxDepth-1)
	for _, line := range []string{
		"{}", " {}", "{}\r", "\t{ }\n", `{"":0}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"a":"\uDFFFx\ud83d\ude00"}`,
		`{"__proto__":{"constructor":1e999}}`, `{"a":-0,"b":-0.0e-0,"c":1E+5,"d":123456789012345678901234567890.5}`,
		`{"日本":"語","e\u0301":"é"}`, "{\"\u007f\":\"\u2028\"}", deep,
	} {
		var d Doc
		if e := d.Parse([]byte(line), 0); e != nil {
			t.Errorf("Parse(%.40q) = %+v", line, *e)
		}
	}
}

// TestParseMaxChars has lines of characters of several bytes on both sides of
// the limit (CL-6.20).
func TestParseMaxChars(t *testing.T) {
	line := []byte(`{"a":"` + strings.Repeat("日", 92) + `"}`)
	chars := utf8.RuneCount(line)
	var d Doc
	if e := d.Parse(line, chars); e != nil {
		t.Errorf("%d of %d characters: %+v", chars, chars, *e)
	}
	e := d.Parse(line, chars-1)
	if e == nil || e.Reason != TooLong || e.Chars != int64(chars) {
		t.Errorf("%d of %d characters: %+v", chars, chars-1, e)
	}
}

// boxLine returns a line as Ground Truth writes it, with the given number of
// boxes: about 540 bytes on average for two to four.
func boxLine(rng *rand.Rand, boxes int) []byte {
	classes := []string{"resistor", "capacitor", "ir_led", "comparator", "header"}
	var anns, objs, classMap []string
	for i := range boxes {
		anns = append(anns, fmt.Sprintf(`{"class_id":%d,"left":%d,"top":%d,"width":%d,"height":%d}`,
			i, rng.IntN(3000), rng.IntN(2000), 2+rng.IntN(900), 2+rng.IntN(600)))
		objs = append(objs, `{"confidence":1}`)
		classMap = append(classMap, fmt.Sprintf(`"%d":"%s"`, i, classes[rng.IntN(len(classes))]))
	}
	return fmt.Appendf(nil, `{"source-ref":"s3://boards/img/%07d.png","BB":{"image_size":[{"width":4000,"height":2667,"depth":3}],"annotations":[%s]},`+
		`"BB-metadata":{"objects":[%s],"class-map":{%s},"type":"groundtruth/object-detection","human-annotated":"yes",`+
		`"creation-date":"2021-06-22T10:10:%02d.492Z","job-name":"labeling-job/BB"}}`,
		rng.IntN(1e7), strings.Join(anns, ","), strings.Join(objs, ","), strings.Join(classMap, ","), rng.IntN(60))
}

// testRand returns random numbers that are the same in every run.
func testRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// boxLines returns n lines of two to four boxes.
func boxLines(n int) [][]byte {
	rng := testRand()
	lines := make([][]byte, n)
	for i := range lines {
		lines[i] = boxLine(rng, 2+rng.IntN(3))
	}
	return lines
}

func sizeOf(lines [][]byte) (n int64) {
	for _, l := range lines {
		n += int64(len(l))
	}
	return n
}

func TestParseAllocs(t *testing.T) {
	lines := boxLines(50)
	var d Doc
	parse := func() {
		for _, l := range lines {
			if e := d.Parse(l, 100_000); e != nil {
				t.Fatal(e)
			}
		}
	}
	parse()
	if n := testing.AllocsPerRun(10, parse); n != 0 {
		t.Errorf("%v allocations once warm, want 0", n)
	}
}

// BenchmarkParse reads lines of about 540 bytes, beside the syntax check of
// encoding/json.
func BenchmarkParse(b *testing.B) {
	lines := boxLines(4000)
	b.Run("fovea", func(b *testing.B) {
		b.SetBytes(sizeOf(lines))
		b.ReportAllocs()
		var d Doc
		for b.Loop() {
			for _, l := range lines {
				if e := d.Parse(l, 100_000); e != nil {
					b.Fatal(e)
				}
			}
		}
	})
	b.Run("encoding_json_Valid", func(b *testing.B) {
		b.SetBytes(sizeOf(lines))
		b.ReportAllocs()
		for b.Loop() {
			for _, l := range lines {
				if !json.Valid(l) {
					b.Fatal("invalid")
				}
			}
		}
	})
}

// FuzzParse compares with encoding/json, which accepts what is not UTF-8 and
// nests deeper.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"{}", `{"a":[1,2.5e-3,"\u00e9\n",true,false,null,{"b":{}}]}`, `{"a":01}`, `{"a":"` + "\x01" + `"}`, `{"a":"` + "\xff" + `"}`, `{"a":1,}`,
		`[]`, ` { "a" : -0 } `, `{"12345678":"1234567\"890123456"}`, `{"a":1e999,"b":12345678.12345678}`, "\ufeff{}", strings.Repeat("[", 600), "",
	} {
		f.Add([]byte(s))
	}
	for _, l := range boxLines(3) {
		f.Add(l)
	}
	var d Doc
	f.Fuzz(func(t *testing.T, line []byte) {
		e := d.Parse(line, 0)
		valid := json.Valid(line) && utf8.Valid(line)
		if (e == nil || e.Reason == NotObject) != valid && !(valid && e.Reason == TooDeep) {
			t.Fatalf("Parse = %+v, encoding/json says %t", e, valid)
		}
		if e != nil {
			if e.Offset < 0 || e.Offset > len(line) || e.Found == "" || e.Want == "" || !utf8.ValidString(e.Found) {
				t.Fatalf("Parse = %+v", *e)
			}
			return
		}
		var want any
		if err := json.Unmarshal(line, &want); err != nil && !strings.Contains(err.Error(), "cannot unmarshal number") {
			t.Fatal(err)
		} else if err == nil {
			if diff := cmp.Diff(want, valueOf(t, &d, d.Root())); diff != "" {
				t.Errorf("value (-encoding/json +fovea):\n%s", diff)
			}
		}
	})
}

// valueOf returns the value at i as encoding/json would, and checks the places
// of the nodes.
func valueOf(t *testing.T, d *Doc, i int) any {
	t.Helper()
	switch raw := d.Raw(i); d.Type(i) {
	case Object:
		m := map[string]any{}
		count := 0
		for k, v := range d.Members(i) {
			key := string(d.Key(k))
			m[key] = valueOf(t, d, v)
			if last := d.Member(i, key); last < v {
				t.Errorf("Member(%d, %q) = %d, want %d or more", i, key, last, v)
			}
			count++
		}
		if count != d.Len(i) || raw[0] != '{' || raw[len(raw)-1] != '}' {
			t.Errorf("object %s of %d members has Len %d", raw, count, d.Len(i))
		}
		return m
	case Array:
		a := []any{}
		for e := range d.Elements(i) {
			a = append(a, valueOf(t, d, e))
		}
		if len(a) != d.Len(i) || raw[0] != '[' || raw[len(raw)-1] != ']' {
			t.Errorf("array %s of %d elements has Len %d", raw, len(a), d.Len(i))
		}
		return a
	case String:
		return string(d.Str(i, nil))
	case Number:
		f, ok := d.Float(i)
		if !ok {
			t.Errorf("Float(%s) failed", raw)
		}
		return f
	case True:
		return true
	case False:
		return false
	}
	return nil
}
