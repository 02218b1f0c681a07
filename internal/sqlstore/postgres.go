package sqlstore

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"fovea"
)

// Connections of one node: PostgreSQL allows 100 in all if nobody asks it for
// more. Those that read and those that write are apart, so that whoever does
// one inside the other does not wait for himself.
const (
	postgresWriters = 8
	postgresReaders = 8
)

var postgresDialect = dialect{
	conflict: postgresConflict,
	view:     sql.LevelRepeatableRead,
	update:   sql.LevelSerializable,
	queue:    sql.LevelReadCommitted,
	schema:   postgresSchema,
	// The number is ours among the advisory locks of the database.
	lockSchema: `SELECT pg_advisory_xact_lock(7373000001)`,
	skipLocked: ` FOR UPDATE SKIP LOCKED`,
	numbers:    `SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST($%d AS json))`,
	clock:      `SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)`,
}

// openPostgres prepares the use of a database and returns its name for people:
// host and database, without the password.
func openPostgres(url string) (s *Store, name string, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil { // which would show all of the URL
		return nil, "", fovea.Errorf(fovea.Invalid, "the database %q is not of the form postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=MODE; "+
			"what is special in a password is written as %%XX", withoutSecrets(url))
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, 10*time.Second)
	setDefault(config.RuntimeParams, "application_name", "fovea")
	// A node that was cut off in a transaction must not hold its locks.
	setDefault(config.RuntimeParams, "idle_in_transaction_session_timeout", "60000")
	write := openPool(config, postgresWriters)
	read := openPool(config, postgresReaders)
	name = "postgres://" + net.JoinHostPort(config.Host, fmt.Sprint(config.Port)) + "/" + config.Database
	return &Store{write: write, read: read, dialect: postgresDialect}, name, nil
}

func setDefault(params map[string]string, name, value string) {
	if _, ok := params[name]; !ok {
		params[name] = value
	}
}

// openPool returns up to n connections, which are made when they are needed.
func openPool(config *pgx.ConnConfig, n int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// postgresSchema translates a file of the schema. Texts are compared byte by
// byte, as SQLite does it, whatever the locale of the database.
func postgresSchema(text string) string {
	return strings.NewReplacer(" BLOB ", " BYTEA ", " TEXT ", ` TEXT COLLATE "C" `).Replace(text)
}

// fewTries is for what is either a conflict, and then over at the next try, or
// a mistake of ours, and then never.
const fewTries = 3

// postgresConflict returns how often to try after an error.
func postgresConflict(err error) int {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return 1
	}
	switch e.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return maxTries
	case "23505", "23503": // unique or foreign key: somebody else made or removed it just now
		return fewTries
	}
	return 1
}
