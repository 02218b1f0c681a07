package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"fovea"
	"fovea/internal/manifest"
)

// A Tree is a folder or a bucket with manifests and images.
type Tree struct {
	files
	Options TreeOptions

	st      *state
	mapping map[string]place // of folders in refs to folders that there are
	gone    map[string]bool  // buckets that there are not
	left    int              // manifests that are not migrated
}

// TreeOptions say what the names in a tree do not.
type TreeOptions struct {
	Manifests []string      // the manifests, by their paths; none is all that are found
	Service   fovea.Service // "" is to be told by the content
	Project   string        // the name of the project; "" is to be told by the paths
	Split     fovea.Split   // "" is to be told by the paths
}

// NewFolder returns a folder as a source.
func NewFolder(dir string, o TreeOptions) (*Tree, error) {
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	return newTree(f, o), nil
}

// NewBucket returns what a bucket has below a prefix as a source.
func NewBucket(s3 *Bucketer, name, prefix string, o TreeOptions) *Tree {
	return newTree(&bucket{s3, name, prefix}, o)
}

func newTree(f files, o TreeOptions) *Tree {
	return &Tree{files: f, Options: o, mapping: map[string]place{}, gone: map[string]bool{}}
}

// Close implements Source.
func (t *Tree) Close() error {
	if f, ok := t.files.(*folder); ok {
		return f.root.Close()
	}
	return nil
}

// name implements Source.
func (t *Tree) name(place string) string {
	if ref, ok := parseRef(place); ok {
		return ref.Bucket + "/" + ref.Key
	}
	return place
}

// listBatch is how many files are remembered at a time.
const listBatch = 5000

// list remembers what files there are, unless that is done.
func (t *Tree) list(ctx context.Context, s *state) error {
	t.st = s
	if done, err := s.meta(ctx, "files"); err != nil || done != "" {
		return err
	}
	batch := make([]file, 0, listBatch)
	flush := func(last bool) error {
		err := s.update(ctx, func(tx *sql.Tx) error {
			for _, f := range batch {
				_, err := tx.Exec(`INSERT OR REPLACE INTO files (name, reversed, size) VALUES (?, ?, ?)`, f.name, reversed(f.name), f.size)
				if err != nil {
					return err
				}
			}
			if last {
				return setMeta(tx, "files", "listed")
			}
			return nil
		})
		batch = batch[:0]
		return err
	}
	for f, err := range t.all(ctx) {
		if err != nil {
			return err
		}
		if batch = append(batch, f); len(batch) == listBatch {
			if err := flush(false); err != nil {
				return err
			}
		}
	}
	return flush(true)
}

// reversed returns a path from its end, each part followed by a slash.
func reversed(name string) string {
	parts := strings.Split(name, "/")
	slices.Reverse(parts)
	return strings.Join(parts, "/") + "/"
}

