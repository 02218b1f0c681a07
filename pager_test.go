package fovea_test

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"fovea"
)

// TestPager (CL-2.5, LV-1.47, LV-2.101, LV-2.102).
func TestPager(t *testing.T) {
	now := time.UnixMilli(1e12)
	p := &fovea.Pager{Key: []byte("key"), Now: func() time.Time { return now }}
	position := strings.Repeat("\xff", 699)
	token := p.Issue("scope", []byte(position))
	if len(token) > 1024 || !regexp.MustCompile(`^[a-zA-Z0-9+/=]+$`).MatchString(token) {
		t.Errorf("a token has %d characters: %s", len(token), token)
	}
	if got, err := p.Open("scope", token); err != nil || string(got) != position {
		t.Errorf("%q, %v", got, err)
	}
	raw, _ := base64.StdEncoding.DecodeString(token)
	for name, bad := range map[string]string{
		"empty": "", "no base64": "%%%", "short": base64.StdEncoding.EncodeToString(raw[:19]), "cut": token[:len(token)-4],
		"longer": base64.StdEncoding.EncodeToString(append(raw, 0)), "another alphabet": strings.ReplaceAll(token, "/", "_"),
	} {
		if _, err := p.Open("scope", bad); fovea.KindOf(err) != fovea.BadToken {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	for i := range raw { // nobody moves the position, or the time of issue
		raw[i] ^= 1
		if _, err := p.Open("scope", base64.StdEncoding.EncodeToString(raw)); err == nil {
			t.Fatalf("byte %d can be changed", i)
		}
		raw[i] ^= 1
	}
	if _, err := p.Open("scop", token); fovea.KindOf(err) != fovea.BadToken {
		t.Errorf("another scope: err = %v", err)
	}
	other := &fovea.Pager{Key: []byte("other"), Now: p.Now}
	if _, err := other.Open("scope", token); fovea.KindOf(err) != fovea.BadToken {
		t.Errorf("another installation: err = %v", err)
	}
	now = now.Add(fovea.PageLife)
	if _, err := p.Open("scope", token); err != nil {
		t.Errorf("after 24 hours: %v", err)
	}
	now = now.Add(time.Second)
	if _, err := p.Open("scope", token); fovea.KindOf(err) != fovea.BadToken {
		t.Errorf("after more: err = %v", err)
	}
	// A clock that was set back does not make tokens bad.
	now = now.Add(-48 * time.Hour)
	if _, err := p.Open("scope", token); err != nil {
		t.Errorf("before it was issued: %v", err)
	}
}

// TestPagerScopes: scope and position do not run into each other.
func TestPagerScopes(t *testing.T) {
	p := &fovea.Pager{Key: []byte("key"), Now: func() time.Time { return time.UnixMilli(1e12) }}
	a, b := p.Issue("ab", []byte("c")), p.Issue("a", []byte("bc"))
	if _, err := p.Open("a", a); err == nil {
		t.Error("a token of ab is good for a")
	}
	if _, err := p.Open("ab", b); err == nil {
		t.Error("a token of a is good for ab")
	}
}
