// Package certificate signs statements with the key of a server, and checks
// the signatures.
//
// What is signed are bytes that anybody can make again from the file: see
// Message. The package does not know what a statement says.
package certificate

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fovea/internal/manifest"
)

// Algorithm is the only one: Ed25519 of RFC 8032, without a hash before it.
const Algorithm = "Ed25519"

// context keeps the signatures of certificates apart from all others that the
// key may ever make.
const context = "fovea.certificate/1"

// MaxStatement is how many bytes a statement may have: what the call that has
// it signed takes.
const MaxStatement = 1 << 20

// A Signature says who signed a statement, and when.
type Signature struct {
	Algorithm string `json:"algorithm"`
	Key       string `json:"key"`    // the public key, 32 bytes in base64
	KeyID     string `json:"key_id"` // KeyID of Key
	Signed    string `json:"signed"` // RFC 3339 in UTC, by the clock of the server
	Value     string `json:"value"`  // 64 bytes in base64
}

// A File is a certificate as it is kept.
type File struct {
	Statement json.RawMessage `json:"statement"`
	Signature Signature       `json:"signature"`
}

// KeyID returns the name of a public key for people to compare: the first 16
// digits of its SHA-256 in hexadecimal.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// Canonical returns a statement as it is signed: a JSON object as it was
// written, key by key and digit by digit, without the white space between its
// tokens. So a file may be indented, or not, and stays good.
func Canonical(statement []byte) ([]byte, error) {
	if len(statement) > MaxStatement {
		return nil, fmt.Errorf("the statement has %d bytes, more than %d", len(statement), MaxStatement)
	}
	var doc manifest.Doc
	if e := doc.Parse(statement, 0); e != nil {
		return nil, fmt.Errorf("the statement is not a JSON object: found %s, expected %s", e.Found, e.Want)
	}
	return manifest.AppendCompact(nil, &doc), nil
}

// Message returns the bytes that are signed: the line "fovea.certificate/1",
// the line of the time of signing as the signature has it, and the canonical
// statement. Lines end with LF; nothing follows the statement.
func Message(statement []byte, signed string) ([]byte, error) {
	canonical, err := Canonical(statement)
	if err != nil {
		return nil, err
	}
	return append([]byte(context+"\n"+signed+"\n"), canonical...), nil
}

// Sign returns the signature of a statement.
func Sign(key ed25519.PrivateKey, statement []byte, now time.Time) (Signature, error) {
	public := key.Public().(ed25519.PublicKey)
	s := Signature{
		Algorithm: Algorithm, Key: base64.StdEncoding.EncodeToString(public), KeyID: KeyID(public),
		Signed: now.UTC().Format(time.RFC3339),
	}
	message, err := Message(statement, s.Signed)
	if err != nil {
		return Signature{}, err
	}
	s.Value = base64.StdEncoding.EncodeToString(ed25519.Sign(key, message))
	return s, nil
}

// ErrForged says that a statement is not what the key has signed.
var ErrForged = errors.New("the signature is not good: the certificate has been changed since it was signed")

// ErrOtherKey says that a certificate claims to be signed with another key than
// the one that is trusted.
var ErrOtherKey = errors.New("the certificate is of another server, or has been changed")

// Check reports whether the key, which the caller trusts, has signed the
// statement. The key that the signature names only has to be the same.
func (s Signature) Check(key ed25519.PublicKey, statement []byte) error {
	if s.Algorithm != Algorithm {
		return fmt.Errorf("%w (it is of the algorithm %q, not %s)", ErrForged, s.Algorithm, Algorithm)
	}
	if named, err := ParseKey(s.Key); err != nil || !key.Equal(named) || s.KeyID != KeyID(key) {
		return fmt.Errorf("%w: it is signed with the key %s, and the one that is trusted is %s", ErrOtherKey, s.KeyID, KeyID(key))
	}
	value, err := base64.StdEncoding.DecodeString(s.Value)
	if err != nil || len(value) != ed25519.SignatureSize {
		return fmt.Errorf("%w (its value is not %d bytes in base64)", ErrForged, ed25519.SignatureSize)
	}
	message, err := Message(statement, s.Signed)
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, message, value) {
		return ErrForged
	}
	return nil
}

// ParseKey reads a public key as signatures have it.
func ParseKey(text string) (ed25519.PublicKey, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%q is not a public key: %d bytes in base64", text, ed25519.PublicKeySize)
	}
	return key, nil
}
