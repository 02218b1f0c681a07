package sqlstore

import "fmt"

// Tags implements fovea.Tx.
func (t *tx) Tags(resource string) (map[string]string, error) {
	type tag struct{ name, value string }
	scan := func(s scanner) (tag, error) {
		var g tag
		err := s.Scan(&g.name, &g.value)
		return g, err
	}
	list, err := all(t, scan, `SELECT name, value FROM tags WHERE resource = $1`, resource)
	if err != nil {
		return nil, fmt.Errorf("read the tags of %s: %w", resource, err)
	}
	tags := make(map[string]string, len(list))
	for _, g := range list {
		tags[g.name] = g.value
	}
	return tags, nil
}

// PutTags implements fovea.Tx.
func (t *tx) PutTags(resource string, tags map[string]string) error {
	if err := t.exec("delete the tags of "+resource, `DELETE FROM tags WHERE resource = $1`, resource); err != nil {
		return err
	}
	for name, value := range tags {
		err := t.exec("put a tag of "+resource, `INSERT INTO tags (resource, name, value) VALUES ($1, $2, $3)`, resource, name, value)
		if err != nil {
			return err
		}
	}
	return nil
}
