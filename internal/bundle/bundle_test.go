package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/certificate"
)

func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

var now = time.Unix(1_800_000_000, 0)

func write(t testing.TB, files ...Content) []byte {
	t.Helper()
	data, err := Write(testKey(1), json.RawMessage(`{ "model": "v1" }`), files, now)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRoundTrip(t *testing.T) {
	data := write(t, Content{"weights", []byte("abc")}, Content{"report", nil})
	b, err := Open(data, public(testKey(2)), public(testKey(1)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"weights": []byte("abc"), "report": {}}, b.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	var s struct{ Model string }
	if err := json.Unmarshal(b.Statement, &s); err != nil || s.Model != "v1" {
		t.Errorf("the statement is %s: %v", b.Statement, err)
	}
}

// T23: whatever byte of a bundle is changed, missing or too much, it is refused.
func TestHardeningT23TamperedBundles(t *testing.T) {
	data := write(t, Content{"weights", []byte("some numbers")}, Content{"report", []byte("{}")})
	key := public(testKey(1))
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if b, err := Open(changed, key); err == nil && !sameCertificate(t, data, changed) {
			t.Errorf("byte %d changed, %q, and it is taken: %s", i, changed[max(0, i-10):i+1], b.Statement)
		}
		if _, err := Open(data[:i], key); !errors.Is(err, ErrDamaged) {
			t.Errorf("the first %d bytes: %v", i, err)
		}
	}
	if _, err := Open(append(bytes.Clone(data), 0), key); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte too many: %v", err)
	}
	if _, err := Open(data, public(testKey(2))); !errors.Is(err, certificate.ErrOtherKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := Open(data); !errors.Is(err, certificate.ErrOtherKey) {
		t.Errorf("no key: %v", err)
	}
}

// sameCertificate reports whether two bundles have certificates that mean the
// same: JSON has more than one way to write a name.
func sameCertificate(t *testing.T, a, b []byte) bool {
	t.Helper()
	x, err := Peek(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := Peek(b)
	return err == nil && cmp.Equal(x, y)
}

// T23: what is signed, by a key that is trusted, may be nonsense all the same.
func TestHardeningT23SignedNonsense(t *testing.T) {
	key := testKey(1)
	sign := func(statement string, length int64, rest string) []byte {
		c := certificate.File{Statement: json.RawMessage(statement)}
		var err error
		if c.Signature, err = certificate.Sign(key, c.Statement, now); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if length < 0 {
			length = int64(len(text))
		}
		out := binary.LittleEndian.AppendUint32([]byte(magic), uint32(length))
		return append(append(out, text...), rest...)
	}
	const empty = `"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"`
	many := strings.Repeat(`{"name":"a","size":0,`+empty+`},`, MaxFiles) + `{"name":"b","size":0,` + empty + `}`
	for name, data := range map[string][]byte{
		"another form":    sign(`{"certificate":"fovea.migration/1","files":[{"name":"a","size":0,`+empty+`}]}`, -1, ""),
		"no files":        sign(`{"certificate":"fovea.model/1","files":[]}`, -1, ""),
		"too many files":  sign(`{"certificate":"fovea.model/1","files":[`+many+`]}`, -1, ""),
		"a file twice":    sign(`{"certificate":"fovea.model/1","files":[{"name":"a","size":0,`+empty+`},{"name":"a","size":0,`+empty+`}]}`, -1, ""),
		"less than none":  sign(`{"certificate":"fovea.model/1","files":[{"name":"a","size":-1,`+empty+`}]}`, -1, ""),
		"a giant":         sign(`{"certificate":"fovea.model/1","files":[{"name":"a","size":9223372036854775807,`+empty+`}]}`, -1, "x"),
		"wrong types":     sign(`{"certificate":"fovea.model/1","files":3}`, -1, ""),
		"no hash":         sign(`{"certificate":"fovea.model/1","files":[{"name":"a","size":1}]}`, -1, "x"),
		"a long head":     sign(`{"certificate":"fovea.model/1","files":[{"name":"a","size":0,`+empty+`}]}`, 1<<31, ""),
		"more after it":   sign(`{"certificate":"fovea.model/1","files":[{"name":"a","size":0,`+empty+`}]}`, -1, "x"),
		"no object":       sign(`{}`, -1, ""),
		"nothing":         nil,
		"only the magic":  []byte(magic),
		"a long name":     sign(`{"certificate":"fovea.model/1","files":[{"name":"`+strings.Repeat("a", maxName+1)+`","size":0,`+empty+`}]}`, -1, ""),
		"not even a name": sign(`{"certificate":"fovea.model/1","files":[{"name":"","size":0,`+empty+`}]}`, -1, ""),
	} {
		if _, err := Open(data, public(key)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStatements(t *testing.T) {
	for statement, want := range map[string]bool{`{}`: true, " {\n} ": true, `{"a":{"b":1}}`: true, ``: false, `3`: false, `{"a":1}}`: false} {
		data, err := Write(testKey(1), json.RawMessage(statement), []Content{{"a", nil}}, now)
		if err == nil {
			_, err = Open(data, public(testKey(1)))
		}
		if (err == nil) != want {
			t.Errorf("%q: %v", statement, err)
		}
	}
}

func TestTooLarge(t *testing.T) {
	if _, err := Write(testKey(1), json.RawMessage(`{"a":1}`), []Content{{"weights", make([]byte, MaxBytes)}}, now); err == nil {
		t.Error("a bundle that cannot be read is written")
	}
}

// FuzzOpen: whatever the bytes are, they are refused or are what was signed.
func FuzzOpen(f *testing.F) {
	good := write(f, Content{"weights", []byte("abc")}, Content{"report", []byte("{}")})
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(magic + "\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Open(data, public(testKey(1)))
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, certificate.ErrForged) && !errors.Is(err, certificate.ErrOtherKey) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if string(b.Files["weights"]) != "abc" || len(b.Files) != 2 {
			t.Errorf("files that nobody signed: %q", b.Files)
		}
	})
}
