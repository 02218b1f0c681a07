package sqlstore

import (
	"context"
	"fmt"
	"io/fs"

	"fovea"
)

// migrate brings the schema up to date, or refuses a database that a newer
// version of the program has changed.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := schemaSteps()
	if err != nil {
		return err
	}
	return s.updateQueue(ctx, func(t *tx) error { // which sees what was committed while it waited for the lock
		if lock := s.dialect.lockSchema; lock != "" {
			if err := t.exec("lock the schema", lock); err != nil {
				return err
			}
		}
		version, err := t.schemaVersion()
		if err != nil {
			return err
		}
		if version > len(steps) {
			return fovea.Errorf(fovea.Invalid, "its schema has version %d, made by a newer fovea; this one knows versions up to %d. "+
				"Start the newer fovea, or restore a backup from before the upgrade.", version, len(steps))
		}
		for _, file := range steps[version:] {
			if err := t.migrateFile(file); err != nil {
				return err
			}
		}
		if version == len(steps) {
			return nil
		}
		return t.exec("record the schema's version", `UPDATE schema_version SET version = $1`, len(steps))
	})
}

// schemaSteps returns the names of the files of the schema, in their order.
func schemaSteps() (steps []string, err error) {
	for _, folder := range schemaFolders {
		files, err := fs.Glob(schemaFiles, folder+"/*.sql") // in order of name
		if err != nil {
			return nil, err
		}
		steps = append(steps, files...)
	}
	return steps, nil
}

// schemaVersion returns how many of the files have been applied.
func (t *tx) schemaVersion() (version int, err error) {
	if err := t.exec("make the schema's version table", `CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)`); err != nil {
		return 0, err
	}
	if err := t.exec("start the schema's version", `
		INSERT INTO schema_version (version) SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM schema_version)`); err != nil {
		return 0, err
	}
	err = t.row(`SELECT version FROM schema_version`).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the schema's version: %w", err)
	}
	return version, nil
}

func (t *tx) migrateFile(file string) error {
	text, err := schemaFiles.ReadFile(file)
	if err != nil {
		return err
	}
	return t.exec("apply "+file, t.store.dialect.schema(string(text)))
}
