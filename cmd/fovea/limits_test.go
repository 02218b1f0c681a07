package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea"
)

// limitsOf returns the limits that settings of a server come to.
func limitsOf(t *testing.T, args ...string) (map[fovea.Service]fovea.Limits, error) {
	t.Helper()
	c, err := loadConfig(t, args...)
	if err != nil {
		return nil, err
	}
	profiles, err := c.profiles()
	limits := map[fovea.Service]fovea.Limits{}
	for s, p := range profiles {
		limits[s] = p.Limits
	}
	return limits, err
}

// number returns a limit by its name, as text.
func number(l fovea.Limits, name string) string {
	if name == "drop-share" {
		return strconv.FormatFloat(l.DropShare, 'g', -1, 64)
	}
	switch n := numbers(&l)[name].(type) {
	case *int:
		return strconv.Itoa(*n)
	case *int64:
		return strconv.FormatInt(*n, 10)
	}
	return "no such limit"
}

var services = []fovea.Service{fovea.CustomLabels, fovea.Lookout}

// TestLimits sets every limit alone, in all three ways, and lifts them all.
func TestLimits(t *testing.T) {
	aws, err := limitsOf(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		for _, name := range limitNames(s) {
			value := "7"
			if name == "drop-share" {
				value = "0.75"
			}
			setting := string(s) + "." + name + "=" + value
			want := aws[s]
			if err := setLimit(&want, s, name, value); err != nil || number(want, name) != value {
				t.Fatalf("%s: %s, %v", setting, number(want, name), err)
			}
			t.Run(setting, func(t *testing.T) {
				t.Setenv("FOVEA_LIMIT", "")
				os.Unsetenv("FOVEA_LIMIT")
				for _, args := range [][]string{{"--limit", setting}, {"--config", write(t, "c", "limit = "+setting+"\n")}, nil} {
					if args == nil {
						t.Setenv("FOVEA_LIMIT", setting)
					}
					got, err := limitsOf(t, args...)
					if err != nil || got[s] != want {
						t.Errorf("%v: %+v, %v; want %+v", args, got[s], err, want)
					}
				}
			})
		}
	}
	none, err := limitsOf(t, "--config", write(t, "c", "limits = none\nlimit = lookout.projects=3\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range services {
		want := fovea.Limits{LineChars: aws[s].LineChars, DropShare: 1}
		if s == fovea.Lookout {
			want.Projects = 3 // single ones count after all are lifted
		}
		if diff := cmp.Diff(want, none[s]); diff != "" {
			t.Errorf("%s, lifted (-want +got):\n%s", s, diff)
		}
	}
}

// TestLimitErrors: an error names the setting and what there is.
func TestLimitErrors(t *testing.T) {
	for setting, want := range map[string]string{
		"custom-labels.label=1":        "the limits of custom-labels are boxes, changes,",
		"custom-labels.mask-labels=1":  "the limits of custom-labels are",
		"lookout.boxes=1":              "the limits of lookout are changes,",
		"lookout.drop-share=0.1":       "the limits of lookout are",
		"lookout.labels=-1":            "0 is none",
		"lookout.labels=many":          "0 is none",
		"lookout.line-chars=0":         "it bounds memory",
		"lookout.line-chars=1000001":   "it bounds memory",
		"custom-labels.drop-share=2":   "from 0 to 1",
		"custom-labels.drop-share=NaN": "from 0 to 1",
		"projects=1":                   "begins with custom-labels. or lookout.",
	} {
		name, _, _ := strings.Cut(setting, "=")
		if _, err := limitsOf(t, "--limit", setting); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("--limit %s: %v, want %q in it", setting, err, want)
		}
	}
	for setting, want := range map[string]string{
		"rekognition=1":    "the services are custom-labels and lookout",
		"lookout=-1":       "requests a second",
		"lookout=NaN":      "requests a second",
		"custom-labels=x5": "requests a second",
	} {
		c, err := loadConfig(t, "--rate-limits", setting)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.rates(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--rate-limits %s: %v, want %q in it", setting, err, want)
		}
	}
}

// TestDocsLimits compares the table of limits in docs/running.md with the
// program.
func TestDocsLimits(t *testing.T) {
	text, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	limits, err := limitsOf(t)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]string{}, map[string]string{}
	for _, s := range services {
		for _, name := range limitNames(s) {
			want[string(s)+"."+name] = number(limits[s], name)
		}
	}
	_, table, _ := strings.Cut(string(text), "\n## Limits\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ([^|]*)\\| ([^|]*)\\|").FindAllStringSubmatch(table, -1) {
		for i, s := range services {
			if cell := strings.TrimSpace(m[2+i]); cell != "" {
				got[string(s)+"."+m[1]] = plainNumber(cell)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/running.md, limits (-program +page):\n%s", diff)
	}
}

// plainNumber returns a number as the table writes it without separators and
// units.
func plainNumber(cell string) string {
	if cell == "none" {
		return "0"
	}
	text, unit, _ := strings.Cut(strings.ReplaceAll(cell, ",", ""), " ")
	shift := slices.Index([]string{"", "KiB", "MiB", "GiB"}, unit)
	if shift < 1 {
		return text
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return cell
	}
	return fmt.Sprint(n << (10 * shift))
}
