package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"fovea"
)

// A Migration moves the projects of a source to a server. Source, Server, S3, To
// and Dir are required.
type Migration struct {
	Source Source
	Server *API      // the destination
	S3     *Bucketer // of the destination
	// To is the bucket of the images and manifests, and what their keys begin
	// with: nothing, or a text that ends with a slash.
	To fovea.ObjectRef
	// SameS3 says that the source's S3 is that of the destination: images
	// that are in the bucket of To already stay where they are.
	SameS3 bool
	Dir    string // of the run's state and of the certificates

	Workers int                            // objects that are copied at a time; 8 by default
	Program string                         // and its version, for the certificate
	Log     func(text string)              // told what happens; nil for nobody
	Bar     func(what string, n, of int64) // told how far it is; nil for nobody

	st *state
}

// A StoppedError ends a migration that has found its projects. What it has done
// is kept in the folder.
type StoppedError struct {
	Err    error
	Passes bool // it may be gone when the same migration is run again
}

// Error returns the text of the error that was met.
func (e *StoppedError) Error() string { return e.Err.Error() }

// Unwrap returns that error.
func (e *StoppedError) Unwrap() error { return e.Err }

// mayPass reports whether an error may be gone the next time: the network's, and
// those of a server in trouble.
func mayPass(err error) bool {
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() != 0 {
		return answer.HTTPStatusCode() >= 500 || answer.HTTPStatusCode() == http.StatusTooManyRequests
	}
	var ofSDK *smithy.OperationError
	var network *net.OpError
	return passes(err) || errors.As(err, &ofSDK) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF)
}

// A Result is what came of one project.
type Result struct {
	Certificate string // path of the file
	Statement   *Statement
}

// Run migrates, or goes on with what an earlier run with the same source,
// destination and folder has begun. It returns the results of the projects in
// the order of their names, those of an earlier run included.
func (m *Migration) Run(ctx context.Context) (results []Result, err error) {
	if err := os.MkdirAll(m.Dir, 0o700); err != nil {
		return nil, err
	}
	if m.st, err = openState(filepath.Join(m.Dir, stateFile)); err != nil {
		return nil, err
	}
	defer m.st.Close()
	if err := m.sweep(); err != nil {
		return nil, err
	}
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	if results, err = m.move(ctx); err != nil {
		err = &StoppedError{Err: err, Passes: ctx.Err() != nil || mayPass(err)}
	}
	return results, err
}

