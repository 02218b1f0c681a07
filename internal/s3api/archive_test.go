package s3api

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
)

// TestArchive: beside a server that runs, Verify finds all that was stored to
// be whole, and names an object whose file is changed, cut or gone.
func TestArchive(t *testing.T) {
	e := start(t)
	dir := e.dir()
	put := func(key string, body []byte) {
		t.Helper()
		if _, err := e.PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: &key, Body: bytes.NewReader(body)}); err != nil {
			t.Fatal(err)
		}
	}
	put("empty", nil)
	put("small", []byte("hello"))
	put("a/large", bytes.Repeat([]byte("0123456789"), 100_000))
	e.multipart(t, "parts")
	if _, err := e.CopyObject(e.ctx, &s3.CopyObjectInput{Bucket: aws.String("bkt"), Key: aws.String("copy"), CopySource: aws.String("bkt/parts")}); err != nil {
		t.Fatal(err)
	}
	a, err := OpenArchive(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	verify := func() (damaged []string) {
		t.Helper()
		v, err := a.Verify(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if v.Objects != 5 || v.Bytes < 11_000_000 {
			t.Errorf("verified %d objects with %d bytes", v.Objects, v.Bytes)
		}
		for _, d := range v.Damaged {
			damaged = append(damaged, d.Object+" "+d.Problem)
		}
		return damaged
	}
	if got := verify(); got != nil {
		t.Errorf("damaged: %q", got)
	}
	files := 0
	for name, err := range a.Blobs(e.ctx) {
		if err != nil {
			t.Fatal(err)
		}
		files++
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if files < 4 {
		t.Errorf("%d files", files)
	}

	o, err := getObject(e.store.read(e.ctx), "bkt", "a/large", "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "blobs", blobName(o.body[0].blob))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		damage func() error
		says   string
	}{
		"flipped": {func() error {
			data := bytes.Clone(whole)
			data[len(data)/2] ^= 1
			return os.WriteFile(file, data, 0o600)
		}, "have the ETag"},
		"cut":     {func() error { return os.Truncate(file, 1000) }, "shorter"},
		"emptied": {func() error { return os.Truncate(file, 0) }, "shorter"},
		"removed": {func() error { return os.Remove(file) }, "no such file"},
	} {
		if err := tt.damage(); err != nil {
			t.Fatal(err)
		}
		if got := verify(); len(got) != 1 || !strings.HasPrefix(got[0], "s3://bkt/a/large?versionId=null ") || !strings.Contains(got[0], tt.says) {
			t.Errorf("%s: %q, want %s", name, got, tt.says)
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenArchive(t.TempDir()); err == nil {
		t.Error("an archive of nothing")
	}
}

// dir returns the folder of the store.
func (e *env) dir() string { return filepath.Dir(e.store.blobs.root.Name()) }

// multipart makes an object of two parts.
func (e *env) multipart(t *testing.T, key string) {
	t.Helper()
	up, err := e.CreateMultipartUpload(e.ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String("bkt"), Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	var parts []types.CompletedPart
	for n := range int32(2) {
		body := bytes.Repeat([]byte{byte(n)}, 5<<20+int(n))
		p, err := e.UploadPart(e.ctx, &s3.UploadPartInput{Bucket: aws.String("bkt"), Key: &key, UploadId: up.UploadId,
			PartNumber: aws.Int32(n + 1), Body: bytes.NewReader(body)})
		if err != nil {
			t.Fatal(err)
		}
		sum := md5.Sum(body)
		if diff := cmp.Diff(fmt.Sprintf("%q", hex.EncodeToString(sum[:])), *p.ETag); diff != "" {
			t.Errorf("part (-want +got):\n%s", diff)
		}
		parts = append(parts, types.CompletedPart{ETag: p.ETag, PartNumber: aws.Int32(n + 1)})
	}
	_, err = e.CompleteMultipartUpload(e.ctx, &s3.CompleteMultipartUploadInput{Bucket: aws.String("bkt"), Key: &key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestArchiveSnapshot: a snapshot beside writers opens as a store with what was
// there.
func TestArchiveSnapshot(t *testing.T) {
	e := start(t)
	if _, err := e.PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String("k"), Body: strings.NewReader("hello")}); err != nil {
		t.Fatal(err)
	}
	a, err := OpenArchive(e.dir())
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	to := t.TempDir()
	if err := os.CopyFS(filepath.Join(to, "blobs"), os.DirFS(filepath.Join(e.dir(), "blobs"))); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the file is there
		err = a.Snapshot(e.ctx, filepath.Join(to, "s3.db"))
	}
	if err == nil {
		t.Error("a snapshot over a snapshot")
	}
	copied := openStore(t, to, Options{SweepEvery: time.Hour})
	o, err := getObject(copied.read(e.ctx), "bkt", "k", "")
	if err != nil || o.size != 5 {
		t.Errorf("object = %+v, %v", o, err)
	}
}
