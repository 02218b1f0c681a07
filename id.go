package fovea

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// A ProjectID identifies a project for ever, also after its name was reused.
type ProjectID int64

// A DatasetID identifies a dataset for ever.
type DatasetID int64

// A JobID identifies a queued job.
type JobID int64

// idEpoch is where the time in identifiers begins: 2020, in milliseconds since
// the Unix epoch. From there 41 bits last until 2089.
const idEpoch = 1_577_836_800_000

// NewID returns a positive identifier that sorts by time: 41 bits of
// milliseconds since 2020, then 22 random bits. A clock that is before then
// gives identifiers of 2020.
func NewID(now time.Time) int64 {
	return max(now.UnixMilli()-idEpoch, 1)<<22 | rand.Int64N(1<<22)
}

// FormatID returns an identifier as it is written in names of blobs and jobs:
// hexadecimal, 16 digits, so that names sort as identifiers do.
func FormatID(id int64) string { return fmt.Sprintf("%016x", id) }
