package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// maxKeys bounds the cache of derived keys. A key is good for one day, region
// and service, so few are in use at a time.
const maxKeys = 512

// A keyID names a derived key. The secret is part of it, so that a key made
// anew under an old name never meets what was derived from the old secret.
type keyID struct {
	secret string
	scope  Scope
}

// A keyCache keeps derived keys. The zero value is ready.
type keyCache struct {
	mu   sync.RWMutex
	keys map[keyID][]byte
}

// get returns the signing key of the scope.
func (c *keyCache) get(secret string, s Scope) []byte {
	id := keyID{secret, s}
	c.mu.RLock()
	key := c.keys[id]
	c.mu.RUnlock()
	if key != nil {
		return key
	}
	key = deriveKey(secret, s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.keys) >= maxKeys || c.keys == nil {
		c.keys = map[keyID][]byte{}
	}
	c.keys[id] = key
	return key
}

// deriveKey returns the key that signs for one day, region and service.
func deriveKey(secret string, s Scope) []byte {
	key := mac([]byte("AWS4"+secret), s.Date)
	key = mac(key, s.Region)
	key = mac(key, s.Service)
	return mac(key, terminator)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// sign returns the signature of a canonical request, given its hash.
func sign(key []byte, stamp string, s Scope, hash string) string {
	return hex.EncodeToString(mac(key, algorithm+"\n"+stamp+"\n"+s.String()+"\n"+hash))
}
