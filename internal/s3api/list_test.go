package s3api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// fill stores empty objects under the keys, in one transaction.
func (e *env) fill(keys ...string) {
	e.t.Helper()
	err := e.store.update(e.ctx, func(t *tx) error {
		for _, key := range keys {
			if _, err := t.insertObject(&object{bucket: "bkt", key: key}, condition{}, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		e.t.Fatal(err)
	}
}

// expected is what a whole list must be: keys and prefixes in order.
func expected(keys []string, prefix, delimiter, after string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	var out []string
	for _, key := range slices.Compact(keys) {
		if !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if i := strings.Index(key[len(prefix):], delimiter); delimiter != "" && i >= 0 {
			key = key[:len(prefix)+i+len(delimiter)]
			if key == after {
				continue
			}
		}
		if len(out) == 0 || out[len(out)-1] != key {
			out = append(out, key)
		}
	}
	return out
}

// TestListModel compares every kind of list, page by page, with a plain
// reading of what it should be.
func TestListModel(t *testing.T) {
	e := start(t)
	var used []string
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringOfN(rapid.SampledFrom([]rune("ab/é\U0010FFFF")), 1, 6, -1)
		if len(used) < 300 {
			keys := rapid.SliceOfN(word, 1, 20).Draw(rt, "keys")
			e.fill(keys...)
			used = append(used, keys...)
		}
		prefix := rapid.SampledFrom([]string{"", "a", "a/", "/", "é", "b/a", "zz"}).Draw(rt, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "a", "é", "/a"}).Draw(rt, "delimiter")
		after := rapid.OneOf(rapid.Just(""), word).Draw(rt, "after")
		limit := rapid.IntRange(1, 30).Draw(rt, "limit")
		versions := rapid.Bool().Draw(rt, "versions")
		l := listing{bucket: "bkt", prefix: prefix, delimiter: delimiter, after: after, limit: limit, versions: versions}
		var got []string
		for {
			p, err := e.store.list(e.ctx, l)
			if err != nil {
				rt.Fatal(err)
			}
			var page []string
			for _, o := range p.objects {
				page = append(page, o.key)
			}
			page = append(page, p.prefixes...)
			slices.Sort(page)
			got = append(got, page...)
			if len(page) > limit || p.more && len(page) != limit {
				rt.Fatalf("a page of %d entries, limit %d, more %v", len(page), limit, p.more)
			}
			if !p.more {
				break
			}
			l.after, l.afterID = p.next, p.nextID
		}
		if diff := cmp.Diff(expected(used, prefix, delimiter, after), got); diff != "" {
			rt.Fatalf("prefix %q delimiter %q after %q (-want +got):\n%s", prefix, delimiter, after, diff)
		}
	})
}

// TestListVersionsPages walks versions with pages of every size, so that pages
// begin in the middle of a key's versions.
func TestListVersionsPages(t *testing.T) {
	e := start(t)
	if err := e.store.SetVersioning(e.ctx, "bkt", true); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e.fill("a", "b/1", "b/2", "c")
	}
	for _, delimiter := range []string{"", "/"} {
		var whole []string
		for size := int32(20); size > 0; size-- {
			in := &s3.ListObjectVersionsInput{Bucket: aws.String("bkt"), MaxKeys: &size, Delimiter: &delimiter}
			var got []string
			for {
				out := check[*s3.ListObjectVersionsOutput](t)(e.ListObjectVersions(e.ctx, in))
				for _, v := range out.Versions {
					got = append(got, *v.Key+" "+*v.VersionId)
				}
				for _, p := range out.CommonPrefixes {
					got = append(got, *p.Prefix)
				}
				if !*out.IsTruncated {
					break
				}
				in.KeyMarker, in.VersionIdMarker = out.NextKeyMarker, out.NextVersionIdMarker
			}
			slices.Sort(got)
			if whole == nil {
				whole = got
			}
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Fatalf("pages of %d, delimiter %q (-want +got):\n%s", size, delimiter, diff)
			}
		}
		if want := map[string]int{"": 12, "/": 7}[delimiter]; len(whole) != want {
			t.Errorf("delimiter %q: %d entries, want %d", delimiter, len(whole), want)
		}
	}
}

// TestListByMarker walks version 1 of the list as old clients do.
func TestListByMarker(t *testing.T) {
	e := start(t)
	e.fill("a", "b/1", "b/2", "c", "d/1")
	in := &s3.ListObjectsInput{Bucket: aws.String("bkt"), MaxKeys: aws.Int32(1), Delimiter: aws.String("/")}
	var got []string
	for {
		out := check[*s3.ListObjectsOutput](t)(e.ListObjects(e.ctx, in))
		for _, o := range out.Contents {
			got = append(got, *o.Key)
		}
		for _, p := range out.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
		if !*out.IsTruncated {
			break
		}
		in.Marker = out.NextMarker
	}
	if diff := cmp.Diff([]string{"a", "b/", "c", "d/"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestListSkipsLongPrefixes: a common prefix of many keys costs a few look-ups
// and not a walk.
func TestListSkipsLongPrefixes(t *testing.T) {
	e := start(t)
	var keys []string
	for i := range 5000 {
		keys = append(keys, fmt.Sprintf("p%d/%05d", i%5, i))
	}
	e.fill(keys...)
	p, err := e.store.list(e.ctx, listing{bucket: "bkt", delimiter: "/", limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"p0/", "p1/", "p2/", "p3/", "p4/"}, p.prefixes); diff != "" || p.more {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestListUsesIndexes: no list reads more of the table than its page.
func TestListUsesIndexes(t *testing.T) {
	e := start(t)
	for _, query := range []string{latestQuery, versionsQuery} {
		rows, err := e.store.r.Query("EXPLAIN QUERY PLAN "+query, "bkt", "a", false, "b", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var a, b, c any
			var plan string
			if err := rows.Scan(&a, &b, &c, &plan); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(plan, "(bucket=? AND key>? AND key<?)") {
				t.Errorf("plan %q of %s", plan, query)
			}
		}
	}
}

func TestLaterSchema(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{})
	if _, err := s.w.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "later fovea") {
		t.Errorf("err = %v", err)
	}
}
