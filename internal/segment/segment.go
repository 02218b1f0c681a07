// Package segment keeps the entries of datasets in immutable Parquet files
// and answers filtered pages of them.
//
// The schema is public (docs/segments.md): DuckDB, Spark or Polars can read a
// dataset where it lies. One file holds one row group, whose line column is cut
// into small pages so that a page of a hundred entries anywhere costs one or two
// reads. Every page carries a CRC, which the reader checks.
//
// A dataset is a list of such files with the rows that it no longer has
// (fovea.Revision); the package knows neither datasets nor services.
package segment

import (
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"fovea/internal/manifest"
)

// SchemaVersion is written into every file under the key fovea.schema.
const SchemaVersion = "1"

// The keys of the file metadata.
const (
	metaSchema   = "fovea.schema"
	metaImported = "fovea.imported" // milliseconds since the Unix epoch
)

// row is the schema. The order of the fields is the order of the columns.
type row struct {
	Seq          int64      `parquet:"seq,delta"`
	SourceRef    string     `parquet:"source_ref"`
	Line         string     `parquet:"line,json"`
	Labeled      bool       `parquet:"labeled"`
	AnomalyClass *string    `parquet:"anomaly_class,dict,optional"`
	CreationDate *int64     `parquet:"creation_date,optional,timestamp(millisecond)"`
	Labels       []rowLabel `parquet:"labels,list"`
	Declared     []string   `parquet:"declared,list,dict"`
	Errors       []rowError `parquet:"errors,list"`
}

type rowLabel struct {
	Name  string `parquet:"name,dict"`
	Boxed bool   `parquet:"boxed"`
}

type rowError struct {
	Code    string `parquet:"code,dict"`
	At      string `parquet:"at,dict"`
	Message string `parquet:"message,dict"`
}

// The columns, by their index among the leaves of the schema.
const (
	colSeq = iota
	colSourceRef
	colLine
	colLabeled
	colClass
	colDate
	colLabelName
	colLabelBoxed
	colDeclared
	colErrorCode
	colErrorAt
	colErrorMessage
	columns
)

// columnTypes are the physical types of the columns.
var columnTypes = [columns]format.Type{
	colSeq:          format.Int64,
	colSourceRef:    format.ByteArray,
	colLine:         format.ByteArray,
	colLabeled:      format.Boolean,
	colClass:        format.ByteArray,
	colDate:         format.Int64,
	colLabelName:    format.ByteArray,
	colLabelBoxed:   format.Boolean,
	colDeclared:     format.ByteArray,
	colErrorCode:    format.ByteArray,
	colErrorAt:      format.ByteArray,
	colErrorMessage: format.ByteArray,
}

var schema = parquet.SchemaOf(row{})

// linePageBytes is how much text a page of the line column holds before
// compression. Smaller pages make a page of scattered entries cheaper, larger
// ones compress better: from 32 to 128 KiB the file shrinks by 6 %.
const linePageBytes = 32 << 10

// A Problem is an error that is stored with an entry.
type Problem struct {
	Code    string
	Message string
	At      string // JSON pointer of the object that carries it when the entry is listed
}

// A Row is a stored entry.
type Row struct {
	Seq      int64
	Line     []byte // as it came
	Labeled  bool
	Problems []Problem
}

// A Filter selects entries. All conditions that are set must hold.
type Filter struct {
	Labels    []string       // the entry uses one or more of them (CL-7.20)
	Labeled   *bool          // CL-7.21, LV-2.8
	SourceRef string         // substring of source-ref, case-sensitive (CL-7.22, LV-2.44)
	Errors    bool           // only entries with errors (CL-7.23)
	Class     manifest.Class // only that class
	Before    int64          // creation date before that time, exclusive, in milliseconds since the Unix epoch; 0 for any
	After     int64          // and after that time, exclusive
}
