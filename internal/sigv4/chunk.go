package sigv4

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

const (
	maxChunkLine = 512     // bytes of a line that begins a chunk
	maxTrailer   = 8 << 10 // bytes of all trailer lines
)

// A chunkReader takes the aws-chunked framing off a body:
//
//	hex-size[;chunk-signature=hex]CRLF bytes CRLF ... 0[;chunk-signature=hex]CRLF [trailer lines] CRLF
//
// It checks the size of the whole, that nothing follows, and with a chain
// every signature. It holds one buffer, however large a chunk is, so bytes are
// given out before the signature of their chunk is checked.
type chunkReader struct {
	r        *bufio.Reader
	chain    *chain // nil: chunks are not signed
	trailing bool   // trailer lines may follow the last chunk
	total    int64  // bytes promised and not yet announced by a chunk
	left     int64  // bytes of the current chunk that were not read yet
	started  bool
	sig      string // of the current chunk
	trailer  http.Header
	err      error // what every further Read reports
}

func newChunkReader(r io.Reader, size int64, trailing bool) *chunkReader {
	return &chunkReader{r: bufio.NewReaderSize(r, 64<<10), total: size, trailing: trailing}
}

// Read implements io.Reader.
func (c *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for c.left == 0 && c.err == nil {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	if c.chain != nil {
		c.chain.hash.Write(p[:n])
	}
	c.left -= int64(n)
	if err != nil {
		c.err = incomplete(eof(err))
		return n, c.err
	}
	return n, nil
}

// next ends the current chunk and begins another. It returns io.EOF after the
// last.
func (c *chunkReader) next() error {
	if c.started {
		if err := c.endChunk(); err != nil {
			return err
		}
	}
	c.started = true
	line, err := c.line(maxChunkLine)
	if err != nil {
		return err
	}
	size, ext, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil || size[0] == '+' {
		return errorf(MalformedBody, "The aws-chunked body has a chunk of size %.20q; a hexadecimal number was expected.", size)
	}
	if int64(n) > c.total {
		return errorf(MalformedBody, "The aws-chunked body is longer than its x-amz-decoded-content-length.")
	}
	c.left, c.total = int64(n), c.total-int64(n)
	if c.chain != nil {
		sig, ok := strings.CutPrefix(ext, "chunk-signature=")
		if !ok || !isHex64(sig) {
			return errorf(MalformedBody, "A chunk of the body has no signature; %.40q is not one.", ext)
		}
		c.sig = sig
	}
	if n > 0 {
		return nil
	}
	return c.finish()
}

// endChunk checks the signature of the chunk that was read and the line end
// behind it.
func (c *chunkReader) endChunk() error {
	if c.chain != nil {
		if err := c.chain.checkChunk(c.sig); err != nil {
			return err
		}
	}
	var crlf [2]byte
	if _, err := io.ReadFull(c.r, crlf[:]); err != nil {
		return incomplete(eof(err))
	}
	if string(crlf[:]) != "\r\n" {
		return errorf(MalformedBody, "A chunk of the body is longer than the size it declared.")
	}
	return nil
}

// finish checks the last, empty chunk and what follows it.
func (c *chunkReader) finish() error {
	if c.total > 0 {
		return errorf(IncompleteBody, "The aws-chunked body is %d bytes shorter than its x-amz-decoded-content-length.", c.total)
	}
	if c.chain != nil {
		if err := c.chain.checkChunk(c.sig); err != nil {
			return err
		}
	}
	lines, err := c.rest()
	if err != nil {
		return err
	}
	if !c.trailing {
		if len(lines) > 0 {
			return errorf(MalformedBody, "The body goes on after its last chunk.")
		}
		return io.EOF
	}
	return c.readTrailer(lines)
}

// rest returns the lines up to the end of the body that are not empty. Some
// clients put an empty line before the trailer's signature, others only at
// the end.
func (c *chunkReader) rest() ([]string, error) {
	data, err := io.ReadAll(io.LimitReader(c.r, maxTrailer+1))
	if err != nil {
		return nil, incomplete(err)
	}
	if len(data) > maxTrailer {
		return nil, errorf(MalformedBody, "The trailer of the body is longer than %d bytes.", maxTrailer)
	}
	var lines []string
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) > 0 {
			lines = append(lines, string(line))
		}
	}
	return lines, nil
}

// readTrailer takes the trailer lines in, and checks their signature.
func (c *chunkReader) readTrailer(lines []string) error {
	const sigName = "x-amz-trailer-signature"
	trailer, sig := http.Header{}, ""
	var signed strings.Builder
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if !ok || name == "" || sig != "" {
			return errorf(MalformedBody, "Line %d of the body's trailer is %.40q; name:value was expected.", i+1, line)
		}
		if name == sigName {
			sig = value
			continue
		}
		key := textproto.CanonicalMIMEHeaderKey(name)
		if trailer[key] != nil {
			return errorf(MalformedBody, "The body's trailer has %.60s twice.", name)
		}
		trailer[key] = []string{value}
		signed.WriteString(name + ":" + value + "\n")
	}
	if c.chain != nil {
		if err := c.chain.checkTrailer(signed.String(), sig); err != nil {
			return err
		}
	}
	c.trailer = trailer
	return io.EOF
}

// line reads a short line and takes off its CRLF.
func (c *chunkReader) line(limit int) (string, error) {
	data, err := c.r.ReadSlice('\n')
	switch {
	case err == bufio.ErrBufferFull || len(data) > limit:
		return "", errorf(MalformedBody, "A line of the aws-chunked framing is longer than %d bytes.", limit)
	case err != nil:
		return "", incomplete(eof(err))
	}
	line, ok := strings.CutSuffix(string(data), "\r\n")
	if !ok || line == "" {
		return "", errorf(MalformedBody, "The aws-chunked framing has %.20q where the size of a chunk was expected.", data)
	}
	return line, nil
}

func eof(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A chain verifies the signatures inside a body, each of which signs the one
// before it, the first the signature of the request.
type chain struct {
	key   []byte
	stamp string
	scope string
	prev  string
	hash  hash.Hash // of the current chunk
}

func newChain(key []byte, a *auth) *chain {
	return &chain{key: slices.Clone(key), stamp: a.stamp, scope: a.scope.String(), prev: a.signature, hash: sha256.New()}
}

func (c *chain) checkChunk(sig string) error {
	sum := hex.EncodeToString(c.hash.Sum(nil))
	c.hash.Reset()
	return c.check(algorithm+"-PAYLOAD", emptyHash+"\n"+sum, sig)
}

func (c *chain) checkTrailer(lines, sig string) error {
	if !isHex64(sig) {
		return errorf(MalformedBody, "The trailer of the body has no x-amz-trailer-signature.")
	}
	return c.check(algorithm+"-TRAILER", hexHash([]byte(lines)), sig)
}

func (c *chain) check(kind, what, sig string) error {
	want := c.next(kind, what)
	if !hmac.Equal([]byte(want), []byte(sig)) {
		return errorf(InvalidSignature, "The signature of a part of the body does not match: the body was changed on its way, "+
			"or signed with another key.")
	}
	return nil
}

// next returns the next signature of the chain and takes it as the last one.
func (c *chain) next(kind, what string) string {
	c.prev = hex.EncodeToString(mac(c.key, kind+"\n"+c.stamp+"\n"+c.scope+"\n"+c.prev+"\n"+what))
	return c.prev
}
