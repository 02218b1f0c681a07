package s3api

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// client runs a program as a user of AWS would, with this server as its S3.
func (e *env) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+testKey, "AWS_SECRET_ACCESS_KEY="+testSecret, "AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1", "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "FOVEA_TEST_URL="+e.url)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, &out, &errs)
	}
	return out.String()
}

// TestCLI runs the AWS CLI's own commands for S3 (of Debian's package).
func TestCLI(t *testing.T) {
	const bin = "/usr/bin/aws"
	if _, err := os.Stat(bin); err != nil || testing.Short() {
		t.Skipf("needs %s of the package awscli, and no -short", bin)
	}
	e := start(t)
	dir := t.TempDir()
	aws := func(args ...string) string {
		t.Helper()
		return e.run(t, bin, append([]string{"--endpoint-url", e.url}, args...)...)
	}
	files := map[string][]byte{"a.txt": []byte("a"), "dir/b c+d.txt": []byte("b"), "dir/ü.bin": noise(9 << 20), "empty": nil}
	for name, data := range files {
		os.MkdirAll(filepath.Join(dir, "src", filepath.Dir(name)), 0o700)
		if err := os.WriteFile(filepath.Join(dir, "src", name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	aws("s3", "mb", "s3://clibucket")
	if out := aws("s3", "sync", filepath.Join(dir, "src"), "s3://clibucket/p"); strings.Count(out, "upload:") != 4 {
		t.Errorf("sync: %s", out)
	}
	if out := aws("s3", "sync", filepath.Join(dir, "src"), "s3://clibucket/p"); strings.Contains(out, "upload:") {
		t.Errorf("sync again: %s", out)
	}
	aws("s3", "cp", "--recursive", "s3://clibucket/p", filepath.Join(dir, "back"))
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, "back", name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s came back as %d bytes, %v", name, len(got), err)
		}
	}
	if out := aws("s3", "ls", "s3://clibucket/p/"); !strings.Contains(out, "PRE dir/") || !strings.Contains(out, "a.txt") {
		t.Errorf("ls: %s", out)
	}
	url := strings.TrimSpace(aws("s3", "presign", "s3://clibucket/p/dir/b c+d.txt"))
	resp := check[*http.Response](t)(http.Get(url))
	defer resp.Body.Close()
	if data, _ := io.ReadAll(resp.Body); string(data) != "b" {
		t.Errorf("presigned %s: %d %s", url, resp.StatusCode, data)
	}
	aws("s3", "rm", "--recursive", "s3://clibucket/p")
	if out := aws("s3", "rb", "s3://clibucket"); !strings.Contains(out, "remove_bucket: clibucket") {
		t.Errorf("rb: %s", out)
	}
}

// TestBoto3 runs boto3's transfer manager, which uploads and downloads in
// parts and in parallel, and its paginators.
func TestBoto3(t *testing.T) {
	const bin = "/usr/bin/python3"
	if err := exec.Command(bin, "-c", "import boto3").Run(); err != nil || testing.Short() {
		t.Skipf("needs %s with the package python3-boto3, and no -short", bin)
	}
	e := start(t)
	out := e.run(t, bin, "-c", `
import boto3, botocore.config, hashlib, io, os
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
s3 = boto3.client("s3", endpoint_url=os.environ["FOVEA_TEST_URL"])
data = os.urandom(1 << 20) * 23
config = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20, max_concurrency=4)
s3.upload_fileobj(io.BytesIO(data), "bkt", "big é/+", ExtraArgs={"Metadata": {"k": "v"}, "ContentType": "image/png"}, Config=config)
back = io.BytesIO()
s3.download_fileobj("bkt", "big é/+", back, Config=config)
assert back.getvalue() == data
head = s3.head_object(Bucket="bkt", Key="big é/+")
assert head["ETag"].endswith('-5"') and head["Metadata"] == {"k": "v"} and head["ContentType"] == "image/png", head
s3.copy({"Bucket": "bkt", "Key": "big é/+"}, "bkt", "copied", Config=config)
assert hashlib.md5(s3.get_object(Bucket="bkt", Key="copied")["Body"].read()).digest() == hashlib.md5(data).digest()
for i in range(25):
    s3.put_object(Bucket="bkt", Key="n/%02d" % i, Body=b"x", ChecksumAlgorithm="CRC32")
pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="bkt", Prefix="n/", PaginationConfig={"PageSize": 10}))
assert [len(p["Contents"]) for p in pages] == [10, 10, 5]
one = boto3.client("s3", endpoint_url=os.environ["FOVEA_TEST_URL"], config=botocore.config.Config(max_pool_connections=1, read_timeout=5, retries={"total_max_attempts": 1}))
for i in range(3): # empty objects, after which boto3 uses its connection again
    one.put_object(Bucket="bkt", Key="empty", Body=b"")
    one.upload_fileobj(io.BytesIO(b""), "bkt", "empty")
    assert one.get_object(Bucket="bkt", Key="big é/+", Range="bytes=0-9")["Body"].read() == data[:10]
    try:
        one.head_object(Bucket="bkt", Key="missing")
        assert False
    except ClientError as e:
        assert e.response["Error"]["Code"] == "404"
s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration={"Status": "Enabled"})
s3.put_object(Bucket="bkt", Key="n/00", Body=b"y")
versions = s3.list_object_versions(Bucket="bkt", Prefix="n/00")["Versions"]
assert [v["IsLatest"] for v in versions] == [True, False] and versions[1]["VersionId"] == "null", versions
try:
    s3.get_object(Bucket="bkt", Key="missing")
except s3.exceptions.NoSuchKey as e:
    assert e.response["ResponseMetadata"]["RequestId"]
try:
    s3.head_object(Bucket="bkt", Key="missing")
except ClientError as e:
    assert e.response["Error"]["Code"] == "404"
print("done")
`)
	if out != "done\n" {
		t.Errorf("out = %s", out)
	}
}