// move migrates the projects that were found.
func (m *Migration) move(ctx context.Context) (results []Result, err error) {
	projects, err := m.projects(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range projects {
		if err := m.list(ctx, p); err != nil {
			return nil, fmt.Errorf("project %s: %w", p.name, err)
		}
	}
	if err := m.S3.ensure(ctx, m.To.Bucket); err != nil {
		return nil, err
	}
	if err := m.copyAll(ctx); err != nil {
		return nil, err
	}
	for _, p := range projects {
		result, err := m.finish(ctx, p)
		if err != nil {
			return results, fmt.Errorf("project %s: %w", p.name, err)
		}
		results = append(results, result)
	}
	return results, nil
}

const stateFile = "migration.db"

// temporary is how the temporary files of a run are called.
const temporary = "fovea-migrate-*.tmp"

// sweep removes the temporary files of a run that was killed.
func (m *Migration) sweep() error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if ok, _ := filepath.Match(temporary, e.Name()); ok { // the pattern is a good one
			if err := os.Remove(filepath.Join(m.Dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish makes a project and its datasets and proves it, unless that is done.
func (m *Migration) finish(ctx context.Context, p *project) (Result, error) {
	if p.certified {
		return m.certified(p)
	}
	for _, d := range p.datasets {
		if err := m.compose(ctx, d); err != nil {
			return Result{}, err
		}
	}
	if err := m.make(ctx, p); err != nil {
		return Result{}, err
	}
	return m.certify(ctx, p)
}

func (m *Migration) log(format string, args ...any) {
	if m.Log != nil {
		m.Log(fmt.Sprintf(format, args...))
	}
}

func (m *Migration) bar(what string, n, of int64) {
	if m.Bar != nil {
		m.Bar(what, n, of)
	}
}

func (m *Migration) workers() int { return cmp.Or(m.Workers, 8) }

// target returns where in the destination the object at a place is, or is to
// be.
func (m *Migration) target(place string) fovea.ObjectRef {
	if m.SameS3 {
		if ref, ok := parseRef(place); ok && ref.Bucket == m.To.Bucket {
			return ref
		}
	}
	return fovea.ObjectRef{Bucket: m.To.Bucket, Key: m.To.Key + m.Source.name(place)}
}

// nameable is what services take for the name of a project (LV-1.42, CL-2.1). The
// names of files and keys come from it, so that no source may have another one.
var nameable = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,255}$`)

// leadsOut reports whether a key has a step . or .., which means nothing in S3,
// but may lead out of the destination where a store keeps objects as files.
func leadsOut(key string) bool {
	steps := strings.FieldsFunc(key, func(r rune) bool { return r == '/' || r == '\\' })
	return slices.Contains(steps, "..") || slices.Contains(steps, ".")
}

// begin looks whether the folder holds another migration, and finds the
// projects of the source unless an earlier run did.
func (m *Migration) begin(ctx context.Context) error {
	for name, value := range map[string]string{"source": m.Source.String(), "destination": m.To.String(), "server": m.Server.URL} {
		was, err := m.st.meta(ctx, name)
		if err != nil {
			return err
		}
		if was != "" && was != value {
			return fmt.Errorf("the folder %s holds a migration whose %s is %s, and this one's is %s; go on with that one, or name another folder with --out",
				m.Dir, name, was, value)
		}
		if err := m.st.update(ctx, func(tx *sql.Tx) error { return setMeta(tx, name, value) }); err != nil {
			return err
		}
	}
	if tree, ok := m.Source.(*Tree); ok {
		tree.st = m.st
	}
	if done, err := m.st.meta(ctx, "discovered"); err != nil || done != "" {
		return err
	}
	m.log("looking for projects in %s", m.Source)
	projects, err := m.Source.discover(ctx, m.st)
	if err != nil {
		return err
	}
	if len(projects) == 0 {
		return fmt.Errorf("there is no project in %s", m.Source)
	}
	for _, p := range projects {
		if !nameable.MatchString(p.name) || leadsOut(p.name) {
			return fmt.Errorf("%s has a project called %.300q, as none may be called; name the others with --projects", m.Source, p.name)
		}
		for _, note := range p.notes {
			m.log("%s: it is left out", note)
		}
	}
	if tree, ok := m.Source.(*Tree); ok && tree.left > 0 {
		m.log("%d other manifests are left out; --manifest names those to migrate", tree.left)
	}
	return m.st.update(ctx, func(tx *sql.Tx) error {
		for _, p := range projects {
			if err := putProject(tx, p); err != nil {
				return err
			}
		}
		return setMeta(tx, "discovered", "yes")
	})
}

// putProject stores a project that was found.
func putProject(tx *sql.Tx, p found) error {
	var id int64
	err := tx.QueryRow(`INSERT INTO projects (service, source, name, tags) VALUES (?, ?, ?, ?) RETURNING id`,
		p.service, p.source, p.name, encodeTags(p.tags)).Scan(&id)
	if err != nil {
		return err
	}
	for _, d := range p.datasets {
		_, err := tx.Exec(`INSERT INTO datasets (project, split, source, tags) VALUES (?, ?, ?, ?)`, id, d.split, d.source, encodeTags(d.tags))
		if err != nil {
			return err
		}
	}
	return nil
}

func encodeTags(tags map[string]string) string {
	text, _ := json.Marshal(tags) // which no map of strings fails
	return string(text)
}

// projects reads what is migrated.
func (m *Migration) projects(ctx context.Context) ([]*project, error) {
	projects, err := collect(ctx, m.st, func(rows *sql.Rows, p **project) error {
		*p = &project{}
		var tags string
		if err := rows.Scan(&(*p).id, &(*p).service, &(*p).source, &(*p).name, &tags, &(*p).certified); err != nil {
			return err
		}
		return json.Unmarshal([]byte(tags), &(*p).tags)
	}, `SELECT id, service, source, name, tags, certified FROM projects ORDER BY name, service`)
	if err != nil {
		return nil, err
	}
	for _, p := range projects {
		p.datasets, err = collect(ctx, m.st, func(rows *sql.Rows, d **dataset) error {
			*d = &dataset{project: p}
			var tags string
			if err := rows.Scan(&(*d).id, &(*d).split, &(*d).source, &tags, &(*d).token, &(*d).numbered, &(*d).listed, &(*d).asked); err != nil {
				return err
			}
			return json.Unmarshal([]byte(tags), &(*d).tags)
		}, `SELECT id, split, source, tags, token, numbered, listed, asked FROM datasets WHERE project = ? ORDER BY split DESC`, p.id)
		if err != nil {
			return nil, err
		}
	}
	return projects, nil
}
