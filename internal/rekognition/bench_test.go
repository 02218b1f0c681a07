package rekognition

import (
	"fmt"
	"strings"
	"testing"

	"fovea/internal/manifest"
)

// typicalLines are the lines that people have: a label of the whole image,
// boxes, and boxes with all classes of a large project in every line (CL-5.32).
func typicalLines() map[string]string {
	var classes strings.Builder
	for i := range 250 {
		fmt.Fprintf(&classes, `,"%d":"class number %d"`, i+100, i)
	}
	return map[string]string{
		"image":      imageLine,
		"boxes":      boxLine,
		"other keys": strings.Replace(imageLine, "{", `{"id":7,"part":"x","more":{"cl-metadata":1},`, 1),
		"250classes": strings.Replace(boxLine, `"3":"ir_led"`, `"3":"ir_led"`+classes.String(), 1),
	}
}

func BenchmarkCheck(b *testing.B) {
	for name, line := range typicalLines() {
		b.Run(name, func(b *testing.B) {
			var doc manifest.Doc
			e := manifest.Entry{Line: []byte(line)}
			c := Profile(Limits()).NewChecker()
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				c.Check(&e, &doc, doc.Parse(e.Line, 100_000))
			}
			if len(e.Problems) > 0 {
				b.Fatal(outline(&e))
			}
		})
	}
}

func TestCheckAllocates(t *testing.T) {
	for name, line := range typicalLines() {
		var doc manifest.Doc
		e := manifest.Entry{Line: []byte(line)}
		c := Profile(Limits()).NewChecker()
		n := testing.AllocsPerRun(100, func() { c.Check(&e, &doc, doc.Parse(e.Line, 100_000)) })
		if n != 0 {
			t.Errorf("a clean line of %s costs %v allocations, want none", name, n)
		}
	}
}

func BenchmarkAppendListed(b *testing.B) {
	var doc manifest.Doc
	var dst []byte
	b.SetBytes(int64(len(boxLine)))
	b.ReportAllocs()
	for b.Loop() {
		if bad := doc.Parse([]byte(boxLine), 100_000); bad != nil {
			b.Fatal(bad)
		}
		dst = AppendListed(dst[:0], &doc, true, nil)
	}
}
