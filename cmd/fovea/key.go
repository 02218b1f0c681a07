package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"fovea"
)

// A keyPair is an access key with its secret.
type keyPair struct {
	ID     string `json:"access_key_id"`
	Secret string `json:"secret_access_key"`
}

const keyFile = "root-key.json"

// rootKey returns the root key pair: the one that is set, else the one of the
// data folder.
func (c *config) rootKey() (keyPair, error) {
	switch {
	case c.AccessKey == "" && c.SecretKey == "":
		return c.fileKey()
	case c.AccessKey == "" || c.SecretKey == "":
		return keyPair{}, errors.New("--access-key and --secret-key go together")
	case len(c.SecretKey) < 8:
		return keyPair{}, errors.New("--secret-key is shorter than 8 characters")
	case strings.Trim(c.AccessKey, keyLetters) != "" || len(c.AccessKey) > 128:
		return keyPair{}, errors.New("--access-key has up to 128 letters, digits and underscores")
	}
	return keyPair{c.AccessKey, c.SecretKey}, nil
}

// fileKey returns the key pair of the data folder.
func (c *config) fileKey() (keyPair, error) {
	path := filepath.Join(c.Data, keyFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return keyPair{}, err
	}
	var k keyPair
	if err := json.Unmarshal(text, &k); err != nil || k.ID == "" || k.Secret == "" {
		return keyPair{}, fmt.Errorf("%s does not hold a key pair; restore it, or remove it to get a new one", path)
	}
	return k, nil
}

// keyLetters are those of access keys: others would have to be escaped in the
// scope of a signature.
const keyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// existingKey returns the root key pair of a server that has been started.
func (c *config) existingKey() (keyPair, error) {
	k, err := c.rootKey()
	if errors.Is(err, fs.ErrNotExist) {
		return k, fmt.Errorf("there is no server's data in %s: name its folder with --data, or start one with `fovea serve`", c.Data)
	}
	return k, err
}

// ensureRootKey returns the root key pair and makes one at first start.
func (c *config) ensureRootKey() (keyPair, error) {
	k, err := c.rootKey()
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	k = newKeyPair()
	return k, c.writeKey(k)
}

// writeKey makes the key pair that of the data folder, where fovea env finds
// it.
func (c *config) writeKey(k keyPair) error {
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(c.Data, keyFile), append(text, '\n'), 0o600)
}

const rootKeySetting = "root_key"

// sharedRootKey returns the root key pair of all nodes over one database: the
// one that is set, else the one in the database. The node that starts first
// puts it there: what its data folder has from before, or a new one.
func (c *config) sharedRootKey(ctx context.Context, store fovea.Store) (keyPair, error) {
	if c.AccessKey != "" || c.SecretKey != "" {
		return c.rootKey()
	}
	own, err := c.fileKey()
	known := err == nil
	switch {
	case errors.Is(err, fs.ErrNotExist):
		own = newKeyPair()
	case err != nil:
		return keyPair{}, err
	}
	k := own
	err = store.Update(ctx, func(tx fovea.Tx) error {
		text, err := tx.Setting(rootKeySetting)
		switch {
		case err == nil:
			return json.Unmarshal([]byte(text), &k)
		case fovea.KindOf(err) != fovea.NotFound:
			return err
		}
		k = own
		data, err := json.Marshal(k)
		if err != nil {
			return err
		}
		return tx.PutSetting(rootKeySetting, string(data))
	})
	if err != nil || known && k == own {
		return k, err
	}
	return k, c.writeKey(k)
}

// newKeyPair returns a random key pair of the lengths of AWS's.
func newKeyPair() keyPair {
	id, secret := make([]byte, 10), make([]byte, 30)
	rand.Read(id)
	rand.Read(secret)
	text := base64.RawStdEncoding.EncodeToString(secret)
	// A slash or a plus is legal, but a nuisance to copy.
	text = strings.NewReplacer("/", "x", "+", "y").Replace(text)
	return keyPair{"FVKA" + base32.StdEncoding.EncodeToString(id), text}
}

// writeFile writes a file whole or not at all, and durably.
func writeFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
