package migrate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// relist is how often a dataset is listed that changes meanwhile.
const relist = 3

// list reads the lines of a project's datasets and finds what they refer to.
func (m *Migration) list(ctx context.Context, p *project) error {
	for _, d := range p.datasets {
		for again := 0; !d.listed; {
			err := m.listPage(ctx, d)
			if !errors.Is(err, errStale) {
				if err != nil {
					return err
				}
				continue
			}
			if again++; again == relist {
				return err
			}
			m.log("%s/%s: %v", p.name, d.split, err)
			if err := m.forget(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// A listed line is one as it is kept.
type listedLine struct {
	number int64
	text   []byte
	places []string // for each ref; empty where it stays as it is
	bad    string
}

// listPage reads the next page of lines. In one step it remembers them, the
// objects they refer to, and where to go on. If the number of all lines is not
// that which the source tells, it is listed again, because it may have been
// changed meanwhile; two listings of the same number are believed.
func (m *Migration) listPage(ctx context.Context, d *dataset) error {
	p, err := m.Source.page(ctx, d, d.token)
	if err != nil {
		return err
	}
	numbered := d.numbered + p.count
	if p.next == "" && p.total >= 0 && p.total != numbered && numbered != d.before {
		d.before = numbered
		return fmt.Errorf("%w: %s has %d entries and the listing gave %d", errStale, d.source, p.total, numbered)
	}
	lines := make([]listedLine, 0, len(p.lines))
	for _, n := range p.lines {
		l, err := m.resolve(ctx, d, n)
		if err != nil {
			return err
		}
		l.number = d.numbered + n.n
		lines = append(lines, l)
	}
	err = m.st.update(ctx, func(tx *sql.Tx) error {
		for _, l := range lines {
			if err := putLine(tx, d, l); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`UPDATE datasets SET token = ?, numbered = ?, listed = ? WHERE id = ?`, p.next, numbered, p.next == "", d.id)
		return err
	})
	if err != nil {
		return err
	}
	d.token, d.numbered, d.listed = p.next, numbered, p.next == ""
	m.bar("listed lines", numbered, p.total)
	return nil
}

// maxKey is how many bytes a key of S3 has at most.
const maxKey = 1024

// resolve finds what a line refers to.
func (m *Migration) resolve(ctx context.Context, d *dataset, n numbered) (listedLine, error) {
	l := listedLine{text: n.text, bad: n.bad}
	if l.bad != "" {
		return l, nil
	}
	var parsed line
	if e := parsed.read(n.text); e != nil {
		l.bad = fmt.Sprintf("it is not a JSON object: found %s, expected %s", e.Found, e.Want)
		return l, nil
	}
	if parsed.crowded {
		l.bad = fmt.Sprintf("it refers to more than %d objects", maxRefs)
		return l, nil
	}
	if _, ok := parsed.image(); !ok {
		l.bad = "it has no source-ref"
	}
	for _, r := range parsed.refs {
		place, problem, err := m.Source.locate(ctx, d, r)
		if err != nil {
			return l, err
		}
		if place != "" {
			switch to := m.target(place); {
			case len(to.Key) > maxKey:
				problem = fmt.Sprintf("the key of %s would have more than %d bytes", place, maxKey)
			case leadsOut(to.Key) && to.String() != place:
				problem = fmt.Sprintf("%.2000q has a step . or .., which may lead out of %s", place, m.To)
			}
		}
		if l.bad == "" {
			l.bad = problem
		}
		l.places = append(l.places, place)
	}
	return l, nil
}

// putLine stores a line and the objects that it refers to.
func putLine(tx *sql.Tx, d *dataset, l listedLine) error {
	places, err := json.Marshal(l.places)
	if err != nil {
		return err
	}
	text := l.text
	if text == nil {
		text = []byte{}
	}
	if _, err := tx.Exec(`INSERT INTO lines (id, text, places, problem) VALUES (?, ?, ?, ?)`, lineID(d.id, l.number), text, string(places), l.bad); err != nil {
		return err
	}
	for _, place := range l.places {
		if place == "" {
			continue
		}
		if _, err := tx.Exec(`INSERT OR IGNORE INTO objects (place) VALUES (?)`, place); err != nil {
			return err
		}
	}
	return nil
}

// forget takes back what was listed of a dataset. Objects that only these lines
// had are copied all the same, and do no harm.
func (m *Migration) forget(ctx context.Context, d *dataset) error {
	err := m.st.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`DELETE FROM lines WHERE id > ? AND id < ?`, lineID(d.id, 0), lineID(d.id+1, 0)); err != nil {
			return err
		}
		_, err := tx.Exec(`UPDATE datasets SET token = '', numbered = 0, listed = 0 WHERE id = ?`, d.id)
		return err
	})
	if err == nil {
		d.token, d.numbered, d.listed = "", 0, false
	}
	return err
}
