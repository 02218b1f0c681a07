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
		if err := n.place(ctx); err != nil {
			return err
		}
		_, err = n.blobs.Put(ctx, pairName, strings.NewReader(mine))
		return err
	case err != nil:
		return err
	case theirs != mine:
		return fmt.Errorf("the segments in %s belong to another database. Give --database, --blobs and --data as they were when the datasets were made, or a new place for the segments", n.blobsPlace())
	}
	return n.place(ctx)
}

// placeSetting is the setting of the database that names the blob, under
// placePrefix, which is only where its segments are.
const (
	placeSetting = "place"
	placePrefix  = "place/"
)

// place makes sure that the blobs are those where the segments of the database
// are, and not an empty place, such as the data folder of another node over one
// PostgreSQL. Of nodes that start at once with places of their own, one finds
// that the database names its place, and the others that it does not.
func (n *node) place(ctx context.Context) error {
	named, err := n.placeNamed(ctx, "")
	if err == nil && named == "" {
		mine := rand.Text()
		if _, err = n.blobs.Put(ctx, placePrefix+mine, strings.NewReader(mine)); err != nil {
			return err
		}
		if named, err = n.placeNamed(ctx, mine); err == nil && named != mine {
			err = n.blobs.Delete(ctx, placePrefix+mine) // another node was faster
		}
	}
	if err != nil {
		return err
	}
	_, err = n.readSmall(ctx, placePrefix+named)
	if err != nil && fovea.KindOf(err) == fovea.NotFound {
		return fmt.Errorf("the segments of this database are not in %s: it has no %s%s. Give --data or --blobs as they were when the database was first used; "+
			"several nodes over one database need the same --blobs s3://BUCKET/PREFIX, and not a data folder each", n.blobsPlace(), placePrefix, named)
	}
	return err
}

// placeNamed returns which place the database names. If it names none, that
// becomes mine, unless mine is empty.
func (n *node) placeNamed(ctx context.Context, mine string) (named string, err error) {
	err = n.store.Update(ctx, func(tx fovea.Tx) (err error) {
		named, err = tx.Setting(placeSetting)
		if err == nil || fovea.KindOf(err) != fovea.NotFound {
			return err
		}
		if named = mine; mine == "" {
			return nil
		}
		return tx.PutSetting(placeSetting, mine)
	})
	return named, err
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
