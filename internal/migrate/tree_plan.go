package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/manifest"
)

// maxManifests is how many manifests a source may have.
const maxManifests = 10_000

// A sheet is a manifest and what dataset it is of.
type sheet struct {
	path    string
	service fovea.Service
	project string
	split   fovea.Split
}

// discover implements Source: it finds the manifests and tells from their paths
// and their first lines whose they are.
func (t *Tree) discover(ctx context.Context, s *state) ([]found, error) {
	if err := t.list(ctx, s); err != nil {
		return nil, err
	}
	names, err := t.manifests(ctx)
	if err != nil {
		return nil, err
	}
	sheets := make([]sheet, len(names))
	for i, name := range names {
		if sheets[i], err = t.sheet(ctx, name, len(names) == 1); err != nil {
			return nil, err
		}
	}
	return group(sheets)
}

// consoleLayout is where the consoles of both services write the manifests of
// their datasets (LV-5.7, LV-12.21).
var consoleLayout = regexp.MustCompile(`(^|/)datasets/.+/manifests/output/output\.manifest$`)

// manifests returns the paths of the manifests that are migrated: those that
// are named, else those of a console's datasets, else all of them but those
// that a migration has written. A console's bucket is full of others.
func (t *Tree) manifests(ctx context.Context) ([]string, error) {
	if len(t.Options.Manifests) > 0 {
		return t.named(ctx)
	}
	all, err := collect(ctx, t.st, func(rows *sql.Rows, v *string) error { return rows.Scan(v) },
		`SELECT name FROM files WHERE name LIKE '%.manifest' ORDER BY name LIMIT ?`, maxManifests+1)
	if err != nil {
		return nil, err
	}
	if len(all) > maxManifests {
		return nil, fmt.Errorf("%s has more than %d manifests; name those to migrate with --manifest", t, maxManifests)
	}
	console := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !consoleLayout.MatchString(name) })
	if len(console) > 0 {
		t.left = len(all) - len(console)
		return console, nil
	}
	all = slices.DeleteFunc(all, func(name string) bool { return strings.Contains("/"+name, "/"+InPlace+"manifests/") })
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no file *.manifest; name the manifests with --manifest", t)
	}
	return all, nil
}

// named returns the paths of the manifests that the user named.
func (t *Tree) named(ctx context.Context) ([]string, error) {
	var names []string
	for _, name := range t.Options.Manifests {
		name = strings.TrimPrefix(path.Clean("/"+name), "/")
		ok, err := t.exists(ctx, name)
		if b, isBucket := t.files.(*bucket); isBucket && err == nil && !ok {
			name = path.Join(b.prefix, name)
			ok, err = t.exists(ctx, name)
		}
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("%s has no manifest %s", t, name)
		}
		names = append(names, name)
	}
	return names, nil
}

// InPlace is below what a migration writes into a bucket whose images stay
// where they are.
const InPlace = "fovea-migrate/"

// common are names of folders and manifests that name no project.
var common = regexp.MustCompile(`(?i)^(|output|manifests?|template|datasets?|dataset-files|train|training|test|testing|validation|val|data|images)$`)

// trainName and testName tell the split by a name.
var (
	trainName = regexp.MustCompile(`(?i)(^|[-_.])train(ing)?$`)
	testName  = regexp.MustCompile(`(?i)(^|[-_.])(test(ing)?|val(idation)?)$`)
)

// sheet tells whose a manifest is.
func (t *Tree) sheet(ctx context.Context, name string, only bool) (sheet, error) {
	sh := sheet{path: name, split: t.Options.Split, project: t.Options.Project, service: t.Options.Service}
	parts := strings.Split(strings.TrimSuffix(name, path.Ext(name)), "/")
	if sh.split == "" {
		sh.split = splitOf(parts)
	}
	if sh.project == "" {
		sh.project = t.projectOf(parts)
	}
	if sh.service == "" {
		service, err := t.serviceOf(ctx, name)
		if err != nil {
			return sh, err
		}
		sh.service = service
	}
	return sh, nil
}

// splitOf returns what the last part of a path that says it says: train if none
// does.
func splitOf(parts []string) fovea.Split {
	for _, part := range slices.Backward(parts) {
		switch {
		case testName.MatchString(part):
			return fovea.Test
		case trainName.MatchString(part):
			return fovea.Train
		}
	}
	return fovea.Train
}

// notInName are the characters that the names of projects cannot have, in
// either service (CL-2.1, LV-1.45).
var notInName = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// projectOf returns the name of a project from a path: the last part that is
// not common to many, without what tells the split.
func (t *Tree) projectOf(parts []string) string {
	whole := append([]string{path.Base(strings.TrimSuffix(t.String(), "/"))}, parts...)
	for _, part := range slices.Backward(whole) {
		if common.MatchString(part) {
			continue
		}
		part = trainName.ReplaceAllString(testName.ReplaceAllString(part, ""), "")
		if name := strings.Trim(notInName.ReplaceAllString(part, "-"), "-_"); name != "" {
			return name
		}
	}
	return "migrated"
}

// peeked is how many lines of a manifest tell its service.
const peeked = 1000

// serviceOf tells the service by the name of the place or, if that says
// nothing, by the labels: masks, or no label but normal and anomaly, are
// Lookout's.
func (t *Tree) serviceOf(ctx context.Context, name string) (fovea.Service, error) {
	switch where := strings.ToLower(t.String()); {
	case strings.Contains(where, "lookoutvision-"):
		return fovea.Lookout, nil
	case strings.Contains(where, "custom-labels-console-"):
		return fovea.CustomLabels, nil
	}
	p, err := t.page(ctx, &dataset{source: name}, "")
	if err != nil {
		return "", err
	}
	var l line
	labels := newTally()
	for _, text := range p.lines[:min(len(p.lines), peeked)] {
		if text.bad != "" || l.read(text.text) != nil {
			continue
		}
		for _, r := range l.refs {
			if r.key != sourceRef && l.segmentation(r.key) {
				return fovea.Lookout, nil
			}
		}
		labels.add(&l)
	}
	list := labels.sorted()
	for _, label := range list {
		if !strings.EqualFold(label.Name, manifest.Normal.String()) && !strings.EqualFold(label.Name, manifest.Anomaly.String()) || label.Boxes > 0 {
			return fovea.CustomLabels, nil
		}
	}
	if len(list) == 0 {
		return "", fmt.Errorf("no label in %s tells the service; say --service lookout or --service custom-labels", name)
	}
	return fovea.Lookout, nil
}

// group makes projects of manifests.
func group(sheets []sheet) ([]found, error) {
	var projects []found
	for _, sh := range sheets {
		i := slices.IndexFunc(projects, func(p found) bool { return p.service == sh.service && p.name == sh.project })
		if i < 0 {
			i = len(projects)
			projects = append(projects, found{service: sh.service, name: sh.project, source: sh.project})
		}
		p := &projects[i]
		for _, d := range p.datasets {
			if d.split == sh.split {
				return nil, fmt.Errorf("%s and %s are both of the %s dataset of the project %s; name one of them with --manifest, "+
					"and the project with --project", d.source, sh.path, sh.split, sh.project)
			}
		}
		p.datasets = append(p.datasets, foundDataset{split: sh.split, source: sh.path})
	}
	return projects, nil
}
