//go:build !nextschema

package sqlstore

import "embed"

// The schema is what its numbered files make of an empty database, one after
// the other. A file that was released is never changed.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

var schemaFolders = []string{"schema"}
