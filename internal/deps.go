//go:build deps

package internal

import (
	_ "github.com/RoaringBitmap/roaring/v2"
	_ "github.com/VictoriaMetrics/metrics"
	_ "github.com/aws/aws-sdk-go-v2/service/rekognition"
	_ "github.com/aws/aws-sdk-go-v2/service/s3"
	_ "github.com/aws/aws-sdk-go/service/lookoutforvision"
	_ "github.com/cespare/xxhash/v2"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/uuid"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/parquet-go/parquet-go"
	_ "github.com/spf13/cobra"
	_ "github.com/vbauerster/mpb/v8"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
)
