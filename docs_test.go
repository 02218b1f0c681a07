package fovea_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/lookout"
	"fovea/internal/rekognition"
)

// The tests of this file compare the documentation with the program, so that
// neither changes without the other.

// page reads a page of docs.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section returns the text under a heading, up to the next of its level.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(page, heading+"\n")
	if !ok {
		t.Fatalf("there is no heading %q", heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	text, _, _ = strings.Cut(text, "\n"+level+" ")
	return text
}

func TestDocsOperations(t *testing.T) {
	text := page(t, "operations.md")
	row := regexp.MustCompile(`(?m)^\| (\w+) \| (works|501) \|`)
	works, all := 0, 0
	for _, tt := range []struct {
		heading string
		built   map[string]bool
	}{
		{"## Amazon Rekognition Custom Labels", (&rekognition.Server{Log: slog.Default()}).API().Built()},
		{"## Amazon Lookout for Vision", (&lookout.Server{Log: slog.Default()}).API().Built()},
	} {
		written := map[string]bool{}
		for _, m := range row.FindAllStringSubmatch(section(t, text, tt.heading), -1) {
			written[m[1]] = m[2] == "works"
		}
		for _, built := range tt.built {
			all++
			if built {
				works++
			}
		}
		if diff := cmp.Diff(tt.built, written); diff != "" {
			t.Errorf("docs/operations.md, %s: what works (-program +page):\n%s", tt.heading, diff)
		}
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"docs/operations.md": {text, fmt.Sprintf("all %d operations of the two services. %d of them work", all, works)},
		"README.md":          {string(readme), fmt.Sprintf("All %d operations of both services are known. %d work", all, works)},
	} {
		if !strings.Contains(tt.text, tt.want) {
			t.Errorf("%s does not say %q", name, tt.want)
		}
	}
}

func TestDocsDifferences(t *testing.T) {
	pinned := testNames(t, "TestDiff")
	item := regexp.MustCompile(`(?m)^(\d+)\. \*\*`)
	text := page(t, "differences.md")
	var written []string
	for i, at := range item.FindAllStringSubmatchIndex(text, -1) {
		if n, _ := strconv.Atoi(text[at[2]:at[3]]); n != i+1 {
			t.Errorf("item %d of docs/differences.md has the number %d", i+1, n)
		}
		body := text[at[1]:]
		if next := item.FindStringIndex(body); next != nil {
			body = body[:next[0]]
		}
		name := regexp.MustCompile("`(TestDiff(\\d\\d)\\w+)`").FindStringSubmatch(body)
		if name == nil {
			t.Errorf("item %d of docs/differences.md names no test", i+1)
			continue
		}
		if n, _ := strconv.Atoi(name[2]); n != i+1 {
			t.Errorf("item %d of docs/differences.md names %s", i+1, name[1])
		}
		written = append(written, name[1])
	}
	if diff := cmp.Diff(pinned, written); diff != "" {
		t.Errorf("tests of differences (-program +page):\n%s", diff)
	}
}

// testNames returns the names of all tests with a prefix, sorted.
func testNames(t *testing.T, prefix string) (names []string) {
	t.Helper()
	goFiles(t, ".", func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(fn.Name.Name, prefix) {
				names = append(names, fn.Name.Name)
			}
		}
	})
	slices.Sort(names)
	return names
}

// goFiles calls fn with the Go files in a folder and those below it.
func goFiles(t *testing.T, dir string, fn func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == ".git"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			fn(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDocsCodes compares the codes that docs/manifests.md explains with those
// that the checkers and the import can give.
func TestDocsCodes(t *testing.T) {
	text := page(t, "manifests.md")
	both := codesOf(t, "internal/lint", "internal/dataset")
	for _, tt := range []struct {
		heading string
		codes   []string
	}{
		{"## Codes of both services", both},
		{"## Codes of Custom Labels", without(codesOf(t, "internal/rekognition"), both)},
		{"## Codes of Lookout for Vision", without(codesOf(t, "internal/lookout"), both)},
	} {
		written := map[string]bool{}
		for _, m := range regexp.MustCompile("(?m)^\\| `((?:ERROR|WARNING)_\\w+)` \\|").FindAllStringSubmatch(section(t, text, tt.heading), -1) {
			if written[m[1]] {
				t.Errorf("%s: %s is explained twice", tt.heading, m[1])
			}
			written[m[1]] = true
		}
		if diff := cmp.Diff(tt.codes, slices.Sorted(maps.Keys(written))); diff != "" {
			t.Errorf("docs/manifests.md, %s: codes (-program +page):\n%s", tt.heading, diff)
		}
	}
}

// codesOf returns the codes that the program's text in some folders has,
// sorted.
func codesOf(t *testing.T, dirs ...string) []string {
	t.Helper()
	isCode := regexp.MustCompile(`^(ERROR|WARNING)_[A-Z0-9_]*[A-Z0-9]$`)
	codes := map[string]bool{}
	for _, dir := range dirs {
		goFiles(t, dir, func(path string, file *ast.File) {
			if strings.HasSuffix(path, "_test.go") {
				return
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil && isCode.MatchString(s) {
						codes[s] = true
					}
				}
				return true
			})
		})
	}
	return slices.Sorted(maps.Keys(codes))
}

