package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fovea"
	"fovea/internal/client"
	"fovea/internal/exchange"
)

// Manifest is the form of an export that keeps the lines of the dataset.
const Manifest exchange.Form = "manifest"

// ExportForms are the forms that Export writes.
var ExportForms = []exchange.Form{Manifest, exchange.Folder, exchange.COCO, exchange.VOC, exchange.YOLO}

// An ExportTask says what to export, and where to. Service, Project, Splits,
// Dir, Server and S3 are required.
type ExportTask struct {
	Service  fovea.Service
	Project  string
	Splits   []exchange.Split // datasets to export, into one folder; of several only one must exist
	Revision int64            // of the only split; 0 is the current one

	Dir       string        // made if it does not exist
	Form      exchange.Form // default Manifest
	RewriteTo string        // S3 URI that references of a manifest are to begin with; "" keeps them

	Server *Server
	S3     *s3.Client

	Jobs int // files that are fetched at a time; default DefaultJobs

	// Problem is told of everything that is left out. It is called by one
	// goroutine at a time. It may be nil.
	Problem func(err error)

	// Progress is told of the work that is under way. It is called often, by
	// one goroutine at a time. It may be nil.
	Progress func(Progress)
}

// An Export is what an export came to.
type Export struct {
	Written   exchange.Form `json:"form"`
	Dir       string        `json:"dir"`
	Datasets  []Exported    `json:"datasets"`
	Entries   int64         `json:"entries"` // whose images are in the folder
	Masks     int64         `json:"masks"`   // of these
	Boxes     int64         `json:"boxes"`   // of these
	Fetched   int64         `json:"fetched_objects"`
	Bytes     int64         `json:"fetched_bytes"`
	Unchanged int64         `json:"unchanged_objects"` // that the folder had already
	LeftOut   int64         `json:"left_out"`
}

// An Exported is a dataset of an export.
type Exported struct {
	Split    exchange.Split `json:"dataset"`
	Revision int64          `json:"revision"`
	Entries  int64          `json:"entries"`
	Manifest string         `json:"manifest,omitempty"` // file, for the form Manifest
}

// workFolder is where in the folder of an export files are until they are
// complete. It is gone when an export has ended well.
const workFolder = ".fovea-export"

// An exporter is an export under way.
type exporter struct {
	*ExportTask
	root    *os.Root
	down    *downloader
	sources []*source
	images  stem
	masks   stem
	out     *Export
	total   int64
	done    int64
}

// A source is a dataset that is exported.
type source struct {
	split    exchange.Split
	revision int64
	entries  int64
	file     string // with the lines, in the work folder
}

// Export writes datasets as files. What the folder has already is not fetched
// again. An error says what could not be done; the result is what was done
// until then.
func (t *ExportTask) Export(ctx context.Context) (*Export, error) {
	out := &Export{Written: cmp.Or(t.Form, Manifest), Dir: t.Dir, Datasets: []Exported{}}
	if err := t.Server.reach(ctx); err != nil {
		return out, err
	}
	if err := os.MkdirAll(t.Dir, 0o777); err != nil {
		return out, err
	}
	root, err := os.OpenRoot(t.Dir)
	if err != nil {
		return out, err
	}
	defer root.Close()
	if err := root.MkdirAll(workFolder, 0o777); err != nil {
		return out, err
	}
	x := &exporter{
		ExportTask: t, root: root, out: out, images: stem{folder: "images"}, masks: stem{folder: "masks"},
		down: &downloader{s3: t.S3, server: t.Server, root: root, work: workFolder},
	}
	var missing error
	for _, split := range t.Splits {
		s, err := x.source(ctx, split)
		if len(t.Splits) > 1 && isRefusal(err, "ResourceNotFoundException") {
			missing = err
			continue
		}
		if err != nil {
			return out, err
		}
		x.sources = append(x.sources, s)
	}
	if len(x.sources) == 0 {
		return out, missing
	}
	if err := x.survey(ctx); err != nil {
		return out, err
	}
	if out.Written == Manifest {
		err = x.manifests(ctx)
	} else {
		err = x.write(ctx)
	}
	if err != nil {
		return out, err
	}
	return out, root.RemoveAll(workFolder)
}

// source finds the revision of a dataset and fetches its lines, unless an export
// that was interrupted has left them.
func (x *exporter) source(ctx context.Context, split exchange.Split) (*source, error) {
	name := string(x.Service) + "/" + x.Project + "/" + string(split)
	at := datasetPath(x.Service, x.Project, string(split))
	type revision struct {
		Revision int64
		Created  time.Time
		Entries  int64
	}
	var rev revision
	if x.Revision > 0 {
		if err := x.Server.call(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: at + "/revisions/" + strconv.FormatInt(x.Revision, 10)}, &rev); err != nil {
			return nil, fmt.Errorf("find revision %d of %s: %w", x.Revision, name, err)
		}
	} else {
		var list struct{ Revisions []revision }
		if err := x.Server.call(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: at + "/revisions?max=1"}, &list); err != nil {
			return nil, fmt.Errorf("find the dataset %s: %w", name, err)
		}
		if len(list.Revisions) == 0 {
			return nil, fmt.Errorf("the dataset %s has no content", name)
		}
		rev = list.Revisions[0]
	}
	s := &source{split: split, revision: rev.Revision, entries: rev.Entries,
		file: path.Join(workFolder, fmt.Sprintf("%s-%d-%d.lines", split, rev.Revision, rev.Created.UnixNano()))}
	x.total += rev.Entries
	x.out.Datasets = append(x.out.Datasets, Exported{Split: split, Revision: rev.Revision, Entries: rev.Entries})
	if _, err := x.root.Stat(s.file); err == nil {
		return s, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	x.progress(Progress{Stage: Listing, Detail: name})
	err := x.Server.retry(ctx, func() error {
		return x.fetchLines(ctx, at+"/entries?"+url.Values{"revision": {strconv.FormatInt(rev.Revision, 10)}}.Encode(), s.file)
	})
	if err != nil {
		return nil, fmt.Errorf("read the dataset %s: %w", name, err)
	}
	return s, nil
}

