package fovea

import "time"

// A Revision is the content of a dataset at one time: immutable, numbered from
// 1 within its dataset, and committed together with the dataset's status.
type Revision struct {
	Dataset  DatasetID
	Number   int64
	Created  time.Time
	Cause    string // what made it, such as "import s3://b/k" or "copy"
	Caller   string // the access key that asked for it
	Stats    Stats
	Labels   []LabelCount // in order of first appearance (CL-7.42)
	Bucket   string       // the one bucket of its images; "" while it has none
	NextSeq  int64        // the sequence number of the next entry that is added
	Report   string       // name of the import report in Blobs; "" if none
	Segments []SegmentRef // in order of MinSeq
}

// A RevisionKey names a revision.
type RevisionKey struct {
	Dataset DatasetID
	Number  int64
}

// Stats counts the entries of a revision.
type Stats struct {
	Entries int64 // all
	Labeled int64 // with a label, also an invalid one (CL-6.63), or a class (LV-2.33)
	Errors  int64 // with at least one error that did not drop them
	Normal  int64 // Lookout: of class normal
	Anomaly int64 // Lookout: of class anomaly
}

// Add adds o to s.
func (s *Stats) Add(o Stats) {
	s.Entries += o.Entries
	s.Labeled += o.Labeled
	s.Errors += o.Errors
	s.Normal += o.Normal
	s.Anomaly += o.Anomaly
}

// Sub takes o away from s.
func (s *Stats) Sub(o Stats) {
	s.Add(Stats{-o.Entries, -o.Labeled, -o.Errors, -o.Normal, -o.Anomaly})
}

// A LabelCount says how many entries use a label.
type LabelCount struct {
	Name    string
	Lines   int64 // entries that use the label, or only declare it in a class map (OQ-25)
	Entries int64 // entries that use it; may be 0
	Boxed   int64 // entries that have it on a box, not the number of boxes (CL-7.40)
}

// A SegmentRef names an immutable Parquet file of entries and the rows of it
// that a revision no longer has.
type SegmentRef struct {
	Name    string // in Blobs
	Size    int64  // bytes
	Sum     uint64 // xxhash64 of the file
	Rows    int64  // in the file, masked ones included
	MinSeq  int64
	MaxSeq  int64
	Deleted []byte // serialised roaring bitmap of masked rows; nil for none
	Masked  int64  // how many rows Deleted holds
}
