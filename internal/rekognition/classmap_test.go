package rekognition

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
)

// TestClassMapAgain checks lines one after the other and each by itself, which
// must come to the same: a class map that a line has of the one before is not
// read again.
func TestClassMapAgain(t *testing.T) {
	const first = `{"0":"comparator","3":"ir_led"}`
	long := strings.Repeat("x", 300)
	attribute := boxLine[strings.Index(boxLine, `"BB":`) : len(boxLine)-1]
	second := strings.NewReplacer(`"BB"`, `"CC"`, `"BB-metadata"`, `"CC-metadata"`).Replace(attribute)
	lines := []string{
		boxLine,
		edit(t, boxLine, `"BB":`, `"id":{"more":[1,2,3]},"BB":`),
		edit(t, boxLine, first, `{"0":"comparator","3":"`+long+`"}`),
		edit(t, boxLine, first, `{"0":"comparator","3":"comparator"}`),
		edit(t, boxLine, first, `{"0":"comparator","3":" ir_led"}`),
		edit(t, boxLine, first, `{"0":"comparator","3":"ir_led","03":"x"}`),
		edit(t, boxLine, first, `{"0":"comparator"}`),
		edit(t, boxLine, first, `{}`),
		edit(t, boxLine, first, `[]`),
		edit(t, boxLine, `"class-map":`+first+`,`, ``),
		edit(t, boxLine, boxesOf(boxLine), "", `{"confidence":1},{"confidence":0.5}`, ""),
		edit(t, boxLine, attribute, attribute+","+second),
		edit(t, boxLine, attribute, second+","+attribute, `"ir_led"`, `"other"`),
		imageLine,
		`{"source-ref":"s3://b/k.jpg"}`,
		`no JSON`,
	}
	limits := Limits()
	shared := Profile(limits).NewChecker()
	var doc manifest.Doc
	e := &manifest.Entry{}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 5000 {
		line := lines[random.IntN(len(lines))]
		e.Reset()
		e.Line, e.Number = []byte(line), 1
		shared.Check(e, &doc, doc.Parse(e.Line, int(limits.LineChars)))
		alone := checkLine(line)
		if diff := cmp.Diff(verdict(alone), verdict(e)); diff != "" {
			t.Fatalf("line %d, %s: checked after others (-alone +after):\n%s", n, line, diff)
		}
	}
}

// TestClassMapForgotten sees more names than are remembered.
func TestClassMapForgotten(t *testing.T) {
	shared := newChecker(Limits())
	var doc manifest.Doc
	for n := range 25_000 {
		line := edit(t, boxLine, "ir_led", fmt.Sprint("name-", n/2))
		e := &manifest.Entry{Line: []byte(line), Number: 1}
		shared.Check(e, &doc, doc.Parse(e.Line, 100_000))
		if got, want := e.Labels[1].Name, fmt.Sprint("name-", n/2); got != want {
			t.Fatalf("line %d has the label %q, want %q", n, got, want)
		}
	}
	if shared.names.Age() < 2 {
		t.Error("no name was forgotten: the test is too small")
	}
}

// verdict returns what a checker said of an entry.
func verdict(e *manifest.Entry) any {
	return []any{e.Dropped, e.Labeled, e.Class, e.Date, string(e.SourceRef), fmt.Sprint(e.Labels), outline(e)}
}