// without returns the codes that are not among others.
func without(codes, others []string) []string {
	return slices.DeleteFunc(codes, func(c string) bool { return slices.Contains(others, c) })
}

// TestDocsSettings compares the flags and metrics that docs/running.md explains
// with those that the program's text has.
func TestDocsSettings(t *testing.T) {
	text := page(t, "running.md")
	flags, metrics := map[string]bool{}, map[string]bool{}
	goFiles(t, "cmd/fovea", func(path string, file *ast.File) {
		if strings.HasSuffix(path, "config.go") {
			flagsIn(file, flags)
		}
	})
	name := regexp.MustCompile(`fovea_[a-z_]+`)
	for _, dir := range []string{"cmd/fovea", "internal/server"} {
		goFiles(t, dir, func(path string, file *ast.File) {
			if strings.HasSuffix(path, "_test.go") {
				return
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.HasPrefix(lit.Value[1:], "fovea_") {
					metrics[name.FindString(lit.Value)] = true
				}
				return true
			})
		})
	}
	for _, tt := range []struct {
		what string
		want map[string]bool
		row  string
	}{
		{"flags", flags, "(?m)^\\| `--([a-z0-9-]+)` \\|"},
		{"metrics", metrics, "(?m)^\\| `(fovea_[a-z_]+)` \\|"},
	} {
		var written []string
		for _, m := range regexp.MustCompile(tt.row).FindAllStringSubmatch(text, -1) {
			written = append(written, m[1])
		}
		slices.Sort(written)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(tt.want)), written); diff != "" {
			t.Errorf("docs/running.md: %s (-program +page):\n%s", tt.what, diff)
		}
	}
}

// flagsIn adds the flags that a file defines: calls such as
// f.StringVar(&c.Listen, "listen", …).
func flagsIn(file *ast.File, flags map[string]bool) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 {
			return true
		}
		fn, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !strings.HasSuffix(fn.Sel.Name, "Var") {
			return true
		}
		if lit, ok := call.Args[1].(*ast.BasicLit); ok {
			flags[strings.Trim(lit.Value, `"`)] = true
		}
		return true
	})
}

// TestDocsSegments compares the columns that docs/segments.md explains with
// those of the schema.
func TestDocsSegments(t *testing.T) {
	var columns []string
	goFiles(t, "internal/segment", func(path string, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == "row" {
				for _, f := range spec.Type.(*ast.StructType).Fields.List {
					tag, _ := strconv.Unquote(f.Tag.Value)
					name, _, _ := strings.Cut(reflect.StructTag(tag).Get("parquet"), ",")
					columns = append(columns, name)
				}
			}
			return true
		})
	})
	var written []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(section(t, page(t, "segments.md"), "## Columns"), -1) {
		written = append(written, m[1])
	}
	if diff := cmp.Diff(columns, written); diff != "" {
		t.Errorf("docs/segments.md: columns (-program +page):\n%s", diff)
	}
}

// TestDocsLinks checks that links between the pages lead to a file and to a
// heading in it.
func TestDocsLinks(t *testing.T) {
	var pages []string
	for _, glob := range []string{"README.md", "CHANGELOG.md", "docs/*.md", "docs/design/*.md"} {
		found, err := filepath.Glob(glob)
		if err != nil || len(found) == 0 {
			t.Fatalf("no page %s: %v", glob, err)
		}
		pages = append(pages, found...)
	}
	link := regexp.MustCompile(`\]\(([^)#:]*)(?:#([^)]*))?\)`)
	for _, p := range pages {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			target := p
			if m[1] != "" {
				target = filepath.Join(filepath.Dir(p), m[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", p, m[1], err)
			} else if m[2] != "" && !slices.Contains(anchors(t, target), m[2]) {
				t.Errorf("%s links to %s#%s, which has no such heading", p, m[1], m[2])
			}
		}
	}
}

// anchors returns what the headings of a page are called in links.
func anchors(t *testing.T, name string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(text), -1) {
		name := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(m[1]), "")
		list = append(list, strings.ReplaceAll(name, " ", "-"))
	}
	return list
}
