// Package bundle keeps a trained model in one file that can be carried to
// another server: a statement that says what it is, the signature of the server
// that made it, and the files that the statement names by size and SHA-256. So
// the signature is good for all of it, and a bundle that was cut, extended or
// changed anywhere is none.
//
// The package knows the file and not what is in it: a signature says who made a
// model, and not that its numbers are sane. Who loads them checks them.
package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"fovea/internal/certificate"
)

// Form is the form of the statement of a bundle, and its version.
const Form = "fovea.model/1"

// The bytes of a bundle: the magic, the certificate with its length before it in
// four bytes, little-endian, and then the files, one after the other.
const magic = "fovea bundle 1\n"

// Bounds of a bundle.
const (
	MaxBytes = 64 << 20
	MaxFiles = 16
	maxName  = 64
)

// ErrDamaged is in the chain of the error for a file that is no whole bundle.
var ErrDamaged = errors.New("the bundle is damaged")

// A File is a file of a bundle, as its statement names it.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // in hexadecimal
}

// A Content is a file with its bytes.
type Content struct {
	Name string
	Data []byte
}

// head is what every statement begins with; the rest is its maker's.
type head struct {
	Form  string `json:"certificate"`
	Files []File `json:"files"`
}

// Write returns the bundle of files, signed with a key. Statement is a JSON
// object without the members certificate and files, which are added to it.
func Write(key ed25519.PrivateKey, statement json.RawMessage, files []Content, now time.Time) ([]byte, error) {
	h := head{Form: Form}
	total := len(magic)
	for _, f := range files {
		sum := sha256.Sum256(f.Data)
		h.Files = append(h.Files, File{f.Name, int64(len(f.Data)), hex.EncodeToString(sum[:])})
		total += len(f.Data)
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	begin, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	said, err := certificate.Canonical(statement)
	if err != nil {
		return nil, err
	}
	if said = said[1:]; len(said) > 1 { // than its last brace
		begin = append(begin[:len(begin)-1], ',')
		begin = append(begin, said...)
	}
	c := certificate.File{Statement: begin}
	if c.Signature, err = certificate.Sign(key, c.Statement, now); err != nil {
		return nil, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	if total += 4 + len(text); total > MaxBytes {
		return nil, fmt.Errorf("the bundle would have %d bytes, more than %d", total, MaxBytes)
	}
	out := binary.LittleEndian.AppendUint32(append(make([]byte, 0, total), magic...), uint32(len(text)))
	out = append(out, text...)
	for _, f := range files {
		out = append(out, f.Data...)
	}
	return out, nil
}

// check reports files that no bundle has.
func (h *head) check() error {
	if h.Form != Form {
		return fmt.Errorf("%w: its statement is of the form %.40q, and this program reads %s", ErrDamaged, h.Form, Form)
	}
	if len(h.Files) == 0 || len(h.Files) > MaxFiles {
		return fmt.Errorf("%w: it names %d files; there are 1 to %d", ErrDamaged, len(h.Files), MaxFiles)
	}
	seen := map[string]bool{}
	for _, f := range h.Files {
		if f.Name == "" || len(f.Name) > maxName || seen[f.Name] || f.Size < 0 || f.Size > MaxBytes {
			return fmt.Errorf("%w: it names a file %.70q of %d bytes, or names it twice", ErrDamaged, f.Name, f.Size)
		}
		seen[f.Name] = true
	}
	return nil
}

// A Bundle is a bundle whose signature is good.
type Bundle struct {
	Statement json.RawMessage
	Signature certificate.Signature
	Files     map[string][]byte // share the memory of what was opened
}

// Open returns the bundle that data holds, if one of the keys that the caller
// trusts has signed it and it is whole. Otherwise the error has ErrDamaged,
// certificate.ErrForged or certificate.ErrOtherKey in its chain. It needs no
// memory but for the statement.
func Open(data []byte, trusted ...ed25519.PublicKey) (*Bundle, error) {
	c, rest, err := certificateOf(data)
	if err != nil {
		return nil, err
	}
	if err := checkAny(c, trusted); err != nil {
		return nil, err
	}
	var h head
	if err := json.Unmarshal(c.Statement, &h); err != nil {
		return nil, fmt.Errorf("%w: its statement: %w", ErrDamaged, err)
	}
	if err := h.check(); err != nil {
		return nil, err
	}
	b := &Bundle{Statement: c.Statement, Signature: c.Signature, Files: map[string][]byte{}}
	for _, f := range h.Files {
		if f.Size > int64(len(rest)) {
			return nil, fmt.Errorf("%w: it ends within the file %s", ErrDamaged, f.Name)
		}
		data := rest[:f.Size:f.Size]
		rest = rest[f.Size:]
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, fmt.Errorf("%w: the file %s is not the one that was signed", ErrDamaged, f.Name)
		}
		b.Files[f.Name] = data
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes are after its end", ErrDamaged, len(rest))
	}
	return b, nil
}

// certificateOf returns the certificate at the start of a bundle, which nobody
// has checked, and what follows it.
func certificateOf(data []byte) (c certificate.File, rest []byte, err error) {
	if len(data) > MaxBytes {
		return c, nil, fmt.Errorf("%w: it has %d bytes, more than %d", ErrDamaged, len(data), MaxBytes)
	}
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < 4 {
		return c, nil, fmt.Errorf("%w: it does not begin as one does", ErrDamaged)
	}
	n := int64(binary.LittleEndian.Uint32(rest))
	if rest = rest[4:]; n > int64(len(rest)) || n > certificate.MaxStatement+4096 {
		return c, nil, fmt.Errorf("%w: its certificate has %d bytes, and %d are left", ErrDamaged, n, len(rest))
	}
	dec := json.NewDecoder(bytes.NewReader(rest[:n]))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, nil, fmt.Errorf("%w: its certificate: %w", ErrDamaged, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return c, nil, fmt.Errorf("%w: something follows its certificate", ErrDamaged)
	}
	return c, rest[n:], nil
}

// checkAny reports why none of the keys has signed a certificate.
func checkAny(c certificate.File, trusted []ed25519.PublicKey) error {
	err := fmt.Errorf("%w: no key is trusted", certificate.ErrOtherKey)
	for _, key := range trusted {
		err = c.Signature.Check(key, c.Statement)
		switch {
		case err == nil || errors.Is(err, certificate.ErrForged):
			return err
		case !errors.Is(err, certificate.ErrOtherKey):
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return err
}

// Peek returns the certificate of a bundle without checking anything: for
// telling people who claims to have signed it.
func Peek(data []byte) (certificate.File, error) {
	c, _, err := certificateOf(data)
	return c, err
}
