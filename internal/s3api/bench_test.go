package s3api

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fovea/internal/sigv4"
)

func BenchmarkPut(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			e := start(b)
			data := noise(size)
			b.SetBytes(int64(size))
			i := 0
			for b.Loop() {
				i++
				if _, err := e.PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String(fmt.Sprint("k", i%100)), Body: bytes.NewReader(data)}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPutParallel(b *testing.B) {
	e := start(b)
	data := noise(2 << 10)
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := e.PutObject(e.ctx, &s3.PutObjectInput{Bucket: aws.String("bkt"), Key: aws.String(fmt.Sprint("k", i%100)), Body: bytes.NewReader(data)}); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{2 << 10, 64 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			e := start(b)
			write(b, e.store, "k", string(noise(size)))
			b.SetBytes(int64(size))
			for b.Loop() {
				r, _ := http.NewRequest("GET", e.url+"/bkt/k", nil)
				sigv4.Sign(r, sigv4.Scope{KeyID: testKey, Region: "us-east-1", Service: "s3"}, testSecret, hashOf(""), time.Now())
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); n != int64(size) || err != nil {
					b.Fatal(n, err)
				}
				resp.Body.Close()
			}
		})
	}
}
