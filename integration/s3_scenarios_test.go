package integration

// s3Scenarios touch what the embedded S3 endpoint is for. The first makes the
// bucket that all others use.
var s3Scenarios = []scenario{
	{
		name:  "bucket",
		brief: true,
		steps: []step{
			{call: "s3.CreateBucket", in: `{"Bucket":"factory"}`},
			{call: "s3.HeadBucket", in: `{"Bucket":"factory"}`},
			{call: "s3.ListBuckets", want: `{"Buckets":["...",{"Name":"factory"}]}`},
			{call: "s3.GetBucketLocation", in: `{"Bucket":"factory"}`},
		},
	},
	{
		name:  "object",
		brief: true,
		steps: []step{
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"o/a b+ü.txt","Body":"first","ContentType":"text/plain","Metadata":{"who":"me"}}`, want: `{"ETag":"~\"[0-9a-f]{32}\""}`, save: "etag=ETag"},
			{call: "s3.HeadObject", in: `{"Bucket":"factory","Key":"o/a b+ü.txt"}`, want: `{"ContentLength":5,"ContentType":"text/plain","ETag":"${etag}"}`},
			{call: "s3.HeadObject", in: `{"Bucket":"factory","Key":"o/a b+ü.txt"}`, want: `{"Metadata":{"who":"me"}}`, unless: "go1"}, // which says Who
			{call: "s3.GetObject", in: `{"Bucket":"factory","Key":"o/a b+ü.txt"}`, want: `{"Body":"first"}`},
			{call: "s3.GetObject", in: `{"Bucket":"factory","Key":"o/a b+ü.txt","Range":"bytes=1-2"}`, want: `{"Body":"ir","ContentLength":2,"ContentRange":"bytes 1-2/5"}`},
			{call: "s3.GetObject", in: `{"Bucket":"factory","Key":"o/missing"}`, err: "NoSuchKey", status: 404},
			{call: "s3.GetObject", in: `{"Bucket":"no-such-bucket","Key":"o/missing"}`, err: "NoSuchBucket", status: 404},
			{call: "s3.CopyObject", in: `{"Bucket":"factory","Key":"o/copy","CopySource":"factory/o/a%20b%2B%C3%BC.txt"}`, want: `{"CopyObjectResult":{"ETag":"${etag}"}}`, unless: "boto3 cli"}, // which encode it once more
			{call: "s3.CopyObject", in: `{"Bucket":"factory","Key":"o/copy","CopySource":"factory/o/a b+ü.txt"}`, want: `{"CopyObjectResult":{"ETag":"${etag}"}}`, unless: "go1 go2 js"},
			{call: "s3.PutObject", in: `{"Bucket":"factory","Key":"o/deep/er","Body":""}`},
			{call: "s3.ListObjectsV2", in: `{"Bucket":"factory","Prefix":"o/","Delimiter":"/"}`, want: `{"KeyCount":3,"Contents":[{"Key":"o/a b+ü.txt","Size":5},{"Key":"o/copy"}],"CommonPrefixes":[{"Prefix":"o/deep/"}]}`},
			{call: "s3.ListObjectsV2", in: `{"Bucket":"factory","Prefix":"o/","MaxKeys":1}`, want: `{"IsTruncated":true,"Contents":[{"Key":"o/a b+ü.txt"}]}`, save: "token=NextContinuationToken", unless: "cli"},
			{call: "s3.ListObjectsV2", in: `{"Bucket":"factory","Prefix":"o/","ContinuationToken":"${token}"}`, want: `{"IsTruncated":false,"Contents":[{"Key":"o/copy"},{"Key":"o/deep/er"}]}`, unless: "cli"},
			{call: "s3.ListObjects", in: `{"Bucket":"factory","Prefix":"o/c"}`, want: `{"Contents":[{"Key":"o/copy"}]}`},
			{call: "s3.DeleteObject", in: `{"Bucket":"factory","Key":"o/copy"}`},
			{call: "s3.DeleteObject", in: `{"Bucket":"factory","Key":"o/copy"}`},
			{call: "s3.DeleteObjects", in: `{"Bucket":"factory","Delete":{"Objects":[{"Key":"o/a b+ü.txt"},{"Key":"o/deep/er"}]}}`, want: `{"Deleted":[{"Key":"o/a b+ü.txt"},{"Key":"o/deep/er"}]}`},
			{call: "s3.ListObjectsV2", in: `{"Bucket":"factory","Prefix":"o/"}`, want: `{"Contents":"!"}`},
		},
	},
	{
		name: "multipart",
		steps: []step{
			{call: "s3.CreateMultipartUpload", in: `{"Bucket":"factory","Key":"m/parts"}`, want: `{"Bucket":"factory","Key":"m/parts"}`, save: "id=UploadId"},
			{call: "s3.UploadPart", in: `{"Bucket":"factory","Key":"m/parts","UploadId":"${id}","PartNumber":1,"Body":"only part"}`, save: "etag=ETag"},
			{call: "s3.ListParts", in: `{"Bucket":"factory","Key":"m/parts","UploadId":"${id}"}`, want: `{"Parts":[{"PartNumber":1,"ETag":"${etag}","Size":9}]}`},
			{call: "s3.CompleteMultipartUpload", in: `{"Bucket":"factory","Key":"m/parts","UploadId":"${id}","MultipartUpload":{"Parts":[{"PartNumber":1,"ETag":"${etag}"}]}}`, want: `{"ETag":"~\"[0-9a-f]{32}-1\""}`},
			{call: "s3.GetObject", in: `{"Bucket":"factory","Key":"m/parts"}`, want: `{"Body":"only part"}`},
			{call: "s3.CreateMultipartUpload", in: `{"Bucket":"factory","Key":"m/gone"}`, save: "id=UploadId"},
			{call: "s3.AbortMultipartUpload", in: `{"Bucket":"factory","Key":"m/gone","UploadId":"${id}"}`},
			{call: "s3.ListParts", in: `{"Bucket":"factory","Key":"m/gone","UploadId":"${id}"}`, err: "NoSuchUpload", status: 404},
		},
	},
	{
		name: "versions",
		steps: []step{
			{call: "s3.CreateBucket", in: `{"Bucket":"versioned"}`},
			{call: "s3.PutBucketVersioning", in: `{"Bucket":"versioned","VersioningConfiguration":{"Status":"Enabled"}}`},
			{call: "s3.GetBucketVersioning", in: `{"Bucket":"versioned"}`, want: `{"Status":"Enabled"}`},
			{call: "s3.PutObject", in: `{"Bucket":"versioned","Key":"v","Body":"one"}`, save: "one=VersionId"},
			{call: "s3.PutObject", in: `{"Bucket":"versioned","Key":"v","Body":"two"}`, save: "two=VersionId"},
			{call: "s3.GetObject", in: `{"Bucket":"versioned","Key":"v"}`, want: `{"Body":"two","VersionId":"${two}"}`},
			{call: "s3.GetObject", in: `{"Bucket":"versioned","Key":"v","VersionId":"${one}"}`, want: `{"Body":"one"}`},
			{call: "s3.DeleteObject", in: `{"Bucket":"versioned","Key":"v"}`, want: `{"DeleteMarker":true}`, save: "marker=VersionId"},
			{call: "s3.GetObject", in: `{"Bucket":"versioned","Key":"v"}`, err: "NoSuchKey", status: 404},
			{call: "s3.ListObjectVersions", in: `{"Bucket":"versioned","Prefix":"v"}`, want: `{"Versions":[{"VersionId":"${two}","IsLatest":false},{"VersionId":"${one}"}],"DeleteMarkers":[{"VersionId":"${marker}","IsLatest":true}]}`},
			{call: "s3.DeleteObject", in: `{"Bucket":"versioned","Key":"v","VersionId":"${marker}"}`},
			{call: "s3.GetObject", in: `{"Bucket":"versioned","Key":"v"}`, want: `{"Body":"two"}`},
		},
	},
}
