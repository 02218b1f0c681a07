package sqlitefile

import (
	"context"
	"database/sql"
	"fmt"
)

// maxFaults is how much of what is wrong with a database is told.
const maxFaults = 10

// Integrity reads all of an open database and returns what is wrong with it, in
// SQLite's words: pages that are torn, lost or used twice, indexes that do not
// agree with their tables, values that break the rules of the schema. Pages
// have no checksums: a changed text that is still one passes.
func Integrity(ctx context.Context, db *sql.DB) (faults []string, err error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`PRAGMA integrity_check(%d)`, maxFaults))
	if err != nil {
		return []string{err.Error()}, ctx.Err() // what cannot be read is damaged
	}
	defer rows.Close()
	for rows.Next() {
		var fault string
		if err := rows.Scan(&fault); err != nil {
			return nil, err
		}
		if fault != "ok" {
			faults = append(faults, fault)
		}
	}
	if err := rows.Err(); err != nil {
		faults = append(faults, err.Error())
	}
	return faults, ctx.Err()
}
