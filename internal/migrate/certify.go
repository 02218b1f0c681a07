package migrate

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"fovea"
	"fovea/internal/certificate"
)

// names returns the paths of a project's certificate, its text and its entries.
func (m *Migration) names(p *project) (certificate, text, entries string) {
	base := filepath.Join(m.Dir, string(p.service)+"."+p.name)
	return base + ".certificate.json", base + ".certificate.txt", base + ".entries.jsonl"
}

// certify reads the destination back, compares it with the source, and has the
// server sign what came of it.
func (m *Migration) certify(ctx context.Context, p *project) (Result, error) {
	file, text, entries := m.names(p)
	s := &Statement{
		Certificate: statementForm, Program: m.Program, Source: m.Source.String(), Server: m.Server.URL,
		Service: p.service, Original: p.source, Project: p.name, Datasets: []DatasetFact{},
		Checked: time.Now().UTC().Format(time.RFC3339), Entries: EntriesFile{File: filepath.Base(entries)},
	}
	m.log("reading %s/%s back and comparing", p.service, p.name)
	out, err := newEntriesWriter(entries)
	if err != nil {
		return Result{}, err
	}
	s.Equal = true
	for _, d := range p.datasets {
		fact, err := m.fact(ctx, d, out)
		if err != nil {
			return Result{}, errors.Join(err, out.f.Close())
		}
		s.Datasets = append(s.Datasets, fact)
		s.Equal = s.Equal && fact.Equal
		s.Differences += fact.Differences
	}
	if err := out.close(entries); err != nil {
		return Result{}, err
	}
	s.Entries.SHA256, s.Entries.Lines = hex.EncodeToString(out.hash.Sum(nil)), out.lines
	if s.Tags, err = m.compareTags(ctx, p); err != nil {
		return Result{}, fmt.Errorf("compare the tags: %w", err)
	}
	s.Equal = s.Equal && s.Tags.Equal
	if err := m.sign(ctx, s, file, text); err != nil {
		return Result{}, err
	}
	err = m.st.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE projects SET certified = 1 WHERE id = ?`, p.id)
		return err
	})
	return Result{file, s}, err
}

// fact reads a dataset back and says how it compares.
func (m *Migration) fact(ctx context.Context, d *dataset, out *entriesWriter) (f DatasetFact, err error) {
	b := &readback{api: m.Server, s3: m.S3, st: m.st, dir: m.Dir, workers: m.workers(), bar: m.bar}
	source, _, err := m.summing(ctx, d, 0)
	if err != nil {
		return f, err
	}
	if source.Written > 0 {
		if err := b.findings(ctx, d, m.manifestOf(d)); err != nil {
			return f, err
		}
	}
	revision, err := b.current(ctx, d)
	if err != nil {
		return f, err
	}
	there, err := b.read(ctx, d, revision.Revision)
	if err != nil {
		return f, err
	}
	if there.Lines != revision.Entries {
		return f, fmt.Errorf("the server says that revision %d of the %s dataset has %d entries, and lists %d", revision.Revision, d.split, revision.Entries, there.Lines)
	}
	c, err := compare(ctx, m.st, d, out.write)
	if err != nil {
		return f, err
	}
	f = DatasetFact{
		Split: d.split, Original: d.source, Differences: c.differences,
		Source: sideOf(source, c.trees[0].root()), Destination: sideOf(there, c.trees[1].root()),
	}
	f.Destination.Revision = revision.Revision
	if source.Written > 0 {
		f.Manifest = m.manifestOf(d).String()
	}
	f.Equal = f.Source.Tree == f.Destination.Tree && f.Differences == 0 && equalLabels(source, there)
	for side, s := range []*Side{&f.Source, &f.Destination} {
		if s.Objects, s.Bytes, err = objectsOf(ctx, m.st, d.id, side); err != nil {
			return f, err
		}
	}
	return f, nil
}

func sideOf(s summing, tree string) Side {
	return Side{Entries: s.Lines, Tree: tree, Labels: append([]Label{}, s.Labels[:min(len(s.Labels), maxStated)]...), LabelCount: len(s.Labels)}
}

// compareTags counts the tags of a project and its datasets on both sides.
func (m *Migration) compareTags(ctx context.Context, p *project) (TagFact, error) {
	want := map[fovea.Split]map[string]string{"": p.tags}
	for _, d := range p.datasets {
		want[d.split] = d.tags
	}
	got, err := m.place(p).tags(ctx)
	fact := TagFact{Equal: true}
	for split, tags := range want {
		fact.Source += len(tags)
		for key, value := range maps.All(tags) {
			if v, ok := got[split][key]; !ok || v != value {
				fact.Equal = false
			}
		}
	}
	for _, tags := range got {
		fact.Destination += len(tags)
	}
	return fact, err
}

// sign has the server sign a statement and writes the certificate and its text.
func (m *Migration) sign(ctx context.Context, s *Statement, file, text string) error {
	statement, err := json.Marshal(s)
	if err == nil && len(statement) > certificate.MaxStatement { // labels of the longest names
		for i := range s.Datasets {
			s.Datasets[i].Source.Labels, s.Datasets[i].Destination.Labels = []Label{}, []Label{}
		}
		statement, err = json.Marshal(s)
	}
	if err != nil {
		return err
	}
	var signature certificate.Signature
	if err := m.Server.rest(ctx, "fovea", http.MethodPost, "/fovea/v1/certificates", json.RawMessage(statement), &signature); err != nil {
		return fmt.Errorf("have the certificate signed: %w", err)
	}
	out, err := json.MarshalIndent(certificate.File{Statement: statement, Signature: signature}, "", "  ")
	if err != nil {
		return err
	}
	differences, err := firstDifferences(filepath.Join(m.Dir, s.Entries.File), shownDifferences)
	if err != nil {
		return err
	}
	if err := writeDurably(text, []byte(Text(s, signature, differences))); err != nil {
		return err
	}
	return writeDurably(file, append(out, '\n'))
}

// certified returns the result that an earlier run wrote.
func (m *Migration) certified(p *project) (Result, error) {
	file, _, _ := m.names(p)
	_, s, err := Load(file)
	if err != nil {
		return Result{}, fmt.Errorf("%w; remove the folder %s to migrate again", err, m.Dir)
	}
	return Result{file, s}, nil
}

// writeDurably writes a file whole or not at all.
func writeDurably(path string, data []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return rename(f.Name(), path)
}

// rename gives a synced file its name, durably.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
