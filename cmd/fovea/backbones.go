package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fovea/internal/hosting"
	"fovea/internal/ml/backbone"
	"fovea/internal/ml/onnx"
)

// maxBackbones is how many backbones of the user a server has: all are kept in
// memory.
const maxBackbones = 16

// backboneTime is how long a network may take to be tried, at the start of a
// server or before it.
const backboneTime = 2 * time.Minute

// openBackbones loads the networks that --backbone names. What is wrong with one
// keeps the server from starting: models would be refused later, or trained with
// another.
func (n *node) openBackbones(ctx context.Context) error {
	n.backbones = &hosting.Backbones{}
	embedded, err := backbone.Default()
	if err != nil {
		return err
	}
	if len(n.config.Backbones) > maxBackbones {
		return fmt.Errorf("--backbone is given %d times; %d are the most", len(n.config.Backbones), maxBackbones)
	}
	for i, path := range n.config.Backbones {
		if path == embedded.Name() {
			n.backbones.Embedded = n.backbones.Embedded || i == 0
			continue
		}
		b, err := loadBackbone(ctx, path)
		if err != nil {
			return fmt.Errorf("--backbone: %w", err)
		}
		if slices.ContainsFunc(n.backbones.Own, func(other hosting.Sighted) bool { return other.Hash() == b.Hash() }) {
			continue
		}
		n.backbones.Own = append(n.backbones.Own, b)
		n.log.Info("backbone", "name", b.Name(), "sha256", b.Hash(), "file", path, "maps", b.HasMaps())
	}
	if own := n.backbones.Own; len(own) > 0 && !own[0].HasMaps() && !n.backbones.Embedded {
		n.log.Warn("the backbone has no maps, which models of Lookout for Vision need: they are trained with the first that has some, or the one in the program", "name", own[0].Name())
	}
	return nil
}

// loadBackbone loads a network from an ONNX file.
func loadBackbone(ctx context.Context, path string) (*onnx.Backbone, error) {
	file, err := readBackbone(path)
	if err != nil {
		return nil, err
	}
	b, err := tryBackbone(ctx, path, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// tryBackbone returns the network of a file that was read. Where the file says
// no name it is called as the file is.
func tryBackbone(ctx context.Context, path string, file []byte) (*onnx.Backbone, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, backboneTime, fmt.Errorf("the network takes longer than %v for an image", backboneTime))
	defer cancel()
	base := filepath.Base(path)
	b, err := onnx.Load(ctx, file, onnx.Options{OrName: strings.TrimSuffix(base, filepath.Ext(base))})
	if errors.Is(err, context.DeadlineExceeded) {
		err = context.Cause(ctx)
	}
	return b, err
}

// readBackbone reads an ONNX file, if it is one by its size and kind.
func readBackbone(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening, which for a pipe would wait
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s", path)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if info.Size() > onnx.MaxFile {
		return nil, fmt.Errorf("%s has %d bytes; %d are the most", path, info.Size(), onnx.MaxFile)
	}
	file := make([]byte, info.Size())
	if _, err := io.ReadFull(f, file); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return file, nil
}
