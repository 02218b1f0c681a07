package migrate

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"fovea"
	"fovea/internal/client"
)

// A readback reads what a server's datasets hold, entries and images.
type readback struct {
	api     *API
	s3      *Bucketer
	st      *state
	dir     string // for temporary files
	workers int
	bar     func(what string, n, of int64)
}

// A revision is what the server says of the current one.
type revision struct {
	Revision int64 `json:"revision"`
	Entries  int64 `json:"entries"`
	Labeled  int64 `json:"labeled_entries"`
	Errors   int64 `json:"error_entries"`
}

func ownPath(service fovea.Service, project string, split fovea.Split) string {
	return "/fovea/v1/" + url.PathEscape(string(service)) + "/" + url.PathEscape(project) + "/" + url.PathEscape(string(split))
}

// current returns the current revision of a dataset.
func (b *readback) current(ctx context.Context, d *dataset) (revision, error) {
	var out struct{ Revisions []revision }
	err := b.api.rest(ctx, "fovea", http.MethodGet, ownPath(d.project.service, d.project.name, d.split)+"/revisions?max=1", nil, &out)
	if err != nil {
		return revision{}, err
	}
	if len(out.Revisions) == 0 {
		return revision{}, fmt.Errorf("the %s dataset of %s has no revision", d.split, d.project.name)
	}
	return out.Revisions[0], nil
}

