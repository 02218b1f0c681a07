package exchange

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestDocsFormats compares docs/formats.md with the words and limits of the
// program.
func TestDocsFormats(t *testing.T) {
	raw, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	var words []string
	words = slices.AppendSeq(words, maps.Keys(splits))
	words = slices.AppendSeq(words, maps.Keys(verdicts))
	words = append(append(words, unlabelled...), neutral...)
	for _, w := range words {
		if !strings.Contains(page, "`"+w+"`") {
			t.Errorf("docs/formats.md does not have the word %q", w)
		}
	}
	for what, limit := range map[string]int64{
		"| files in a folder | %s |": MaxFiles, "| entries of an archive | %s, ": MaxEntries, "whose list has %s MiB |": maxDirectory >> 20,
		"| an entry | %s GiB;": maxEntry >> 30, "all of them %s TiB |": maxUnpacked >> 40, "| an element of COCO | %s MiB |": maxPiece >> 20,
		"`data.yaml` | %s MiB |": maxXML >> 20, "| a line of CSV | %s MiB,": maxRow >> 20, "MiB, %s cells |": maxColumns, "| a list of images | %s MiB |": maxList >> 20,
		"| the name of a file | %s bytes |": maxName, "COCO or CSV | %s,": maxMarks, "with %s different labels |": maxLabels,
		"more than %s times their size": maxRatio, "They have %s characters at most": maxLabel,
	} {
		if text := fmt.Sprintf(what, thousands(limit)); !strings.Contains(page, text) {
			t.Errorf("docs/formats.md does not say %q", text)
		}
	}
	if maxXML != maxTexts {
		t.Error("the page gives one limit for XML and for the texts of YOLO")
	}
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(columns)), columnsOf(page)); diff != "" {
		t.Errorf("columns of CSV (-program +page):\n%s", diff)
	}
}

// columnsOf returns the names of columns that the page has, as headers are
// compared; the short ranges are written out.
func columnsOf(page string) (names []string) {
	_, table, _ := strings.Cut(page, "| column | names |")
	table, _, _ = strings.Cut(table, "\n\n")
	table = strings.NewReplacer("`x1`…`y2`", "`x1` `y1` `x2` `y2`", "`minx`…`maxy`", "`minx` `miny` `maxx` `maxy`",
		"`xtl`…`ybr`", "`xtl` `ytl` `xbr` `ybr`", "`label1`, `label2`…, ", "").Replace(table)
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(table, -1) {
		names = append(names, strings.NewReplacer("_", "", "-", "").Replace(m[1]))
	}
	slices.Sort(names)
	return names
}

// thousands writes a number with commas.
func thousands(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
