package rekognition

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/manifest"
)

// FuzzCheck checks that no line upsets the checker, that what it finds is where
// it says, and that listing an accepted line and checking the listed text
// comes to the same (CL-15.4 item 6).
func FuzzCheck(f *testing.F) {
	for _, line := range goldenLines(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var doc manifest.Doc
		e := &manifest.Entry{Line: line}
		c := Profile(Limits()).NewChecker()
		bad := doc.Parse(line, 100_000)
		c.Check(e, &doc, bad)
		checkPlaces(t, e, &doc, bad != nil)
		if !e.Dropped {
			checkListing(t, e, &doc)
		}
	})
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

// checkPlaces checks that every problem points to a place in the line, and
// every error is carried by an object that can.
func checkPlaces(t *testing.T, e *manifest.Entry, doc *manifest.Doc, unread bool) {
	t.Helper()
	fatal, last := false, 0
	for _, p := range e.Problems {
		fatal = fatal || p.Severity == manifest.Fatal
		if p.Offset < last || p.Offset > len(e.Line) {
			t.Errorf("offset %d after %d in a line of %d bytes: %+v", p.Offset, last, len(e.Line), p)
		}
		last = p.Offset
		if p.Code == "" || p.Message == "" || p.Found == "" || p.Expected == "" || p.Mend == "" {
			t.Errorf("incomplete problem: %+v", p)
		}
		if unread {
			continue
		}
		if node := resolve(doc, p.At); node < 0 || doc.Type(node) != manifest.Object {
			t.Errorf("no object carries the problem: %+v", p)
		}
		node := resolve(doc, p.Pointer)
		if node < 0 {
			node = resolve(doc, p.Pointer[:strings.LastIndexByte(p.Pointer, '/')]) // a missing member
		}
		if node < 0 {
			t.Errorf("the pointer leads nowhere: %+v", p)
		}
	}
	if fatal != e.Dropped {
		t.Errorf("dropped = %t, fatal problem = %t", e.Dropped, fatal)
	}
	if e.Dropped && (len(e.Labels) > 0 || e.SourceRef != nil) {
		t.Errorf("a dropped line has labels %v and source-ref %q", e.Labels, e.SourceRef)
	}
}

// resolve returns the node to which a JSON pointer leads, -1 if to none.
func resolve(doc *manifest.Doc, pointer string) int {
	node := doc.Root()
	for pointer != "" {
		var token string
		var more bool
		if token, pointer, more = strings.Cut(pointer[1:], "/"); more {
			pointer = "/" + pointer
		}
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if doc.Type(node) == manifest.Array {
			node = element(doc, node, token)
		} else {
			node = doc.Member(node, token)
		}
		if node < 0 {
			return -1
		}
	}
	return node
}

// element returns the node of an element of an array, -1 if there is none.
func element(doc *manifest.Doc, array int, index string) int {
	i := 0
	for e := array + 1; e < doc.Next(array); e = doc.Next(e) {
		if strconv.Itoa(i) == index {
			return e
		}
		i++
	}
	return -1
}

// checkListing lists an entry, checks the text, and lists it again.
func checkListing(t *testing.T, e *manifest.Entry, doc *manifest.Doc) {
	t.Helper()
	first := AppendListed(nil, doc, e.Labeled, stored(e))
	if utf8.RuneCount(first) > maxEntryChars {
		return // too long to be sent back
	}
	var again manifest.Doc
	e2 := &manifest.Entry{Line: first}
	if bad := again.Parse(first, 100_000); bad != nil {
		t.Fatalf("the listed entry is no JSON: %+v\n%s", bad, first)
	}
	Profile(Limits()).NewChecker().Check(e2, &again, nil)
	if diff := cmp.Diff(stored(e), stored(e2)); diff != "" {
		t.Errorf("errors (-of the line +of the listed entry):\n%s\n%s\n%s", diff, e.Line, first)
	}
	if diff := cmp.Diff(append([]manifest.Label{}, e.Labels...), append([]manifest.Label{}, e2.Labels...)); diff != "" || e.Labeled != e2.Labeled || string(e.SourceRef) != string(e2.SourceRef) {
		t.Errorf("the listed entry is not the same: %s\n%s\n%s", diff, e.Line, first)
	}
	if second := AppendListed(nil, &again, e2.Labeled, stored(e2)); string(first) != string(second) {
		t.Errorf("listed twice:\n%s\n%s", first, second)
	}
	if len(e.Problems) == 0 != (len(e2.Problems) == 0) {
		t.Errorf("problems %v, of the listed entry %v", outline(e), outline(e2))
	}
}
