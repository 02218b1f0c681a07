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

// NewID returns a positive identifier that sorts by time: 41 bits of
// milliseconds since the Unix epoch, then 22 random bits.
func NewID(now time.Time) int64 {
	return now.UnixMilli()<<22 | rand.Int64N(1<<22)
}

// FormatID returns an identifier as it is written in names of blobs and jobs:
// hexadecimal, 16 digits, so that names sort as identifiers do.
func FormatID(id int64) string { return fmt.Sprintf("%016x", id) }
