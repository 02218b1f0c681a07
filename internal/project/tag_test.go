package project_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/project"
)

// TestTags (CL-11.41, CL-11.43, CL-11.46): tags are added and overwritten, keys
// that are not there are passed over, too many change nothing, and all go with
// the resource.
func TestTags(t *testing.T) {
	ctx := context.Background()
	o := newOps(t, 0)
	name := func(p *fovea.Project) string { return fmt.Sprint("arn of ", p.ID) }
	p, err := o.Create(ctx, key("p"), map[string]string{"team": "3"}, name)
	if err != nil {
		t.Fatal(err)
	}
	r := project.Resource{Name: name(p), Project: key("p"), Is: func(created time.Time) bool { return created.Equal(p.Created) }}
	expect := func(what string, want map[string]string) {
		t.Helper()
		if got, err := o.Tags(ctx, r); err != nil || !cmp.Equal(want, got) {
			t.Errorf("%s: %v, %v, want %v", what, got, err, want)
		}
	}
	expect("at creation", map[string]string{"team": "3"})
	if err := o.Tag(ctx, r, map[string]string{"team": "4", "Team": ""}); err != nil {
		t.Fatal(err)
	}
	expect("tagged", map[string]string{"team": "4", "Team": ""})
	if err := o.Untag(ctx, r, []string{"team", "never there"}); err != nil {
		t.Fatal(err)
	}
	expect("untagged", map[string]string{"Team": ""})

	many := map[string]string{}
	for i := range 200 {
		many[fmt.Sprint(i)] = "v"
	}
	if err := o.Tag(ctx, r, many); fovea.KindOf(err) != fovea.Quota || err == nil {
		t.Errorf("201 tags: %v", err)
	}
	expect("after too many", map[string]string{"Team": ""})
	many["Team"] = "v"
	delete(many, "7")
	if err := o.Tag(ctx, r, many); err != nil {
		t.Errorf("200 tags, one of which is there: %v", err)
	}

	later := r
	later.Is = func(time.Time) bool { return false } // one that had the name before
	if err := o.Tag(ctx, later, map[string]string{"a": "b"}); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("another one of the name: %v", err)
	}
	other := r
	other.Split = fovea.Test
	if _, err := o.Tags(ctx, other); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("a dataset that is not there: %v", err)
	}

	if _, err := o.Delete(ctx, key("p"), nil, name); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Tags(ctx, r); fovea.KindOf(err) != fovea.NotFound {
		t.Errorf("a project that is gone: %v", err)
	}
	err = o.Store.View(ctx, func(tx fovea.Tx) error {
		if left, err := tx.Tags(r.Name); err != nil || len(left) > 0 {
			t.Errorf("the project is gone, and has the tags %v, %v", left, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
