package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/repair"
)

// fix mends a manifest into another file, says what it did, and checks the
// result.
func (c *checkConfig) fix(cmd *cobra.Command, name string) error {
	target, err := c.fixedName(name)
	if err != nil {
		return err
	}
	show, ok := fixFormats[c.Format]
	if !ok {
		return fmt.Errorf("--format %s: with --fix it is text or json", c.Format)
	}
	profile, err := c.profile()
	if err != nil {
		return err
	}
	src, err := c.openManifest(cmd.Context(), name)
	if err != nil {
		return err
	}
	defer src.Close()
	spec := repair.Spec{Profile: profile, Manifest: src.info, Source: src}
	if c.Images || c.CheckImages {
		if spec.Objects, err = c.imageObjects(); err != nil {
			return err
		}
	}
	sum, err := repairInto(cmd.Context(), spec, target, func(r repair.Record) error { return show.record(cmd.OutOrStdout(), name, r) })
	if err != nil {
		return err
	}
	if err := show.summary(cmd.OutOrStdout(), name, target, sum); err != nil {
		return err
	}
	if sum.Changes == 0 {
		target = name
	}
	return c.checkFixed(cmd.Context(), target, profile)
}

// fixedName returns the file that the mended manifest is written to.
func (c *checkConfig) fixedName(name string) (string, error) {
	switch {
	case c.Fixed != "":
		return c.Fixed, nil
	case name == "-" || strings.HasPrefix(name, "s3://"):
		return "", errors.New("--fix needs --fixed FILE for the mended manifest, unless the manifest is a file")
	}
	ext := filepath.Ext(name)
	return strings.TrimSuffix(name, ext) + ".fixed" + ext, nil
}

// repairInto mends a manifest into a file that does not exist yet. The file is
// there once all of it is; if nothing was to be changed there is none.
func repairInto(ctx context.Context, spec repair.Spec, target string, tell func(repair.Record) error) (sum *repair.Summary, err error) {
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("%s exists: move it away, or name another file with --fixed", target), err)
	}
	dir := filepath.Dir(target)
	tmp, err := os.CreateTemp(dir, ".fovea-fixed-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	sum, err = repair.Run(ctx, spec, tmp, tell)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil || sum.Changes == 0 {
		return sum, err
	}
	if err := os.Link(tmp.Name(), target); err != nil { // unlike a rename, never over another file
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	return sum, errors.Join(d.Sync(), d.Close())
}

// checkFixed fails if no dataset could be made of the mended manifest.
func (c *checkConfig) checkFixed(ctx context.Context, name string, profile fovea.Profile) error {
	if name == "-" {
		return nil // it was read already
	}
	dir, err := os.MkdirTemp("", "fovea-check-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r, done, err := c.checkOne(ctx, name, filepath.Join(dir, "blobs"), dataset.CheckSpec{Profile: profile, Split: fovea.Split(c.Split), Workers: c.ImportWorkers})
	if err != nil {
		return err
	}
	defer done()
	if r.Failed() {
		return errFailed
	}
	return nil
}

// A fixFormat writes what was mended.
type fixFormat struct {
	record  func(w io.Writer, file string, r repair.Record) error
	summary func(w io.Writer, file, target string, s *repair.Summary) error
}

var fixFormats = map[string]fixFormat{
	"text": {writeFixText, writeFixSummary},
	"json": {
		func(w io.Writer, _ string, r repair.Record) error { return writeFixJSON(w, r) },
		func(w io.Writer, _, _ string, s *repair.Summary) error { return writeFixJSON(w, s) },
	},
}

func writeFixJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func writeFixText(w io.Writer, file string, r repair.Record) error {
	at := file
	if r.Line > 0 {
		at = fmt.Sprintf("%s:%d", file, r.Line)
	}
	what := "left alone: " + r.Code
	if r.Rule != "" {
		what = "mended: " + string(r.Rule)
	}
	if r.Pointer != "" {
		what += " at " + r.Pointer
	}
	var err error
	switch {
	case r.Rule == "":
		_, err = fmt.Fprintf(w, "%s: %s\n    %s\n", at, what, r.Why)
	case r.After == "":
		_, err = fmt.Fprintf(w, "%s: %s\n    removed %s\n", at, what, r.Before)
	case r.Before == "":
		_, err = fmt.Fprintf(w, "%s: %s\n    added %s\n", at, what, r.After)
	default:
		_, err = fmt.Fprintf(w, "%s: %s\n    %s → %s\n", at, what, r.Before, r.After)
	}
	return err
}

func writeFixSummary(w io.Writer, file, target string, s *repair.Summary) error {
	if s.Changes == 0 {
		_, err := fmt.Fprintf(w, "\n%s: there is nothing to mend without a guess, so nothing was written; %s left alone.\n", file, count(s.Left, "finding"))
		return err
	}
	var rules []string
	for _, r := range slices.Sorted(maps.Keys(s.ByRule)) {
		rules = append(rules, fmt.Sprintf("%s %d", r, s.ByRule[r]))
	}
	_, err := fmt.Fprintf(w, "\n%s: %s of %s, written to %s\n  %s (%s), %s left alone\n", file, count(s.Written, "line"), fmt.Sprint(s.Lines), target,
		count(s.Changes, "change"), strings.Join(rules, ", "), count(s.Left, "finding"))
	return err
}
