package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A file is a Parquet file in the making: one row group, whose pages are
// appended in any order of the columns as long as those of one column follow
// each other. It knows the format and nothing of entries. Pages are of version
// 2: their levels are not compressed, their values are.
//
// The writer of parquet-go does the same from single values, which took four
// times as long for the short columns as all that is done here (docs/design/segments.md).
type file struct {
	out    []byte
	values []byte // of a page, compressed
	header bytes.Buffer
	zstd   *zstd.Encoder
	chunks [columns]chunk
}

// A chunk is what the footer says of a column.
type chunk struct {
	meta  format.ColumnMetaData
	index format.OffsetIndex
	rows  int64
}

// A page is some rows of a column.
type page struct {
	rows, values, nulls      int    // values includes nulls
	repetitions, definitions []byte // encoded; nil for a column that has none
	encoding                 format.Encoding
	data                     []byte // the encoded values that are not null
}

const magic = "PAR1"

// begin empties the file.
func (f *file) begin() error {
	if f.zstd == nil {
		enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
		if err != nil {
			return err
		}
		f.zstd = enc
	}
	f.out = append(f.out[:0], magic...)
	for i := range f.chunks {
		c := &f.chunks[i]
		c.rows = 0
		c.index.PageLocations = c.index.PageLocations[:0]
		c.meta = format.ColumnMetaData{
			Type:         columnTypes[i],
			PathInSchema: schema.Columns()[i],
			Codec:        format.Zstd,
		}
	}
	return nil
}

// add appends a page.
func (f *file) add(col int, p page) error {
	c := &f.chunks[col]
	at := int64(len(f.out))
	header := format.PageHeader{
		Type: format.DataPageV2,
		DataPageHeaderV2: thrift.New(format.DataPageHeaderV2{
			NumValues:                  int32(p.values),
			NumNulls:                   int32(p.nulls),
			NumRows:                    int32(p.rows),
			Encoding:                   p.encoding,
			DefinitionLevelsByteLength: int32(len(p.definitions)),
			RepetitionLevelsByteLength: int32(len(p.repetitions)),
			IsCompressed:               thrift.New(len(p.data) > 0),
		}),
	}
	if err := f.append(c, header, p.repetitions, p.definitions, p.data); err != nil {
		return err
	}
	if len(c.index.PageLocations) == 0 {
		c.meta.DataPageOffset = at
	}
	c.index.PageLocations = append(c.index.PageLocations, format.PageLocation{
		Offset:             at,
		CompressedPageSize: int32(int64(len(f.out)) - at),
		FirstRowIndex:      c.rows,
	})
	c.rows += int64(p.rows)
	c.meta.NumValues += int64(p.values)
	c.meta.Statistics.NullCount += int64(p.nulls)
	c.encodedAs(p.encoding)
	if p.definitions != nil {
		c.encodedAs(format.RLE)
	}
	return nil
}

// addDictionary appends the page of a column's dictionary, which comes before
// its others: n strings, each with its length before it.
func (f *file) addDictionary(col, n int, strings []byte) error {
	c := &f.chunks[col]
	c.meta.DictionaryPageOffset = int64(len(f.out))
	c.encodedAs(format.Plain)
	return f.append(c, format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain}),
	}, nil, nil, strings)
}

// append appends the header of a page, whose sizes and checksum it fills in,
// and the page.
func (f *file) append(c *chunk, header format.PageHeader, repetitions, definitions, data []byte) error {
	f.values = f.values[:0]
	if len(data) > 0 {
		f.values = f.zstd.EncodeAll(data, f.values)
	}
	levels := len(repetitions) + len(definitions)
	if levels+len(data) > math.MaxInt32 {
		return fmt.Errorf("a page of %d bytes", levels+len(data))
	}
	header.UncompressedPageSize = int32(levels + len(data))
	header.CompressedPageSize = int32(levels + len(f.values))
	sum := crc32.ChecksumIEEE(repetitions)
	sum = crc32.Update(sum, crc32.IEEETable, definitions)
	header.CRC = int32(crc32.Update(sum, crc32.IEEETable, f.values))

	f.header.Reset()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&f.header)).Encode(&header); err != nil {
		return err
	}
	f.out = append(f.out, f.header.Bytes()...)
	f.out = append(f.out, repetitions...)
	f.out = append(f.out, definitions...)
	f.out = append(f.out, f.values...)
	c.meta.TotalUncompressedSize += int64(f.header.Len() + levels + len(data))
	c.meta.TotalCompressedSize += int64(f.header.Len() + levels + len(f.values))
	return nil
}

func (c *chunk) encodedAs(e format.Encoding) {
	if !slices.Contains(c.meta.Encoding, e) {
		c.meta.Encoding = append(c.meta.Encoding, e)
	}
}

// bounds notes the least and the greatest value of a column.
func (f *file) bounds(col int, least, greatest int64) {
	s := &f.chunks[col].meta.Statistics
	s.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(least))
	s.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(greatest))
}

// end appends the indexes of the pages and the footer.
func (f *file) end(rows int, imported time.Time) error {
	group := format.RowGroup{NumRows: int64(rows), FileOffset: int64(len(magic))}
	for i := range f.chunks {
		c := &f.chunks[i]
		at := int64(len(f.out))
		if err := f.appendThrift(&c.index); err != nil {
			return err
		}
		group.Columns = append(group.Columns, format.ColumnChunk{
			MetaData:          c.meta,
			OffsetIndexOffset: at,
			OffsetIndexLength: int32(int64(len(f.out)) - at),
		})
		group.TotalByteSize += c.meta.TotalUncompressedSize
		group.TotalCompressedSize += c.meta.TotalCompressedSize
	}
	t := template()
	footer := format.FileMetaData{
		Version:      2,
		Schema:       t.Schema,
		ColumnOrders: t.ColumnOrders,
		NumRows:      int64(rows),
		CreatedBy:    "fovea version " + SchemaVersion + " (build )",
		KeyValueMetadata: []format.KeyValue{
			{Key: metaImported, Value: strconv.FormatInt(imported.UnixMilli(), 10)},
			{Key: metaSchema, Value: SchemaVersion},
		},
	}
	if rows > 0 {
		footer.RowGroups = []format.RowGroup{group}
	}
	at := len(f.out)
	if err := f.appendThrift(&footer); err != nil {
		return err
	}
	f.out = binary.LittleEndian.AppendUint32(f.out, uint32(len(f.out)-at))
	f.out = append(f.out, magic...)
	return nil
}

func (f *file) appendThrift(v any) error {
	f.header.Reset()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&f.header)).Encode(v); err != nil {
		return err
	}
	f.out = append(f.out, f.header.Bytes()...)
	return nil
}

// template returns the footer of a file without rows, which holds the schema in
// the form in which a footer has it.
var template = sync.OnceValue(func() *format.FileMetaData {
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, schema)
	if err := w.Close(); err != nil {
		panic(err) // the schema is ours
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		panic(err)
	}
	return f.Metadata()
})
