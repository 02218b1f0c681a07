package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"fovea"
)

// pairName is the setting of the database, and the blob, that say which
// installation both belong to.
const pairName = "installation"

// pair makes sure that the database and the blobs belong together. The sweep
// removes blobs that the database does not know: with another installation's
// it would remove all of them.
func (n *node) pair(ctx context.Context) error {
	var mine string
	err := n.store.Update(ctx, func(tx fovea.Tx) (err error) {
		mine, err = tx.Setting(pairName)
		if err != nil && fovea.KindOf(err) == fovea.NotFound {
			mine = rand.Text()
			err = tx.PutSetting(pairName, mine)
		}
		return err
	})
	if err != nil {
		return err
	}
	switch theirs, err := n.readSmall(ctx, pairName); {
	case err != nil && fovea.KindOf(err) == fovea.NotFound:
		_, err = n.blobs.Put(ctx, pairName, strings.NewReader(mine))
		return err
	case err != nil:
		return err
	case theirs != mine:
		return fmt.Errorf("the segments in %s belong to another database. Give --database, --blobs and --data as they were when the datasets were made, or a new place for the segments", n.blobsPlace())
	}
	return nil
}

// readSmall returns a blob that is a short text.
func (n *node) readSmall(ctx context.Context, name string) (string, error) {
	blob, err := n.blobs.Open(ctx, name)
	if err != nil {
		return "", err
	}
	defer blob.Close()
	text, err := io.ReadAll(io.NewSectionReader(blob, 0, min(blob.Size(), 100)))
	return string(text), err
}

// blobsPlace returns where the blobs are, as the user named it.
func (n *node) blobsPlace() string {
	if n.config.Blobs != "" {
		return n.config.Blobs
	}
	return n.config.Data
}
