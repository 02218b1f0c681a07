package rekognition

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"fovea/internal/manifest"
)

// snippets are what a mutant has in place of a value.
var snippets = []string{`null`, `true`, `0`, `1`, `-1`, `7`, `1.5`, `1e999`, `640`, `"0"`, `""`, `" x "`, `"yes"`, `"groundtruth/object-detection"`,
	`"groundtruth/image-classification"`, `"s3://b/k"`, `[]`, `{}`, `[{}]`, `{"confidence":1}`, `[1,2]`, `{"errors":1,"a":[]}`}

// keys are what a mutant has in place of a key, or adds.
var keys = []string{`"errors"`, `"cl-errors"`, `"cl-metadata"`, `"warnings"`, `"source-ref"`, `"BB"`, `"BB-metadata"`, `"x"`, `"x-metadata"`,
	`"annotations"`, `"class_id"`, `"left"`, `"width"`, `"confidence"`, `"type"`, `"class-map"`, `"l\u0065ft"`, `"a/b~c"`, `"a/b~c-metadata"`}

// mutate changes a value or key of a line, or adds a member, at random.
func mutate(r *rand.Rand, line []byte) []byte {
	var doc manifest.Doc
	if doc.Parse(line, 0) != nil {
		return line
	}
	i := r.IntN(len(doc.Nodes))
	n := doc.Nodes[i]
	pick := func(list []string) []byte { return []byte(list[r.IntN(len(list))]) }
	member := slices.Concat(pick(keys), []byte(" : "), pick(snippets))
	switch {
	case n.Type == manifest.Object && r.IntN(2) == 0 && n.Len > 0:
		return splice(line, int(n.Start)+1, int(n.Start)+1, append(member, ',', ' '))
	case isKey(&doc, i):
		return splice(line, int(n.Start), int(n.End), pick(keys))
	}
	return splice(line, int(n.Start), int(n.End), pick(snippets))
}

// isKey tells whether the node is followed by a colon.
func isKey(doc *manifest.Doc, i int) bool {
	rest := bytes.TrimLeft(doc.Text[doc.Nodes[i].End:], " ")
	return len(rest) > 0 && rest[0] == ':'
}

func splice(line []byte, start, end int, text []byte) []byte {
	return slices.Concat(line[:start], text, line[end:])
}

// TestCheckMutants checks what FuzzCheck does, of lines that are nearly right.
func TestCheckMutants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lines := goldenLines(t)
	for range 10_000 {
		line := lines[r.IntN(len(lines))]
		if len(line) > 5000 {
			continue
		}
		for range 1 + r.IntN(4) {
			line = mutate(r, line)
		}
		var doc manifest.Doc
		e := &manifest.Entry{Line: line}
		bad := doc.Parse(line, 100_000)
		Profile(Limits()).NewChecker().Check(e, &doc, bad)
		checkPlaces(t, e, &doc, bad != nil)
		if !e.Dropped {
			checkListing(t, e, &doc)
		}
		if t.Failed() {
			t.Fatalf("line: %s", line)
		}
	}
}
