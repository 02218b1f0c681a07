package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"fovea"
)

// A stem is what the keys of some objects have in common, which their files'
// names leave out.
type stem struct {
	folder string // images or masks: names begin below the last folder of a key that is called so
	bucket string
	common string // the longest folder of all keys; ends with a slash unless empty
	any    bool
	many   bool // buckets
}

// add takes an object into account.
func (s *stem) add(o fovea.ObjectRef) {
	dir := o.Key[:strings.LastIndexByte(o.Key, '/')+1]
	if !s.any {
		s.any, s.bucket, s.common = true, o.Bucket, dir
		return
	}
	s.many = s.many || s.bucket != o.Bucket
	for !strings.HasPrefix(dir, s.common) {
		up := strings.TrimSuffix(s.common, "/")
		s.common = up[:strings.LastIndexByte(up, '/')+1]
	}
}

// name returns the path of an object's file below its folder. Different objects
// have different names, whatever their keys are, and none leads out of the
// folder (T03). Of several buckets the name of each comes first.
//
// The names of what Import uploaded are those of the collection: what comes
// before the folder "images" of the common part is left out, and no more.
func (s *stem) name(o fovea.ObjectRef) string {
	if s.many {
		return fileName(o.Bucket + "/" + o.Key)
	}
	cut := len(s.common)
	if at := strings.LastIndex("/"+s.common, "/"+s.folder+"/"); at >= 0 {
		cut = at + len(s.folder) + 1
	}
	return fileName(o.Key[cut:])
}

// maxName is the longest name of a file that is made, in bytes: what file
// systems allow, with room for an ending.
const maxName = 200

// fileName returns a key as a path: what no file can be called, or what would
// lead elsewhere, is escaped as in a URL. The percent sign is escaped too, so
// that no two keys become one path.
func fileName(key string) string {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = escapePart(part)
	}
	return strings.Join(parts, "/")
}

func escapePart(part string) string {
	switch part {
	case "":
		return "%"
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	var b strings.Builder
	for i := 0; i < len(part); {
		r, n := utf8.DecodeRuneInString(part[i:])
		switch {
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f, strings.ContainsRune(`%\:*?"<>|`, r):
			for _, c := range []byte(part[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		default:
			b.WriteString(part[i : i+n])
		}
		i += n
	}
	if b.Len() <= maxName {
		return b.String()
	}
	return shortened(b.String())
}

// shortened returns a long name with a hash in the place of its middle, so that
// it keeps its ending.
func shortened(name string) string {
	sum := sha256.Sum256([]byte(name))
	head, tail := name[:100], name[len(name)-20:]
	return strings.ToValidUTF8(head, "") + "%" + hex.EncodeToString(sum[:8]) + "%" + strings.ToValidUTF8(tail, "")
}
