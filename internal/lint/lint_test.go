package lint

import (
	"fmt"
	"strings"
	"testing"

	"fovea/internal/manifest"
)

func parse(t *testing.T, text string) *manifest.Doc {
	t.Helper()
	var doc manifest.Doc
	if bad := doc.Parse([]byte(text), 0); bad != nil {
		t.Fatalf("%s: %+v", text, bad)
	}
	return &doc
}

func TestMeant(t *testing.T) {
	for _, tt := range []struct{ word, want string }{
		{"source_ref", "source-ref"},
		{"sourceRef", "source-ref"},
		{"Source Ref", "source-ref"},
		{"soruce-ref", "source-ref"},
		{"source-rf", "source-ref"},
		{"sourcerefs", "source-ref"},
		{"source", ""},
		{"top", "top"},
		{"Top", "top"},
		{"tpo", ""}, // too short for slips
		{"hieght", "height"},
		{"weight", "height"},
		{"", ""},
		{strings.Repeat("x", 65), ""},
		{"ſource-ref", "source-ref"},
	} {
		if got := Meant(tt.word, "source-ref", "top", "height"); got != tt.want {
			t.Errorf("Meant(%q) = %q, want %q", tt.word, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"abc", "abc", 0}, {"abc", "", 3}, {"", "abc", 3}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"abcd", "bcd", 1}, {"kitten", "sitting", 3},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestSplitRef(t *testing.T) {
	for _, tt := range []struct {
		ref, bucket, key string
		ok               bool
	}{
		{"s3://b/k", "b", "k", true},
		{"S3://b/k/l m", "b", "k/l m", true}, // CL-6.23
		{"s3://b//k", "b", "/k", true},
		{"s3://b/", "", "", false},
		{"s3://b", "", "", false},
		{"s3:///k", "", "", false},
		{"s3://", "", "", false},
		{"s3:/b/k", "", "", false},
		{"https://b/k", "", "", false},
		{"", "", "", false},
		{"\x133://b/k", "", "", false},
	} {
		bucket, key, ok := SplitRef([]byte(tt.ref))
		if string(bucket) != tt.bucket || string(key) != tt.key || ok != tt.ok {
			t.Errorf("SplitRef(%q) = %q, %q, %t", tt.ref, bucket, key, ok)
		}
	}
}

func TestMendRef(t *testing.T) {
	for _, tt := range []struct{ ref, want string }{
		{"https://b.s3.amazonaws.com/k/l.jpg", `Write "s3://b/k/l.jpg".`},
		{"https://b.s3-eu-west-1.amazonaws.com/k.jpg", `Write "s3://b/k.jpg".`},
		{"https://my.bucket.s3.eu-west-1.amazonaws.com/a%20b.jpg", `Write "s3://my.bucket/a b.jpg".`},
		{"https://s3.eu-west-1.amazonaws.com/b/k.jpg", `Write "s3://b/k.jpg".`},
		{"https://example.com/k.jpg", "Copy the image to S3 and write its URI, as in s3://BUCKET/KEY."},
		{"s3n://b/k", `Write "s3://b/k".`},
		{"s3:/b/k", `Write "s3://b/k".`},
		{`s3:\\b\k`, `Write "s3://b/k".`},
		{"arn:aws:s3:::b/k", `Write "s3://b/k".`},
		{" s3://b/k ", `Write "s3://b/k".`},
		{"s3://b", "Name an object after the bucket, as in s3://BUCKET/KEY."},
		{"./img/1.jpg", `Write the bucket before the path: "s3://BUCKET/img/1.jpg".`},
		{"https://%zz", "Copy the image to S3 and write its URI, as in s3://BUCKET/KEY."},
		{strings.Repeat("x", 5000), "Write the S3 URI of the image, as in s3://BUCKET/KEY."},
	} {
		if got := MendRef([]byte(tt.ref)); got != tt.want {
			t.Errorf("MendRef(%q) = %s, want %s", tt.ref, got, tt.want)
		}
	}
}

func TestLineMany(t *testing.T) {
	var s strings.Builder
	s.WriteString(`{"source-ref":"s3://b/k"`)
	for i := range 40 {
		fmt.Fprintf(&s, `,"a%d-metadata":{},"a%d":%d`, i, i, i)
	}
	s.WriteString(`,"a7":"again","skipped":1}`)
	doc := parse(t, s.String())
	var l Line
	for range 2 { // a line leaves nothing for the next
		l.Read(doc, func(key []byte) bool { return string(key) == "skipped" })
		if len(l.Members) != 80 || len(l.Pairs) != 40 || len(l.Repeated) != 1 {
			t.Fatalf("%d members, %d pairs, %d repeated", len(l.Members), len(l.Pairs), len(l.Repeated))
		}
		for i, p := range l.Pairs {
			want := fmt.Sprint(i)
			if i == 7 {
				want = `"again"`
			}
			if got := string(doc.Raw(p.Value)); got != want || string(p.Name) != fmt.Sprintf("a%d", i) {
				t.Errorf("pair %d is %s = %s, want %s", i, p.Name, got, want)
			}
		}
	}
	l.Read(parse(t, `{"a1":1}`), nil)
	if len(l.Members) != 1 || len(l.Pairs) != 0 || l.Ref != -1 {
		t.Errorf("line = %+v", l)
	}
}

func TestFindings(t *testing.T) {
	doc := parse(t, `{"a":[1,2],"b":{"c":3}}`)
	var f Findings
	e := &manifest.Entry{Line: doc.Text}
	f.Begin(e, doc)
	c := doc.Member(doc.Member(0, "b"), "c")
	for range MaxProblems {
		f.Add(0, c, manifest.Problem{Code: "W"})
	}
	f.Add(0, c, manifest.Problem{Code: "not kept"})
	f.Add(doc.Member(0, "b"), doc.Member(0, "a")+1, manifest.Problem{Code: "E", Severity: manifest.Error})
	f.Missing(0, 0, "d", manifest.Problem{Code: "F", Severity: manifest.Fatal})
	f.End()
	if n := len(e.Problems); n != MaxProblems+1 {
		t.Fatalf("%d problems", n)
	}
	for i, want := range []manifest.Problem{
		{Severity: manifest.Fatal, Code: "F", Pointer: "/d", Found: "nothing"},
		{Severity: manifest.Error, Code: "E", At: "/b", Pointer: "/a/0", Offset: 6, Found: "1"},
		{Code: "W", Pointer: "/b/c", Offset: 20, Found: "3"},
	} {
		if e.Problems[i] != want {
			t.Errorf("problem %d = %+v, want %+v", i, e.Problems[i], want)
		}
	}
	if last := e.Problems[MaxProblems]; last.Code != MoreProblems || !strings.HasPrefix(last.Message, "3 more problems") {
		t.Errorf("last problem = %+v", last)
	}
}

func TestNames(t *testing.T) {
	var n Names
	for line := range 3 {
		var e manifest.Entry
		n.Begin()
		for i := range maxNames {
			n.Label(&e, n.Get(fmt.Appendf(nil, "%d of line %d", i, line))).Used = true
		}
		n.Label(&e, n.Get(fmt.Appendf(nil, "0 of line %d", line))).Boxed = true
		if len(e.Labels) != maxNames || !e.Labels[0].Boxed || !e.Labels[0].Used || e.Labels[1].Boxed {
			t.Fatalf("line %d: %d labels, the first are %+v", line, len(e.Labels), e.Labels[:2])
		}
		if len(n.known) > 2*maxNames {
			t.Errorf("%d names are remembered", len(n.known))
		}
	}
}

func TestMendLine(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{`{`, "Write each JSON object on one line, without line breaks inside: jq -c . does it."},
		{`  "a": 1,`, "Write each JSON object on one line, without line breaks inside: jq -c . does it."},
		{`{"a":1`, "Complete the line: it ends too early."},
		{`{"a":1} {"b":2}`, "Begin a new line for each object."},
		{`{'a':1}`, "Write keys and strings in double quotes, as a JSON library does."},
		{`{"a":1,}`, "Remove the comma before it."},
		{`{"a":[1,]}`, "Remove the comma before it."},
		{`{"a":None}`, "Write null in place of None."},
		{`{"a":-Infinity}`, "Write a number in place of Infinity."},
		{`{"a":"\q"}`, "Write the backslash twice."},
		{`{"a":007}`, "Remove the leading zeros."},
		{`{"a" 1}`, "Correct the line at byte 6, or write it with a JSON library."},
		{`a,b,c`, "Write one JSON object on each line."},
		{``, "Remove the blank line."},
	} {
		var doc manifest.Doc
		e := &manifest.Entry{Line: []byte(tt.line)}
		var f Findings
		f.Begin(e, &doc)
		f.Unreadable(doc.Parse(e.Line, 0), manifest.Problem{})
		f.End()
		if got := e.Problems[0].Mend; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.line, got, tt.want)
		}
	}
}
