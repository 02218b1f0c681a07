package fovea_test

import (
	"go/ast"
	"go/token"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/appraisal"
)

// TestDocsModelCalls compares the calls about models that docs/extensions.md
// describes with those that there are.
func TestDocsModelCalls(t *testing.T) {
	prefixes := map[string]string{"all": "models", "one": "models/{name}/"}
	var routes []string
	goFiles(t, "internal/extension", func(path string, file *ast.File) {
		if !strings.HasSuffix(path, "/model.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			if fn, ok := call.Fun.(*ast.SelectorExpr); ok && fn.Sel.Name == "HandleFunc" {
				if route := routeOf(call.Args[0], prefixes); route != "/" {
					routes = append(routes, route)
				}
			}
			return true
		})
	})
	var written []string
	models := section(t, page(t, "extensions.md"), "## Models")
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z]+ models[^`]*)` \\|").FindAllStringSubmatch(models, -1) {
		written = append(written, m[1])
	}
	slices.Sort(routes)
	slices.Sort(written)
	if diff := cmp.Diff(routes, written); diff != "" {
		t.Errorf("docs/extensions.md: calls about models (-program +page):\n%s", diff)
	}
}

// routeOf returns the text of a route: strings and the named prefixes, added.
func routeOf(x ast.Expr, prefixes map[string]string) string {
	switch x := x.(type) {
	case *ast.BasicLit:
		if x.Kind == token.STRING {
			text, _ := strconv.Unquote(x.Value)
			return text
		}
	case *ast.Ident:
		return prefixes[x.Name]
	case *ast.BinaryExpr:
		return routeOf(x.X, prefixes) + routeOf(x.Y, prefixes)
	}
	return ""
}

// TestDocsModelReport checks that docs/extensions.md names every member of the
// report of a model.
func TestDocsModelReport(t *testing.T) {
	text := section(t, section(t, page(t, "extensions.md"), "## Models"), "### The report of a model")
	for _, typ := range []reflect.Type{
		reflect.TypeFor[appraisal.Report](), reflect.TypeFor[appraisal.Evaluation](), reflect.TypeFor[appraisal.Label](),
		reflect.TypeFor[appraisal.Area](), reflect.TypeFor[appraisal.Image](),
	} {
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(text, "`"+name+"`") {
				t.Errorf("docs/extensions.md does not say what %s of %s is", name, typ)
			}
		}
	}
}
