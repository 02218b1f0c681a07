package project_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fovea"
	"fovea/internal/project"
	"fovea/internal/sqlstore"
)

func newOps(t *testing.T, limit int) *project.Ops {
	t.Helper()
	store, err := sqlstore.Open(context.Background(), "sqlite:"+t.TempDir()+"/fovea.db", sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &project.Ops{
		Store: store, Pager: &fovea.Pager{Key: []byte("k"), Now: time.Now},
		Profiles: map[fovea.Service]fovea.Profile{fovea.Lookout: {Limits: fovea.Limits{Projects: limit}}},
	}
}

func key(name string) fovea.ProjectKey {
	return fovea.ProjectKey{Service: fovea.Lookout, Account: "123456789012", Region: "us-east-1", Name: name}
}

// TestNames (CL-2.11 to CL-2.13): a name is free again after deletion, is
// compared with case, and a new project of it is told from the old.
func TestNames(t *testing.T) {
	ctx := context.Background()
	o := newOps(t, 0)
	now := time.Now()
	o.Now = func() time.Time { return now } // the clock stands still
	first, err := o.Create(ctx, key("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Create(ctx, key("p"), nil, nil); fovea.KindOf(err) != fovea.Exists {
		t.Errorf("second project of a name: %v", err)
	}
	if _, err := o.Create(ctx, key("P"), nil, nil); err != nil {
		t.Errorf("other case: %v", err)
	}
	if _, err := o.Delete(ctx, key("p"), nil, nil); err != nil {
		t.Fatal(err)
	}
	again, err := o.Create(ctx, key("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID == first.ID || !again.Created.After(first.Created) {
		t.Errorf("a project and the next of its name: %+v %+v (CL-3.9)", first, again)
	}
	_, err = o.Delete(ctx, key("p"), func(p *fovea.Project) bool { return p.Created.Equal(first.Created) }, nil)
	if fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("delete of the old one of the name: %v", err)
	}
}

// TestDeleteWithDataset (CL-2.20, LV-2.12).
func TestDeleteWithDataset(t *testing.T) {
	ctx := context.Background()
	o := newOps(t, 0)
	p, err := o.Create(ctx, key("p"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ds := &fovea.Dataset{ID: 1, Project: p.ID, Split: fovea.Test, Created: p.Created, Updated: p.Created, Status: fovea.CreateFailed, Source: fovea.FromManifest}
	if err := o.Store.Update(ctx, func(tx fovea.Tx) error { return tx.PutDataset(ds) }); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Delete(ctx, key("p"), nil, nil); fovea.KindOf(err) != fovea.InUse {
		t.Errorf("delete with a dataset: %v", err)
	}
}

// TestList walks projects in pages of every size while others come and go.
func TestList(t *testing.T) {
	ctx := context.Background()
	o := newOps(t, 0)
	var want []string
	for i := range 23 {
		p, err := o.Create(ctx, key(fmt.Sprintf("p%02d", i)), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, p.Name)
	}
	slices.Reverse(want)
	all := key("")
	for _, names := range [][]string{nil, append([]string{"none", "p03"}, want...)} {
		for size := 1; size <= 24; size++ {
			var got []string
			for token := ""; ; {
				list, next, err := o.List(ctx, project.Query{Key: all, Names: names, Token: token, Max: size})
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range list {
					got = append(got, p.Name)
				}
				if token = next; token == "" {
					break
				}
				// What comes while a client pages does not move what was there (LV-2.102).
				name := fmt.Sprintf("new-%d-%d", size, len(got))
				if _, err := o.Create(ctx, key(name), nil, nil); err != nil {
					t.Fatal(err)
				}
				if _, err := o.Delete(ctx, key(name), nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("names %v, pages of %d: %v, want %v", names != nil, size, got, want)
			}
		}
	}
}

// TestLimit: one project too many is refused, and one more fits when one goes.
func TestLimit(t *testing.T) {
	ctx := context.Background()
	o := newOps(t, 2)
	for _, tt := range []struct {
		name string
		want error
	}{{"a", nil}, {"b", nil}} {
		if _, err := o.Create(ctx, key(tt.name), nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.Create(ctx, key("c"), nil, nil); fovea.KindOf(err) != fovea.Quota {
		t.Errorf("third project: %v", err)
	}
	if _, err := o.Delete(ctx, key("a"), nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Create(ctx, key("c"), nil, nil); err != nil {
		t.Errorf("after one went: %v", err)
	}
}
