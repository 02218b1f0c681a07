package migrate

import (
	"fovea"
)

// statementForm is the form and version of a Statement.
const statementForm = "fovea.migration/1"

// A Statement is what a certificate says of the migration of one project.
type Statement struct {
	Certificate string        `json:"certificate"` // fovea.migration/1
	Checked     string        `json:"checked"`     // when the destination was read back: RFC 3339 in UTC
	Program     string        `json:"program"`     // and its version
	Source      string        `json:"source"`      // where the project came from
	Server      string        `json:"server"`      // the destination
	Service     fovea.Service `json:"service"`
	Original    string        `json:"source_project"` // what the source calls it
	Project     string        `json:"project"`        // in the destination
	Datasets    []DatasetFact `json:"datasets"`
	Tags        TagFact       `json:"tags"`
	Equal       bool          `json:"equal"` // all datasets and the tags are
	Differences int64         `json:"differences"`
	Entries     EntriesFile   `json:"entries"`
}

// A DatasetFact says what a dataset was and what it is.
type DatasetFact struct {
	Split       fovea.Split `json:"split"`
	Original    string      `json:"source_dataset"` // manifest or ARN
	Manifest    string      `json:"manifest"`       // the new one; empty if there are no entries
	Source      Side        `json:"source"`
	Destination Side        `json:"destination"`
	Equal       bool        `json:"equal"`
	Differences int64       `json:"differences"`
}

// A Side is a dataset in the source or in the destination.
type Side struct {
	Revision int64  `json:"revision,omitempty"` // of the destination
	Entries  int64  `json:"entries"`            // lines that are not blank
	Objects  int64  `json:"objects"`            // images and masks, each once
	Bytes    int64  `json:"bytes"`              // of them
	Tree     string `json:"tree"`               // hash of all entries and what they name, in hexadecimal
	// Labels are the first maxStated by name, and LabelCount how many there
	// are.
	Labels     []Label `json:"labels"`
	LabelCount int     `json:"label_count"`
}

// A TagFact counts the tags of a project and its datasets.
type TagFact struct {
	Source      int  `json:"source"`
	Destination int  `json:"destination"`
	Equal       bool `json:"equal"` // the destination has those of the source
}

// An EntriesFile is the file beside the certificate that has a line for each
// entry.
type EntriesFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Lines  int64  `json:"lines"`
}

// maxStated is how many labels a statement lists: as many as AWS's quota is.
const maxStated = 250

// An EntryFact is a line of the entries file. The lines of a dataset are in
// the order of SourceRef, and of Line where that is the same.
type EntryFact struct {
	Split     fovea.Split       `json:"split"`
	SourceRef string            `json:"source_ref"`         // in the destination; empty for a line that names no image
	Line      int64             `json:"line,omitempty"`     // in the source; 0 for an entry that it does not have
	Leaf      string            `json:"leaf,omitempty"`     // hash of the line in the source
	Images    map[string]string `json:"images,omitempty"`   // SHA-256 of what the refs name, in the source
	Change    Change            `json:"change,omitempty"`   // how the destination differs
	Reason    string            `json:"reason,omitempty"`   // why
	NewLeaf   string            `json:"new_leaf,omitempty"` // of the destination, where it differs
	NewImages map[string]string `json:"new_images,omitempty"`
}

// A Change is how an entry of the destination differs from that of the source.
type Change string

// The changes.
const (
	LeftOut Change = "left out" // not in the new manifest: the line cannot be migrated
	Dropped Change = "dropped"  // in the new manifest, and dropped by the import
	Missing Change = "missing"  // not there, for no known reason
	Changed Change = "changed"  // there, and another one
	Added   Change = "added"    // there, and not in the source
)
