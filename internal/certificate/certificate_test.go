package certificate

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

var when = time.Date(2026, 11, 22, 10, 20, 30, 0, time.FixedZone("", 3600))

func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

// TestMessage states the bytes that are signed, as docs/migrating.md does.
func TestMessage(t *testing.T) {
	got, err := Message([]byte(" { \"b\" : 1.50,\n \"a\" : [ \"x y\\u003c\" ] } \n"), "2026-11-22T09:20:30Z")
	want := "fovea.certificate/1\n2026-11-22T09:20:30Z\n{\"b\":1.50,\"a\":[\"x y\\u003c\"]}"
	if err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, bad := range []string{"", "[]", "{", `{"a":1}{}`, `{"a":"` + strings.Repeat("x", MaxStatement) + `"}`} {
		if _, err := Message([]byte(bad), ""); err == nil {
			t.Errorf("a message of %.20q", bad)
		}
	}
}

func TestSign(t *testing.T) {
	key := testKey(1)
	public := key.Public().(ed25519.PublicKey)
	statement := []byte(`{"project":"parts","entries":63}`)
	s, err := Sign(key, statement, when)
	if err != nil || s.Signed != "2026-11-22T09:20:30Z" {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := s.Check(public, statement); err != nil {
		t.Errorf("as signed: %v", err)
	}
	var indented bytes.Buffer
	json.Indent(&indented, statement, "", "\t")
	if err := s.Check(public, indented.Bytes()); err != nil {
		t.Errorf("indented: %v", err)
	}
	for name, tt := range map[string]struct {
		edit      func(*Signature)
		statement string
		key       ed25519.PublicKey
		forged    bool
	}{
		"another statement":  {statement: `{"project":"parts","entries":64}`, forged: true},
		"another order":      {statement: `{"entries":63,"project":"parts"}`, forged: true},
		"a key twice":        {statement: `{"project":"parts","entries":63,"entries":63}`, forged: true},
		"another time":       {edit: func(s *Signature) { s.Signed = "2026-11-22T09:20:31Z" }, forged: true},
		"a line in the time": {edit: func(s *Signature) { s.Signed += "\n" }, forged: true},
		"no value":           {edit: func(s *Signature) { s.Value = "" }, forged: true},
		"a value cut off":    {edit: func(s *Signature) { s.Value = s.Value[:20] }, forged: true},
		"another algorithm":  {edit: func(s *Signature) { s.Algorithm = "none" }, forged: true},
		"another server":     {key: testKey(2).Public().(ed25519.PublicKey)},
		"another key id":     {edit: func(s *Signature) { s.KeyID = "0000000000000000" }},
		"signed by another":  {edit: func(s *Signature) { *s, _ = Sign(testKey(2), statement, when) }},
		"not JSON":           {statement: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			s := s
			if tt.edit != nil {
				tt.edit(&s)
			}
			text, by := statement, public
			if tt.statement != "" {
				text = []byte(tt.statement)
			}
			if tt.key != nil {
				by = tt.key
			}
			err := s.Check(by, text)
			if err == nil || errors.Is(err, ErrForged) != tt.forged {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	s, err := Sign(testKey(1), []byte(`{"a":[1,2]}`), when)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"a":[1,2]}`), s.Signed, s.Value)
	f.Add([]byte("{\"a\": [1 ,2]}\n"), s.Signed, s.Value)
	f.Add([]byte(`{"a":[1,3]}`), s.Signed, "")
	f.Fuzz(func(t *testing.T, statement []byte, signed, value string) {
		other := s
		other.Signed, other.Value = signed, value
		if other.Check(testKey(1).Public().(ed25519.PublicKey), statement) != nil {
			return
		}
		canonical, err := Canonical(statement)
		if err != nil || string(canonical) != `{"a":[1,2]}` || signed != s.Signed {
			t.Errorf("%q of %q is good", statement, signed)
		}
	})
}
