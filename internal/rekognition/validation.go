package rekognition

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"fovea"
	"fovea/internal/dataset"
	"fovea/internal/manifest"
	"fovea/internal/model"
)

// A contentError is a reason for which a training fails that the manifest
// summary tells (CL-6.5), in the order of its table.
type contentError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// The content errors of a training (CL-6.80 to CL-6.91).
var (
	errInvalidRows    = contentError{"ERROR_TOO_MANY_INVALID_ROWS_IN_MANIFEST", "The manifest file contains too many invalid rows."}
	errBuckets        = contentError{"ERROR_IMAGES_IN_MULTIPLE_S3_BUCKETS", "The manifest file contains images from multiple S3 buckets."}
	errPermissions    = contentError{"ERROR_INVALID_PERMISSIONS_IMAGES_S3_BUCKET", "The permissions for the images S3 bucket are invalid."}
	errAutoSplit      = contentError{"ERROR_INSUFFICIENT_IMAGES_PER_LABEL_FOR_AUTOSPLIT", "The manifest file contains insufficient labeled images per label to perform auto-split."}
	errTooFewLabels   = contentError{"ERROR_MANIFEST_TOO_FEW_LABELS", "The manifest file has too few labels."}
	errTooManyLabels  = contentError{"ERROR_MANIFEST_TOO_MANY_LABELS", "The manifest file has too many labels."}
	errOverlap        = contentError{"ERROR_INSUFFICIENT_LABEL_OVERLAP", "Less than 50% label overlap between the training and testing manifest files."}
	errTooFewUsable   = contentError{"ERROR_MANIFEST_TOO_FEW_USABLE_LABELS", "The manifest file has too few usable labels."}
	errUsableOverlap  = contentError{"ERROR_INSUFFICIENT_USABLE_LABEL_OVERLAP", "Less than 50% usable label overlap between the training and testing manifest files."}
	errFailedCopy     = contentError{"ERROR_FAILED_IMAGES_S3_COPY", "Failed to copy images from S3 bucket."}
	errTerminalErrors = contentError{"ERROR_TOO_MANY_RECORDS_IN_ERROR", "The manifest file has too many terminal errors."}
	contentErrorOrder = []contentError{errInvalidRows, errBuckets, errPermissions, errAutoSplit, errTooFewLabels, errTooManyLabels, errOverlap,
		errTooFewUsable, errUsableOverlap, errFailedCopy, errTerminalErrors}
)

// The use cases of a manifest summary (CL-6.112).
const (
	notDetermined = "NOT_DETERMINED"
	imageLabels   = "IMAGE_LEVEL_LABELS"
	boxLabels     = "OBJECT_LOCALIZATION"
)

// A summary is a manifest summary (CL 6.7).
type summary struct {
	Errors     []contentError `json:"errors"`
	Statistics struct {
		Training statistics `json:"training"`
		Testing  statistics `json:"testing"`
	} `json:"statistics"`
}

type statistics struct {
	UseCase string         `json:"use_case"`
	Total   int            `json:"total_json_lines"`
	Valid   int            `json:"valid_json_lines"`
	Invalid int            `json:"invalid_json_lines"`
	Ignored int            `json:"ignored_json_lines"`
	Errors  []contentError `json:"errors"`
	Indices []int64        `json:"error_json_line_indices"`
}

func newSummary() *summary {
	s := &summary{Errors: []contentError{}}
	for _, x := range []*statistics{&s.Statistics.Training, &s.Statistics.Testing} {
		x.UseCase, x.Errors, x.Indices = notDetermined, []contentError{}, []int64{}
	}
	return s
}

// count counts the lines of a manifest.
func (s *statistics) count(samples []sample) {
	for _, x := range samples {
		s.Total++
		switch x.state {
		case validLine:
			s.Valid++
		case invalidLine:
			s.Invalid++
		case ignoredLine:
			s.Ignored++
		}
		if x.failed {
			s.Indices = append(s.Indices, x.number)
		}
	}
}

// first returns the message of the first of all content errors, "" for none
// (CL-6.92).
func (s *summary) first() string {
	has := map[contentError]bool{}
	for _, list := range [][]contentError{s.Errors, s.Statistics.Training.Errors, s.Statistics.Testing.Errors} {
		for _, e := range list {
			has[e] = true
		}
	}
	for _, e := range contentErrorOrder {
		if has[e] {
			return e.Message
		}
	}
	return ""
}

