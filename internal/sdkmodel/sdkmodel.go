// Package sdkmodel gives AWS's Python clients (boto3, the AWS CLI) their
// lookoutvision client back, which newer releases have lost (LV-1.7).
//
// Botocore makes a client from files in its data folders, one of which is the
// user's own, ~/.aws/models. The service model and the paginators are written
// by internal/apigen; the endpoint rules are ours.
package sdkmodel

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// models has the files in the layout of a botocore data folder.
//
//go:embed lookoutvision
var models embed.FS

// Install writes the client's files below dir, a botocore data folder such as
// ~/.aws/models, and returns their names. It makes the folder if it must, and
// replaces files of an earlier installation. Every file is either whole or not
// there, whatever happens meanwhile.
func Install(dir string) (files []string, err error) {
	err = fs.WalkDir(models, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := models.ReadFile(name)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := replace(file, text); err != nil {
			return fmt.Errorf("install %s: %w. Choose another folder with --dir, and set AWS_DATA_PATH to it", file, err)
		}
		files = append(files, file)
		return nil
	})
	return files, err
}

// replace writes a file under another name, syncs it and moves it into place.
func replace(name string, text []byte) (err error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".install-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
