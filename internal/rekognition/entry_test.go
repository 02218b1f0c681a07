package rekognition

import (
	"strings"
	"testing"
	"unicode/utf8"

	"fovea/internal/manifest"
)

func TestAppendListed(t *testing.T) {
	const (
		pair  = `"a":{"annotations":[{"x":1},{"y":2}]},"a-metadata":{"m":1}`
		first = `{"source-ref":"s3://b/k",` + pair
		meta  = `,"cl-metadata":{"is_labeled":true}`
	)
	type problems = []StoredProblem
	lists := func(code string) string {
		list := `[{"code":"` + code + `","message":"m"}]`
		return `,"cl-errors":` + list + `,"errors":` + list
	}
	for _, tt := range []struct {
		name     string
		line     string
		problems problems
		want     string
	}{
		{"CL-6.60 no errors", first + "}", nil, first + meta + "}"},
		{"CL-7.28 compact", `{ "source-ref" : "s3:\/\/b/k\u00e9", "n":[ 1.50 , { } ] }`, nil, `{"source-ref":"s3:\/\/b/k\u00e9","n":[1.50,{}]` + meta + "}"},
		{"CL-5.14 order of keys", `{"z":1,"source-ref":"s3://b/k","a":2}`, nil, `{"z":1,"source-ref":"s3://b/k","a":2` + meta + "}"},
		{"CL-6.62 line", first + "}", problems{{"C", "m", ""}}, first + meta + lists("C") + "}"},
		{"CL-6.61 attribute", first + "}", problems{{"C", "m", "/a"}},
			`{"source-ref":"s3://b/k","a":{"annotations":[{"x":1},{"y":2}]` + lists("C") + `},"a-metadata":{"m":1}` + meta + "}"},
		{"CL-6.61 metadata", first + "}", problems{{"C", "m", "/a-metadata"}},
			`{"source-ref":"s3://b/k","a":{"annotations":[{"x":1},{"y":2}]},"a-metadata":{"m":1` + lists("C") + `}` + meta + "}"},
		{"CL-6.61 box", first + "}", problems{{"C", "m", "/a/annotations/1"}},
			`{"source-ref":"s3://b/k","a":{"annotations":[{"x":1},{"y":2` + lists("C") + `}]},"a-metadata":{"m":1}` + meta + "}"},
		{"one of two that are the same", first + "}", problems{{"C", "m", ""}, {"C", "m", ""}}, first + meta + lists("C") + "}"},
		{"CL-6.58 one code for two attributes", first + "}", problems{{"C", "m", ""}, {"C", "n", ""}}, first + meta +
			`,"cl-errors":[{"code":"C","message":"m"},{"code":"C","message":"n"}],"errors":[{"code":"C","message":"m"},{"code":"C","message":"n"}]}`},
		{"an object that is not there", first + "}", problems{{"C", "m", "/b/annotations/9"}}, first + meta + lists("C") + "}"},
		{"CL-5.13 reserved keys", `{"cl-errors":[],"source-ref":"s3://b/k","errors":1,"a":{"cl-errors":1,"annotations":[{"errors":[],"x":1},{"y":2,"warnings":1}]},"a-metadata":{"cl-warnings":1,"m":1},"cl-metadata":{}}`,
			nil, first + meta + "}"},
		{"CL-5.13 keys of other objects stay", `{"source-ref":"s3://b/k","b":{"errors":1},"c":[{"cl-metadata":1}]}`, nil,
			`{"source-ref":"s3://b/k","b":{"errors":1},"c":[{"cl-metadata":1}]` + meta + "}"},
		{"of two keys the last carries", `{"source-ref":"s3://b/k","a":{},"a":{"z":1},"a-metadata":1}`, problems{{"C", "m", "/a"}},
			`{"source-ref":"s3://b/k","a":{},"a":{"z":1` + lists("C") + `},"a-metadata":1` + meta + "}"},
		{"odd names", `{"source-ref":"s3://b/k","a/b~\"":1,"a/b~\"-metadata":{}}`, problems{{"C", "m", `/a~1b~0"-metadata`}},
			`{"source-ref":"s3://b/k","a/b~\"":1,"a/b~\"-metadata":{` + strings.TrimPrefix(lists("C"), ",") + `}` + meta + "}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var doc manifest.Doc
			if bad := doc.Parse([]byte(tt.line), 0); bad != nil {
				t.Fatal(bad)
			}
			got := string(AppendListed([]byte("x"), &doc, true, tt.problems))
			if got != "x"+tt.want {
				t.Errorf("listed\n%s\nwant\n%s", got[1:], tt.want)
			}
		})
	}
}

// TestAppendListedLong checks CL-6.62: of an entry that would become too long
// for a client, errors are listed once.
func TestAppendListedLong(t *testing.T) {
	problems := []StoredProblem{{"ERROR_NO_LABEL_ATTRIBUTES", "No label attributes found.", ""}}
	const fixed = len(`{"source-ref":"s3://b/k","é":"","cl-metadata":{"is_labeled":false},"cl-errors":[{"code":"ERROR_NO_LABEL_ATTRIBUTES","message":"No label attributes found."}]`) +
		len(`,"errors":[{"code":"ERROR_NO_LABEL_ATTRIBUTES","message":"No label attributes found."}]}`) - 1 // é is one character
	for _, chars := range []int{100_000, 100_001} {
		var doc manifest.Doc
		line := `{"source-ref":"s3://b/k","é":"` + strings.Repeat("é", chars-fixed) + `"}`
		if bad := doc.Parse([]byte(line), 0); bad != nil {
			t.Fatal(bad)
		}
		got := string(AppendListed(nil, &doc, false, problems))
		if both := strings.Contains(got, `"errors"`); both != (chars == 100_000) || !strings.Contains(got, `"cl-errors"`) {
			t.Errorf("an entry of %d characters: both lists = %t", chars, both)
		}
		if n := utf8.RuneCountInString(got); n > 100_000 {
			t.Errorf("an entry of %d characters was listed", n)
		}
	}
}