// read reads a revision of a dataset: its entries become the leaves of side 1,
// with the SHA-256 of the images as they are now.
func (b *readback) read(ctx context.Context, d *dataset, revision int64) (sum summing, err error) {
	f, err := os.CreateTemp(b.dir, temporary)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := b.download(ctx, d, revision, f); err != nil {
		return sum, fmt.Errorf("read the %s dataset: %w", d.split, err)
	}
	err = b.st.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM leaves WHERE dataset = ? AND side = 1`, d.id)
		return err
	})
	if err != nil {
		return sum, err
	}
	labels := newTally()
	in := bufio.NewReaderSize(f, 256<<10)
	for done := false; !done; {
		var batch []*line
		if batch, done, err = readLines(in); err != nil {
			return sum, err
		}
		if err := b.leaves(ctx, d, batch, &sum, labels); err != nil {
			return sum, err
		}
		b.bar("read back entries", sum.Lines, -1)
	}
	sum.Labels = labels.sorted()
	return sum, nil
}

// download writes the entries of a revision to a file, in one piece, so that
// the server waits for no image.
func (b *readback) download(ctx context.Context, d *dataset, revision int64, f *os.File) error {
	path := fmt.Sprintf("%s/entries?revision=%d", ownPath(d.project.service, d.project.name, d.split), revision)
	return b.api.retry(ctx, func() error {
		if err := f.Truncate(0); err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		body, err := b.api.Send(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: path})
		if err != nil {
			return err
		}
		defer body.Close()
		if _, err := io.Copy(f, body); err != nil {
			return &client.Lost{Err: err}
		}
		_, err = f.Seek(0, io.SeekStart)
		return err
	})
}

// readBatch is how many entries are read back between two syncs of the state.
const readBatch = 32

// readLines reads up to readBatch entries.
func readLines(in *bufio.Reader) (batch []*line, done bool, err error) {
	for len(batch) < readBatch {
		var text []byte
		for {
			part, more, err := in.ReadLine()
			if err == io.EOF {
				return batch, true, nil
			}
			if err != nil {
				return nil, false, err
			}
			if text = append(text, part...); len(text) > 4*maxLine {
				return nil, false, errors.New("the server answered an entry that is longer than any may be")
			}
			if !more {
				break
			}
		}
		l := &line{}
		if e := l.read(text); e != nil {
			return nil, false, fmt.Errorf("the server answered an entry that is not a JSON object: found %s", e.Found)
		}
		batch = append(batch, l)
	}
	return batch, false, nil
}

// leaves stores the leaves of some entries.
func (b *readback) leaves(ctx context.Context, d *dataset, batch []*line, sum *summing, labels *tally) error {
	sums, err := b.sums(ctx, batch)
	if err != nil {
		return err
	}
	return b.st.update(ctx, func(tx *sql.Tx) error {
		for _, l := range batch {
			sum.Lines++
			labels.add(l)
			image, _ := l.image()
			row := leafRow{ref: image, line: sum.Lines, images: map[string]string{}}
			normal := l.appendNormal(nil, d.project.service, func(i int) ([]byte, bool) {
				ref, ok := parseRef(l.refs[i].value)
				return sums[ref.String()], ok
			})
			for _, r := range l.refs {
				if ref, ok := parseRef(r.value); ok && sums[ref.String()] != nil {
					row.images[r.key] = hex.EncodeToString(sums[ref.String()])
				}
			}
			leaf := leafHash(normal)
			row.leaf = leaf[:]
			if err := putLeaf(tx, d.id, 1, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// sumLife is how long what was read of an object counts, so that a run that is
// started again need not read everything again.
const sumLife = time.Hour

// sums returns the SHA-256 of what the entries refer to, nil for what is not
// there. Each object is read once, as long as that is not longer ago than
// sumLife.
func (b *readback) sums(ctx context.Context, batch []*line) (map[string][]byte, error) {
	sums := map[string][]byte{}
	var todo []string
	for _, l := range batch {
		for _, r := range l.refs {
			ref, ok := parseRef(r.value)
			if !ok {
				continue
			}
			uri := ref.String()
			if _, known := sums[uri]; known {
				continue
			}
			var sum []byte
			err := b.st.db.QueryRowContext(ctx, `SELECT sum FROM sums WHERE ref = ? AND at > ?`, uri, time.Now().Add(-sumLife).Unix()).Scan(&sum)
			if errors.Is(err, sql.ErrNoRows) {
				todo = append(todo, uri)
			} else if err != nil {
				return nil, err
			}
			sums[uri] = sum
		}
	}
	read := make([]measured, len(todo))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(b.workers)
	for i, uri := range todo {
		g.Go(func() (err error) {
			ref, _ := parseRef(uri)
			read[i], err = b.s3.sum(gctx, ref)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, uri := range todo {
		sums[uri] = read[i].sum
	}
	now := time.Now().Unix()
	return sums, b.st.update(ctx, func(tx *sql.Tx) error {
		for i, uri := range todo {
			if _, err := tx.Exec(`INSERT OR REPLACE INTO sums (ref, size, sum, at) VALUES (?, ?, ?, ?)`, uri, read[i].size, read[i].sum, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// findings remembers which lines of a new manifest the import has dropped, and
// why. A dataset that was made empty has no report.
func (b *readback) findings(ctx context.Context, d *dataset, manifest fovea.ObjectRef) error {
	return b.api.retry(ctx, func() error {
		body, err := b.api.Send(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: ownPath(d.project.service, d.project.name, d.split) + "/import-report"})
		if client.CodeOf(err) == "ResourceNotFoundException" {
			return nil
		}
		if err != nil {
			return err
		}
		defer body.Close()
		return b.st.update(ctx, func(tx *sql.Tx) error { return putFindings(tx, d, body) })
	})
}

// duplicate is the code of a line that is not in a dataset because another one
// of the same image is.
const duplicate = "ERROR_DUPLICATE_SOURCE_REF"

func putFindings(tx *sql.Tx, d *dataset, report io.Reader) error {
	dec := json.NewDecoder(report)
	for {
		var f struct {
			Line                                    int64
			Severity, Code, Message, Found, Pointer string
		}
		switch err := dec.Decode(&f); {
		case err == io.EOF:
			return nil
		case err != nil:
			return &client.Lost{Err: err}
		}
		if f.Line == 0 || f.Severity != "fatal" && f.Code != duplicate {
			continue
		}
		text := f.Code + ": " + f.Message
		if f.Found != "" {
			text += " Found " + f.Found + "."
		}
		if _, err := tx.Exec(`INSERT OR IGNORE INTO findings (dataset, line, text) VALUES (?, ?, ?)`, d.id, f.Line, text); err != nil {
			return err
		}
	}
}
