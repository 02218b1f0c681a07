//go:build nextschema

package sqlstore

import "embed"

// With the build tag nextschema the program is one of the next version, as far
// as the database can tell: its schema has one more file. The tests of upgrades
// build it beside the present one.
//
//go:embed schema/*.sql schemanext/*.sql
var schemaFiles embed.FS

var schemaFolders = []string{"schema", "schemanext"}
