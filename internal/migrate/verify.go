package migrate

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"fovea/internal/certificate"
	"fovea/internal/client"
)

// maxCertificate is more than a certificate of the largest statement has,
// indented.
const maxCertificate = 16 << 20

// Load reads a certificate. It does not check the signature.
func Load(path string) (*certificate.File, *Statement, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCertificate+1))
	if err != nil {
		return nil, nil, err
	}
	if len(text) > maxCertificate {
		return nil, nil, fmt.Errorf("%s has more than %d bytes and is no certificate", path, maxCertificate)
	}
	return Parse(path, text)
}

// Parse reads a certificate, whose name is for messages.
func Parse(name string, text []byte) (*certificate.File, *Statement, error) {
	var file certificate.File
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, nil, fmt.Errorf("%s is not a certificate: %w", name, err)
	}
	canonical, err := certificate.Canonical(file.Statement)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not a certificate: %w", name, err)
	}
	var s Statement
	if err := json.Unmarshal(canonical, &s); err != nil {
		return nil, nil, fmt.Errorf("the statement of %s: %w", name, err)
	}
	if s.Certificate != statementForm {
		return nil, nil, fmt.Errorf("%s is of the form %q, not %s", name, s.Certificate, statementForm)
	}
	return &file, &s, nil
}

// PublicKey returns the key with which a server signs.
func PublicKey(ctx context.Context, server *API) (ed25519.PublicKey, error) {
	var out struct{ Key string }
	if err := server.rest(ctx, "fovea", http.MethodGet, "/fovea/v1/signing-key", nil, &out); err != nil {
		return nil, fmt.Errorf("ask the server for its public key: %w", err)
	}
	return certificate.ParseKey(out.Key)
}

// A Check checks a certificate and, unless it is Offline, what it certifies.
type Check struct {
	Path    string            // of the certificate
	Key     ed25519.PublicKey // that is trusted; nil for that of the server
	Offline bool              // check no more than the signature and the files; needs Key
	Server  *API
	S3      *Bucketer
	Workers int // objects that are read at a time; 8 by default
	Bar     func(what string, n, of int64)
}

// A Verification is what a check came to.
type Verification struct {
	Statement *Statement
	Signature certificate.Signature
	Entries   string   // what is to say of the entries file; "" if it is as it was
	Problems  []string // what is not as it was certified, the first maxProblems
	More      int64    // problems besides
}

// maxProblems is how many problems a verification lists.
const maxProblems = 1000

func (v *Verification) problem(format string, args ...any) {
	if len(v.Problems) == maxProblems {
		v.More++
		return
	}
	v.Problems = append(v.Problems, printable(fmt.Sprintf(format, args...)))
}

// Run checks. An error is about the certificate, which then says nothing, or
// about the way to the server; what the server no longer has as it was
// certified is in the verification.
func (c *Check) Run(ctx context.Context) (v *Verification, err error) {
	file, s, err := Load(c.Path)
	if err != nil {
		return nil, err
	}
	key := c.Key
	if key == nil {
		if key, err = PublicKey(ctx, c.Server); err != nil {
			return nil, err
		}
	}
	if err := file.Signature.Check(key, file.Statement); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Path, err)
	}
	v = &Verification{Statement: s, Signature: file.Signature}
	entries, err := c.entries(s, v)
	if err != nil || c.Offline {
		return v, err
	}
	dir, err := os.MkdirTemp("", "fovea-verify-")
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	st, err := openState(filepath.Join(dir, stateFile))
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for i := range s.Datasets {
		if err := c.dataset(ctx, st, dir, entries, s, &s.Datasets[i], v); err != nil {
			return v, err
		}
	}
	return v, nil
}

// entries returns the path of the entries file if it is as it was, and notes
// what is wrong with it.
func (c *Check) entries(s *Statement, v *Verification) (string, error) {
	name := s.Entries.File
	if name == "" || filepath.Base(name) != name || !filepath.IsLocal(name) {
		v.problem("the entries file %q is not named as a file beside the certificate is", name)
		return "", nil
	}
	path := filepath.Join(filepath.Dir(c.Path), name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		v.Entries = name + " is not beside the certificate: what differs cannot be named"
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	if hex.EncodeToString(h.Sum(nil)) != s.Entries.SHA256 {
		v.Entries = name + " has been changed since the certificate was signed"
		v.problem("%s", v.Entries)
		return "", nil
	}
	return path, nil
}

// dataset compares a dataset of the destination with what was certified.
func (c *Check) dataset(ctx context.Context, st *state, dir, entries string, s *Statement, f *DatasetFact, v *Verification) error {
	name := fmt.Sprintf("%s/%s/%s", s.Service, s.Project, f.Split)
	d := &dataset{id: 1, split: f.Split, project: &project{service: s.Service, name: s.Project}}
	bar := c.Bar
	if bar == nil {
		bar = func(string, int64, int64) {}
	}
	b := &readback{api: c.Server, s3: c.S3, st: st, dir: dir, workers: max(c.Workers, 1), bar: bar}
	revision, err := b.current(ctx, d)
	if client.CodeOf(err) == "ResourceNotFoundException" {
		v.problem("%s is not there any more", name)
		return nil
	}
	if err != nil {
		return err
	}
	there, err := b.read(ctx, d, revision.Revision)
	if err != nil {
		return err
	}
	if err := certifiedLeaves(ctx, st, d, entries); err != nil {
		return err
	}
	problems := len(v.Problems)
	compared, err := compare(ctx, st, d, func(e EntryFact) error {
		if e.Change != "" && entries != "" {
			v.problem("%s", e.now())
		}
		return nil
	})
	if err != nil {
		return err
	}
	if tree := compared.trees[1].root(); tree != f.Destination.Tree && len(v.Problems) == problems {
		v.problem("%s has %d entries whose tree hash is %s; certified were %d entries and %s", name, there.Lines, tree, f.Destination.Entries, f.Destination.Tree)
	}
	return nil
}

// now returns a difference in the words of a verification.
func (e EntryFact) now() string {
	e.Line = 0
	return e.String()
}

// certifiedLeaves makes side 0 of a dataset what an entries file says that the
// destination had.
func certifiedLeaves(ctx context.Context, st *state, d *dataset, path string) error {
	return st.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM leaves WHERE dataset = ? AND side = 0`, d.id); err != nil || path == "" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		dec := json.NewDecoder(bufio.NewReaderSize(f, 256<<10))
		for n := int64(1); ; n++ {
			var e EntryFact
			switch err := dec.Decode(&e); {
			case err == io.EOF:
				return nil
			case err != nil:
				return fmt.Errorf("%s: %w", path, err)
			}
			leaf, images, ok := e.certified()
			if !ok || e.Split != d.split {
				continue
			}
			if err := putLeaf(tx, d.id, 0, leafRow{ref: e.SourceRef, line: n, leaf: leaf, images: images}); err != nil {
				return err
			}
		}
	})
}

// certified returns what the destination had of an entry, if it had it.
func (e EntryFact) certified() (leaf []byte, images map[string]string, ok bool) {
	text, images := e.Leaf, e.Images
	switch e.Change {
	case "":
	case Changed, Added:
		text, images = e.NewLeaf, e.NewImages
	default:
		return nil, nil, false
	}
	leaf, err := hex.DecodeString(text)
	return leaf, images, err == nil && len(leaf) == sha256.Size
}