// write writes the manifest summary.
func (s *summary) write(ctx context.Context, run *model.Run) (fovea.ObjectRef, error) {
	return writeJSON(ctx, run, "ManifestSummary", s)
}

// writeJSON writes a file of one JSON text.
func writeJSON(ctx context.Context, run *model.Run, file string, v any) (fovea.ObjectRef, error) {
	return writeFile(ctx, run, file, func(w io.Writer) error { return json.NewEncoder(w).Encode(v) })
}

// writeFile writes a file of any size: fn writes it into the folder of the run
// first.
func writeFile(ctx context.Context, run *model.Run, file string, fn func(io.Writer) error) (fovea.ObjectRef, error) {
	f, err := os.Create(filepath.Join(run.Dir, file))
	if err != nil {
		return fovea.ObjectRef{}, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := fn(w); err != nil {
		return fovea.ObjectRef{}, err
	}
	if err := w.Flush(); err != nil {
		return fovea.ObjectRef{}, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fovea.ObjectRef{}, err
	}
	return run.WriteFile(ctx, file, f, size)
}

// writeValidation writes the validation manifest of a split (CL 6.6): its lines
// with what was found in them. Take, if not nil, tells which lines belong to it:
// of one manifest that is split there are two.
func writeValidation(ctx context.Context, run *model.Run, from fovea.Split, file string, samples []sample, take func(number int64) bool) (fovea.ObjectRef, error) {
	return writeFile(ctx, run, file, func(w io.Writer) error {
		checker := newChecker(run.Limits)
		var doc manifest.Doc
		var entry manifest.Entry
		var out []byte
		return run.Lines(ctx, from, func(number int64, line []byte, bad *manifest.LineError) error {
			if take != nil && !take(number) {
				return ctx.Err()
			}
			if bad == nil {
				bad = doc.Parse(line, int(run.Limits.LineChars))
			}
			entry.Reset()
			entry.Line, entry.Number = line, number
			checker.Check(&entry, &doc, bad)
			var of sample
			if number <= int64(len(samples)) {
				of = samples[number-1]
			}
			out = appendValidated(out[:0], &doc, &entry, bad, of.faults(&entry)...)
			if _, err := w.Write(append(out, '\n')); err != nil {
				return err
			}
			return ctx.Err()
		})
	})
}

// hasLineError tells whether an entry cannot be used for what its line says.
func hasLineError(e *manifest.Entry) bool {
	for _, p := range e.Problems {
		if p.Severity == manifest.Error && (p.Code == codeNoAttributes || p.Code == codeNoValid) {
			return true
		}
	}
	return e.Dropped
}

// faults returns why a line cannot be used though nothing in it says so: its
// image is that of an earlier line (CL-6.22), or is no good (CL-6.39).
func (s sample) faults(e *manifest.Entry) []StoredProblem {
	switch {
	case s.repeat:
		return []StoredProblem{{Code: dataset.DuplicateLine, Message: "The source-ref is that of an earlier line."}}
	case s.state == invalidLine && s.image.Key != "" && !hasLineError(e):
		return []StoredProblem{{Code: codeImage, Message: messageImage}}
	}
	return nil
}

// appendValidated appends a line as a validation manifest has it (CL-6.102,
// CL-6.103), with more faults than those that checking it found.
func appendValidated(dst []byte, doc *manifest.Doc, e *manifest.Entry, bad *manifest.LineError, more ...StoredProblem) []byte {
	if bad != nil {
		code, message := codeInvalidJSON, messages[codeInvalidJSON]
		if len(e.Problems) > 0 {
			code, message = e.Problems[0].Code, e.Problems[0].Message
		}
		return fmt.Appendf(dst, `{"errors":[{"code":%s,"message":%s}]}`, manifest.AppendQuoted(nil, code), manifest.AppendQuoted(nil, message))
	}
	l := lister{doc: doc, dst: dst, validation: true}
	l.findCarriers()
	var errs, warns []StoredProblem
	for _, p := range e.Problems {
		stored := StoredProblem{p.Code, p.Message, p.At}
		switch {
		case p.Severity != manifest.Warning:
			errs = append(errs, stored)
		case p.Code == codeUnannotated || p.Code == codeWithoutBoxes || p.Code == codeAttributeNoBoxes:
			warns = append(warns, stored)
		}
	}
	l.addProblems(append(errs, more...))
	for _, p := range warns {
		c := &l.carriers[l.carrierAt(p.At)]
		c.warnings = append(c.warnings, p)
	}
	l.write()
	return l.dst
}
