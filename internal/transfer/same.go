package transfer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"

	"fovea"
	"fovea/internal/client"
)

// datasetPath returns the path of the server's own calls about a dataset.
func datasetPath(service fovea.Service, project, split string) string {
	return "/fovea/v1/" + string(service) + "/" + url.PathEscape(project) + "/" + split
}

// same reports whether a dataset holds what its manifest says, in any order: an
// update puts new entries last. A dataset that was imported from this manifest
// need not have the lines that the import dropped.
func (t *ImportTask) same(ctx context.Context, m *manifestFile, manifest fovea.ObjectRef) (same bool, err error) {
	dropped, err := t.dropped(ctx, m, manifest)
	if err != nil {
		return false, err
	}
	want, err := bagOf(m.reader())
	if err != nil {
		return false, err
	}
	err = t.Server.retry(ctx, func() error {
		entries, err := t.Server.send(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: datasetPath(t.Service, t.Project, string(m.split)) + "/entries"})
		if err != nil {
			return err
		}
		defer entries.Close()
		if dropped > 0 {
			same, err = without(m.reader(), entries, dropped)
			return err
		}
		got, err := bagOf(entries)
		same = got == want
		return err
	})
	if isRefusal(err, "ConflictException") { // there is nothing in it
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the dataset %s: %w", t.name(m.split), err)
	}
	return same, nil
}

// dropped returns how many lines of the manifest the last import dropped, 0 if
// the last import was of something else.
func (t *ImportTask) dropped(ctx context.Context, m *manifestFile, manifest fovea.ObjectRef) (int64, error) {
	var report struct {
		Manifest string `json:"manifest"`
		ETag     string `json:"etag"`
		Dropped  int64  `json:"dropped_lines"`
	}
	err := t.Server.call(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: datasetPath(t.Service, t.Project, string(m.split)) + "/import-report"}, &report)
	switch {
	case isRefusal(err, "ResourceNotFoundException"):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("read the import report of %s: %w", t.name(m.split), err)
	case report.ETag != `"`+m.etag()+`"`:
		return 0, nil
	}
	return report.Dropped, nil
}

// A bag is what some lines are, whatever their order: how many, and the sum of
// their hashes.
type bag struct {
	lines int64
	sum   [4]uint64
}

func (b *bag) add(line []byte) {
	b.lines++
	hash := sha256.Sum256(line)
	for i := range b.sum {
		b.sum[i] += binary.LittleEndian.Uint64(hash[8*i:])
	}
}

// bagOf returns the bag of the lines that a reader has.
func bagOf(r io.Reader) (b bag, err error) {
	for line, err := range linesOf(r) {
		if err != nil {
			return b, err
		}
		b.add(line)
	}
	return b, nil
}

// without reports whether the entries are the lines of a manifest but for as
// many as were dropped.
func without(manifest, entries io.Reader, dropped int64) (bool, error) {
	next, stop := iter.Pull2(linesOf(manifest))
	defer stop()
	for entry, err := range linesOf(entries) {
		if err != nil {
			return false, err
		}
		for {
			line, err, ok := next()
			if err != nil || !ok {
				return false, err
			}
			if bytes.Equal(line, entry) {
				break
			}
			dropped--
		}
	}
	for {
		_, err, ok := next()
		if err != nil || !ok {
			return dropped == 0, err
		}
		dropped--
	}
}

// maxLine bounds a line of a manifest, in bytes: four for each character of the
// longest that a service takes (CL-12.2).
const maxLine = 400_000

// errLongLine says that what should be a manifest has a line beyond maxLine.
var errLongLine = errors.New("a line is longer than any of a manifest")

// linesOf yields the lines of a manifest without their ends, and without those
// that are empty. A line is good until the next.
func linesOf(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		br := bufio.NewReaderSize(r, maxLine)
		for {
			line, err := br.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) {
				yield(nil, errLongLine)
				return
			}
			if err != nil && err != io.EOF {
				yield(nil, err)
				return
			}
			if text := bytes.TrimRight(line, "\r\n"); len(text) > 0 && !yield(text, nil) {
				return
			}
			if err == io.EOF {
				return
			}
		}
	}
}
