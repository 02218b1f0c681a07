package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"fovea/internal/dataset"
	"fovea/internal/model"
	"fovea/internal/s3api"
	"fovea/internal/sqlstore"
)

func verifyCommand() *cobra.Command {
	c := config{LogFormat: "text", LogLevel: "warn"}
	var output string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read all data and report what is damaged",
		Long: "Read all that datasets, models and fovea's own S3 hold, compare it with its checksums, and\n" +
			"name every object that is damaged or missing and what it held. It changes nothing and\n" +
			"needs no server, but may run beside one. Exit status 0: all is well; 1: something is\n" +
			"damaged; 2: it could not be read.",
		Example: "  fovea verify --data /var/lib/fovea\n  fovea verify --database postgres://… --blobs s3://bucket/prefix --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			asJSON, err := wantsJSON(output)
			if err != nil {
				return err
			}
			v, err := c.verify(cmd.Context())
			if err != nil {
				return err
			}
			if err := v.write(cmd.OutOrStdout(), asJSON); err != nil {
				return err
			}
			if len(v.Damaged) > 0 {
				return errFailed
			}
			return nil
		},
	}
	c.dataFlags(cmd.Flags())
	c.s3Flags(cmd.Flags())
	c.storeFlags(cmd.Flags())
	outputFlag(cmd, &output)
	configFlag(cmd)
	return cmd
}

// A verification is what verify prints.
type verification struct {
	Revisions int64         `json:"revisions"`
	Segments  int64         `json:"segments"`
	Reports   int64         `json:"reports"`
	Models    int64         `json:"models"`
	Objects   int64         `json:"objects"` // of the embedded S3
	Bytes     int64         `json:"bytes"`
	Damaged   []damagedFile `json:"damaged"`
}

type damagedFile struct {
	Object  string    `json:"object"`
	Problem string    `json:"problem"`
	Holds   []holding `json:"holds,omitempty"`
	Models  []string  `json:"models,omitempty"` // SERVICE/PROJECT/MODEL, that need it
}

type holding struct {
	Dataset   string  `json:"dataset"` // SERVICE/PROJECT/SPLIT, or the identifier of one that is gone
	Revisions []int64 `json:"revisions"`
	Current   bool    `json:"current"`
	Entries   int64   `json:"entries"`
}

// openExisting opens the database and the blobs of a data folder for reading.
func (c *config) openExisting(ctx context.Context) (n *node, err error) {
	log, err := c.logger(io.Discard)
	if err != nil {
		return nil, err
	}
	if err := c.refuseUnfinished(); err != nil {
		return nil, err
	}
	n = &node{config: c, log: log, readOnly: true}
	if n.store, err = sqlstore.Open(ctx, c.databaseURL(), sqlstore.Options{Existing: true}); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("there is no server's data in %s: name its folder with --data", c.Data)
		}
		return n, err
	}
	n.onClose(n.store.Close)
	return n, n.openBlobs(ctx)
}

func (c *config) verify(ctx context.Context) (v *verification, err error) {
	n, err := c.openExisting(ctx)
	if n != nil {
		defer func() { err = errors.Join(err, n.Close()) }()
	}
	if err != nil {
		return nil, err
	}
	v = &verification{Damaged: []damagedFile{}}
	if err := v.database(ctx, "the database", n.store); err != nil {
		return nil, err
	}
	found, err := (&dataset.Ops{Store: n.store, Blobs: n.blobs}).Verify(ctx)
	if err != nil {
		return nil, err
	}
	v.Revisions, v.Segments, v.Reports, v.Bytes = found.Revisions, found.Segments, found.Reports, found.Bytes
	for _, d := range found.Damaged {
		v.Damaged = append(v.Damaged, damagedFile{Object: d.Object, Problem: d.Problem, Holds: holdings(d.Holds)})
	}
	if err := v.models(ctx, n); err != nil {
		return nil, err
	}
	if c.S3Endpoint != "" {
		return v, nil
	}
	return v, v.objects(ctx, filepath.Join(c.Data, "s3"))
}

func holdings(list []dataset.Holding) (out []holding) {
	for _, h := range list {
		name := fmt.Sprintf("%s/%s/%s", h.Service, h.Project, h.Split)
		if h.Project == "" {
			name = fmt.Sprintf("dataset %d, deleted", h.Dataset)
		}
		out = append(out, holding{name, h.Revisions, h.Current, h.Entries})
	}
	return out
}

// database notes what is wrong with the pages of a database.
func (v *verification) database(ctx context.Context, name string, db interface {
	Integrity(context.Context) ([]string, error)
}) error {
	faults, err := db.Integrity(ctx)
	if len(faults) > 0 {
		v.Damaged = append(v.Damaged, damagedFile{Object: name, Problem: strings.Join(faults, "; ")})
	}
	return err
}

// models verifies what belongs to models.
func (v *verification) models(ctx context.Context, n *node) error {
	found, err := (&model.Ops{Store: n.store, Blobs: n.blobs}).Verify(ctx)
	if err != nil {
		return err
	}
	v.Models, v.Bytes = found.Models, v.Bytes+found.Bytes
	for _, d := range found.Damaged {
		v.Damaged = append(v.Damaged, damagedFile{Object: d.Name, Problem: d.Problem, Models: d.Models})
	}
	return nil
}

// objects verifies the embedded S3.
func (v *verification) objects(ctx context.Context, dir string) (err error) {
	a, err := s3api.OpenArchive(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // never used
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	if err := v.database(ctx, "the database of the S3", a); err != nil {
		return err
	}
	found, err := a.Verify(ctx)
	if err != nil {
		return err
	}
	v.Objects, v.Bytes = found.Objects, v.Bytes+found.Bytes
	for _, d := range found.Damaged {
		v.Damaged = append(v.Damaged, damagedFile{Object: d.Object, Problem: d.Problem})
	}
	return nil
}

func (v *verification) write(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	for _, d := range v.Damaged {
		fmt.Fprintf(w, "%s: %s\n", d.Object, d.Problem)
		for _, h := range d.Holds {
			current := ""
			if h.Current {
				current = ", the current one among them"
			}
			fmt.Fprintf(w, "  holds %d entries of %s, in revisions %s%s\n", h.Entries, h.Dataset, ranges(h.Revisions), current)
		}
		if len(d.Models) > 0 {
			fmt.Fprintf(w, "  belongs to %s\n", strings.Join(d.Models, ", "))
		}
	}
	_, err := fmt.Fprintf(w, "%d revisions, %d segments, %d reports, %d models, %d S3 objects, %d bytes: %d damaged\n",
		v.Revisions, v.Segments, v.Reports, v.Models, v.Objects, v.Bytes, len(v.Damaged))
	return err
}

// ranges writes ascending numbers short, such as 1-3, 7.
func ranges(list []int64) string {
	var parts []string
	for i := 0; i < len(list); {
		k := i
		for k+1 < len(list) && list[k+1] == list[k]+1 {
			k++
		}
		if k == i {
			parts = append(parts, fmt.Sprint(list[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", list[i], list[k]))
		}
		i = k + 1
	}
	return strings.Join(parts, ", ")
}