// exists reports whether there is a file of that name.
func (t *Tree) exists(ctx context.Context, name string) (bool, error) {
	var one int
	err := t.st.db.QueryRowContext(ctx, `SELECT 1 FROM files WHERE name = ?`, name).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Bounds of a page of lines, and of a line, which is more than any quota
// allows.
const (
	pageBytes = 1 << 20
	maxLine   = 1 << 20
)

// page implements Source. The token is where in the manifest the page begins.
func (t *Tree) page(ctx context.Context, d *dataset, token string) (*page, error) {
	start := int64(0)
	if token != "" {
		var err error
		if start, err = strconv.ParseInt(token, 10, 64); err != nil {
			return nil, fmt.Errorf("the place %q in %s is not a number", token, d.source)
		}
	}
	r, size, done, err := t.at(ctx, d.source)
	if err != nil {
		return nil, err
	}
	defer done()
	end := min(start+pageBytes, size)
	p := &page{total: -1}
	lines := manifest.NewLines(r, size, start, end, maxLine)
	for l, ok := lines.Next(); ok; l, ok = lines.Next() {
		switch {
		case l.Bad != nil:
			p.lines = append(p.lines, numbered{n: l.Number, bad: "it has " + strconv.FormatInt(l.Size, 10) + " bytes, more than a line may have"})
		case strings.TrimSpace(string(l.Text)) == "":
		default:
			p.lines = append(p.lines, numbered{n: l.Number, text: append([]byte{}, l.Text...)})
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", d.source, err)
	}
	p.count = lines.Count()
	if end < size {
		p.next = strconv.FormatInt(end, 10)
	}
	return p, nil
}

// A place is how the paths of a folder in refs become paths of files: without
// so many parts at their start, below a base.
type place struct {
	base    string
	dropped int
}

// maxMappings bounds what is remembered of how refs were found.
const maxMappings = 4096

// locate implements Source. What a ref names is, in this order: an object of
// its bucket, if that is here; a file at its path, below the folder of the
// manifest or one above; a file at the end of its path, below the same; the
// only file whose path ends with that of the ref.
func (t *Tree) locate(ctx context.Context, d *dataset, r ref) (string, string, error) {
	name := r.value
	if uri, ok := parseRef(r.value); ok {
		found, err := t.object(ctx, uri)
		if err != nil || found != "" {
			return found, "", err
		}
		copied := uri.Bucket + "/" + uri.Key // several buckets were copied side by side
		if ok, err := t.exists(ctx, copied); ok || err != nil {
			return t.place(copied), "", err
		}
		name = uri.Key
	} else if strings.Contains(r.value, "://") {
		return "", fmt.Sprintf("%s is %q, which is neither an S3 URI nor a path", r.key, r.value), nil
	}
	name = strings.TrimPrefix(path.Clean("/"+strings.TrimPrefix(name, "./")), "/")
	if strings.HasPrefix(r.value, "../") {
		name = path.Join(path.Dir(d.source), r.value)
	}
	found, err := t.below(ctx, d, name, r.sure)
	switch {
	case err != nil:
		return "", "", err
	case found != "":
		return t.place(found), "", nil
	case !r.sure:
		return "", "", nil
	}
	return t.anywhere(ctx, d, r, name)
}

// object looks an S3 URI up where it says, "" if it is not there.
func (t *Tree) object(ctx context.Context, ref fovea.ObjectRef) (string, error) {
	b, ok := t.files.(*bucket)
	if !ok || t.gone[ref.Bucket] {
		return "", nil
	}
	if ref.Bucket == b.name && strings.HasPrefix(ref.Key, b.prefix) {
		ok, err := t.exists(ctx, ref.Key)
		if err != nil || !ok {
			return "", err
		}
		return ref.String(), nil
	}
	_, err := b.s3.Stat(ctx, ref)
	switch {
	case err == nil:
		return ref.String(), nil
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission): // somebody else may have a bucket of that name
		return "", err
	case strings.Contains(err.Error(), "there is no bucket") && len(t.gone) < maxMappings:
		t.gone[ref.Bucket] = true
	}
	return "", nil
}

// below looks for a path, then for ever shorter ends of it, in the folder of
// the manifest and in those above it.
func (t *Tree) below(ctx context.Context, d *dataset, name string, ends bool) (string, error) {
	parts := strings.Split(name, "/")
	dir := path.Dir(name)
	if p, ok := t.mapping[dir]; ok && ends && p.dropped < len(parts) {
		candidate := path.Join(p.base, path.Join(parts[p.dropped:]...))
		if ok, err := t.exists(ctx, candidate); ok || err != nil {
			return candidate, err
		}
	}
	for dropped := range parts {
		for _, base := range bases(d.source) {
			candidate := path.Join(base, path.Join(parts[dropped:]...))
			if candidate == d.source || strings.HasPrefix(candidate, "../") {
				continue
			}
			ok, err := t.exists(ctx, candidate)
			if err != nil {
				return "", err
			}
			if ok {
				if len(t.mapping) >= maxMappings {
					clear(t.mapping)
				}
				t.mapping[dir] = place{base, dropped}
				return candidate, nil
			}
		}
		if !ends {
			break
		}
	}
	return "", nil
}

// bases returns the folder of a file and those above it.
func bases(name string) (list []string) {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		list = append(list, strings.TrimPrefix(dir, "."))
		if dir == "." || dir == "/" {
			return list
		}
	}
}

// anywhere looks for the one file, besides the manifest, whose path ends with a
// path.
func (t *Tree) anywhere(ctx context.Context, d *dataset, r ref, name string) (string, string, error) {
	prefix := reversed(name)
	found, err := collect(ctx, t.st, func(rows *sql.Rows, v *string) error { return rows.Scan(v) },
		`SELECT name FROM files WHERE reversed >= ? AND reversed < ? AND name <> ? ORDER BY reversed LIMIT 2`, prefix, prefix+"\U0010ffff", d.source)
	switch {
	case err != nil:
		return "", "", err
	case len(found) == 0:
		return "", fmt.Sprintf("%s names %s, which is not there", r.key, r.value), nil
	case len(found) > 1:
		return "", fmt.Sprintf("%s names %s, which may be %s or %s", r.key, r.value, found[0], found[1]), nil
	}
	return t.place(found[0]), "", nil
}

// open implements Source.
func (t *Tree) open(ctx context.Context, place string) (io.ReadCloser, fovea.ObjectInfo, error) {
	return t.files.open(ctx, place)
}