// fetchLines stores the lines that a call answers.
func (x *exporter) fetchLines(ctx context.Context, path, file string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body, err := x.Server.send(ctx, client.Call{Service: "fovea", Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	defer body.Close()
	return x.create(file, func(w io.Writer) error {
		from := watch(body, cancel)
		_, err := io.Copy(w, from)
		if from.err != nil {
			return fmt.Errorf("%w: %w", errCut, from.err)
		}
		return err
	})
}

// create writes a file, which gets its name when it is complete.
func (x *exporter) create(file string, write func(io.Writer) error) (err error) {
	part := path.Join(workFolder, "part-"+strings.ReplaceAll(file, "/", "-"))
	f, err := x.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	err = write(f)
	if err := errors.Join(err, f.Close()); err != nil {
		x.root.Remove(part)
		return err
	}
	return x.root.Rename(part, file)
}

// lines yields the lines of the sources.
func (x *exporter) lines(fn func(s *source, line []byte) error) error {
	for _, s := range x.sources {
		if err := x.linesIn(s, func(line []byte) error { return fn(s, line) }); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) linesIn(s *source, fn func(line []byte) error) error {
	f, err := x.root.Open(s.file)
	if err != nil {
		return err
	}
	defer f.Close()
	for line, err := range linesOf(f) {
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(x.Dir, s.file), err)
		}
		if err := fn(line); err != nil {
			return err
		}
	}
	return nil
}

// survey finds what the files are to be called.
func (x *exporter) survey(ctx context.Context) error {
	r := &reader{service: x.Service}
	return x.lines(func(_ *source, line []byte) error {
		e, err := r.read(line)
		if err != nil {
			return ctx.Err() // it is told of when it is left out
		}
		x.images.add(e.image)
		if e.mask.Bucket != "" {
			x.masks.add(e.mask)
		}
		return ctx.Err()
	})
}

func (x *exporter) progress(p Progress) {
	if x.Progress != nil {
		x.Progress(p)
	}
}

// problem counts and tells what is wrong with an entry. It returns an error that
// is not about one.
func (x *exporter) problem(err error) error {
	var f fault
	if !errors.As(err, &f) {
		return err
	}
	x.out.LeftOut++
	if x.Problem != nil {
		x.Problem(err)
	}
	return nil
}

// A taken entry is one whose files were fetched.
type taken struct {
	source  *source
	line    []byte
	entry   *entry
	image   string // files
	mask    string
	fetched int64 // objects
	had     int64
	bytes   int64
	err     error
	maskErr error
}

// entries yields the lines of the sources, each in memory of its own.
func (x *exporter) entries(failed *error) func(yield func(taken) bool) {
	return func(yield func(taken) bool) {
		r := &reader{service: x.Service}
		*failed = x.lines(func(s *source, line []byte) error {
			e, err := r.read(line)
			if !yield(taken{source: s, line: append([]byte(nil), line...), entry: e, err: err}) {
				return errStopped
			}
			return nil
		})
		if errors.Is(*failed, errStopped) {
			*failed = nil
		}
	}
}

// errStopped ends a walk that nobody listens to any more.
var errStopped = errors.New("stopped")

// get fetches the files of an entry to the paths that it has.
func (x *exporter) get(ctx context.Context, t taken) taken {
	if t.err != nil {
		return t
	}
	one := func(o fovea.ObjectRef, file string) error {
		n, err := x.down.fetch(ctx, o, file)
		switch {
		case err != nil:
		case n == 0:
			t.had++
		default:
			t.fetched++
			t.bytes += n
		}
		return err
	}
	if t.err = one(t.entry.image, t.image); t.err == nil && t.mask != "" {
		t.maskErr = one(t.entry.mask, t.mask)
	}
	return t
}

// count takes into account what was fetched for an entry.
func (x *exporter) count(t taken) error {
	x.done++
	x.out.Fetched += t.fetched
	x.out.Unchanged += t.had
	x.out.Bytes += t.bytes
	x.progress(Progress{Stage: Downloading, Done: x.done, Total: x.total, Bytes: x.out.Bytes})
	for _, err := range []error{t.err, t.maskErr} {
		if err == nil {
			continue
		}
		if err := x.problem(err); err != nil {
			return err
		}
	}
	return nil
}

// written counts an entry that is in the folder.
func (x *exporter) written(t taken) {
	x.out.Entries++
	x.out.Boxes += int64(len(t.entry.boxes))
	if t.mask != "" && t.maskErr == nil {
		x.out.Masks++
	}
}

func (x *exporter) jobs() int { return cmp.Or(max(x.Jobs, 0), DefaultJobs) }
