package lookout

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
)

// FuzzCheck checks that no line upsets the checker, that what it finds is where
// it says, and that a listed line is what it was (LV-5.61).
func FuzzCheck(f *testing.F) {
	for _, line := range goldenLines(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) { checkAny(t, line) })
}

// goldenLines returns the lines of all golden manifests.
func goldenLines(t testing.TB) (lines [][]byte) {
	names, err := filepath.Glob("testdata/golden/*.jsonl")
	if err != nil || len(names) == 0 {
		t.Fatal("no golden manifests", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			lines = append(lines, []byte(line))
		}
	}
	return lines
}

// checkAny checks what holds of every line.
func checkAny(t *testing.T, line []byte) {
	t.Helper()
	var doc manifest.Doc
	e := &manifest.Entry{Line: line}
	bad := doc.Parse(line, 8192)
	Profile(Limits()).NewChecker().Check(e, &doc, bad)
	fatal, last := false, 0
	for _, p := range e.Problems {
		fatal = fatal || p.Severity == manifest.Fatal
		if p.Offset < last || p.Offset > len(line) {
			t.Errorf("offset %d after %d in a line of %d bytes: %+v", p.Offset, last, len(line), p)
		}
		last = p.Offset
		if p.Code == "" || p.Message == "" || p.Found == "" || p.Expected == "" || p.Mend == "" || p.At != "" || p.Severity == manifest.Error {
			t.Errorf("problem that is not whole or not of this service: %+v", p)
		}
		if bad == nil && !leads(&doc, p.Pointer) && !leads(&doc, p.Pointer[:strings.LastIndexByte(p.Pointer, '/')]) {
			t.Errorf("the pointer leads nowhere: %+v", p)
		}
	}
	if fatal != e.Dropped {
		t.Errorf("dropped = %t, fatal problem = %t", e.Dropped, fatal)
	}
	if e.Dropped {
		return
	}
	listed := AppendListed(nil, line)
	if bytes.ContainsAny(listed, "\r\n") || listed[0] != '{' || listed[len(listed)-1] != '}' {
		t.Errorf("listed %q", listed)
	}
	again := checkLines(string(listed))[0]
	if diff := cmp.Diff(outline(e), outline(again)); diff != "" || e.Class != again.Class || e.Date != again.Date || labels(e) != labels(again) {
		t.Errorf("the listed line is not the same: %s", diff)
	}
}

// leads tells whether a JSON pointer leads to a value.
func leads(doc *manifest.Doc, pointer string) bool {
	node := doc.Root()
	for pointer != "" && node >= 0 {
		token, rest, more := strings.Cut(pointer[1:], "/")
		if pointer = ""; more {
			pointer = "/" + rest
		}
		node = doc.Member(node, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	return node >= 0
}

// snippets are what a mutant has in place of a value or key.
var snippets = []string{`null`, `true`, `0`, `1`, `"1"`, `""`, `" x "`, `"yes"`, `"anomaly"`, `"Normal"`, `"BACKGROUND"`, `"#ffffff"`, `"#00ff00"`, `"#0f0"`,
	`"groundtruth/semantic-segmentation"`, `"groundtruth/image-classification"`, `"s3://bkt/m.png"`, `[]`, `{}`, `{"1":{}}`, `{"class-name":"a","hex-color":"#123456"}`}

var keys = []string{`"source-ref"`, `"a-label"`, `"a-label-metadata"`, `"a-ref"`, `"a-ref-metadata"`, `"class-name"`, `"hex-color"`, `"type"`,
	`"internal-color-map"`, `"cl\u0061ss-name"`, `"x"`, `"x-metadata"`, `"creation-date"`}

// TestCheckMutants checks what FuzzCheck does, of lines that are nearly right.
func TestCheckMutants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lines := goldenLines(t)
	for range 10_000 {
		line := lines[r.IntN(len(lines))]
		for range 1 + r.IntN(4) {
			line = mutate(r, line)
		}
		if checkAny(t, line); t.Failed() {
			t.Fatalf("line: %s", line)
		}
	}
}

// mutate changes a value or key of a line, or adds a member, at random.
func mutate(r *rand.Rand, line []byte) []byte {
	var doc manifest.Doc
	if doc.Parse(line, 0) != nil {
		return line
	}
	i := r.IntN(len(doc.Nodes))
	n := doc.Nodes[i]
	start, end := int(n.Start), int(n.End)
	pick := func(list []string) []byte { return []byte(list[r.IntN(len(list))]) }
	text := pick(snippets)
	rest := bytes.TrimLeft(line[end:], " ")
	switch {
	case n.Type == manifest.Object && r.IntN(2) == 0 && n.Len > 0:
		start, end, text = start+1, start+1, slices.Concat(pick(keys), []byte(" :\r"), text, []byte(", "))
	case len(rest) > 0 && rest[0] == ':':
		text = pick(keys)
	}
	return slices.Concat(line[:start], text, line[end:])
}

func TestAppendListed(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{`{"a":1}`, `{"a":1}`}, // LV-5.60
		{" {\"a\" : 1}\r", `{"a" : 1}`},
		{"{\"a\":\r1,\r\"b\":\"\\r\"}", `{"a":1,"b":"\r"}`},
	} {
		if got := string(AppendListed([]byte("x"), []byte(tt.line))); got != "x"+tt.want {
			t.Errorf("AppendListed(%q) = %q, want %q", tt.line, got, tt.want)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, line := range map[string]string{"label": labelLine, "mask": maskLine, "console": consoleLine} {
		b.Run(name, func(b *testing.B) {
			var doc manifest.Doc
			e := manifest.Entry{Line: []byte(line)}
			c := Profile(Limits()).NewChecker()
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				c.Check(&e, &doc, doc.Parse(e.Line, 8192))
			}
			if len(e.Problems) > 0 {
				b.Fatal(outline(&e))
			}
		})
	}
}

func TestCheckAllocates(t *testing.T) {
	extra := strings.Replace(labelLine, "{", `{"id":7,"part":"x","more":{"cl-metadata":1},`, 1)
	for _, line := range []string{labelLine, maskLine, consoleLine, extra} {
		var doc manifest.Doc
		e := manifest.Entry{Line: []byte(line)}
		c := Profile(Limits()).NewChecker()
		if n := testing.AllocsPerRun(100, func() { c.Check(&e, &doc, doc.Parse(e.Line, 8192)) }); n != 0 {
			t.Errorf("a clean line costs %v allocations, want none: %s", n, line)
		}
	}
}
