package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"fovea/internal/imaging"
)

// errNoPhotographs is the error of a section that needs real photographs, which
// are not part of the project.
var errNoPhotographs = errors.New("there are no photographs: set FOVEA_TEST_DATA to the folder that holds bccd and cookies")

// photographsAt returns the folder of the real photographs.
func photographsAt() (string, error) {
	folder := cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../shared/data")
	for _, needed := range []string{"cookies/dataset-files/manifests/template.manifest", "bccd/BCCD/Annotations"} {
		if _, err := os.Stat(filepath.Join(folder, needed)); err != nil {
			return "", fmt.Errorf("%w: %w", errNoPhotographs, err)
		}
	}
	return folder, nil
}

// An album is photographs and what a manifest says of them.
type album struct {
	names   []string          // of the objects, in the order of the manifest
	objects map[string][]byte // photographs and masks, by key
	lines   []string          // of the manifest, whose references lead to the bucket
}

// upload puts an album's photographs into the embedded S3, and the manifest of
// its lines from and to.
func (a *album) upload(ctx context.Context, s *server, key string, from, to int) error {
	if err := s.makeBucket(ctx); err != nil {
		return err
	}
	for k, data := range a.objects {
		if err := s.Put(ctx, bucket, k, bytes.NewReader(data), int64(len(data))); err != nil {
			return err
		}
	}
	manifest := strings.Join(a.lines[from:to], "\n") + "\n"
	return s.Put(ctx, bucket, key, strings.NewReader(manifest), int64(len(manifest)))
}

// cookies returns the cookies of the guide of Lookout for Vision, with masks or
// without, scaled to a megapixel.
func cookies(ctx context.Context, folder string, masks bool) (*album, error) {
	folder = filepath.Join(folder, "cookies", "dataset-files")
	template, err := os.ReadFile(filepath.Join(folder, "manifests", "template.manifest"))
	if err != nil {
		return nil, err
	}
	a := &album{objects: map[string][]byte{}}
	for line := range strings.Lines(string(template)) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			return nil, err
		}
		if !masks {
			delete(entry, "anomaly-mask-ref")
			delete(entry, "anomaly-mask-ref-metadata")
		}
		for _, member := range []string{"source-ref", "anomaly-mask-ref"} {
			name, ok := entry[member].(string)
			if !ok {
				continue
			}
			data, err := scaled(ctx, filepath.Join(folder, name))
			if err != nil {
				return nil, err
			}
			if member == "source-ref" {
				a.names = append(a.names, name)
			}
			a.objects[name] = data
			entry[member] = "s3://" + bucket + "/" + name
		}
		text, err := json.Marshal(entry)
		if err != nil {
			return nil, err
		}
		a.lines = append(a.lines, string(text))
	}
	return a, nil
}

// The sides of an image of a megapixel.
const (
	megapixelW = 864
	megapixelH = 1152
)

// scaled returns a photograph or a mask of a megapixel.
func scaled(ctx context.Context, file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if path.Ext(file) == ".png" {
		return scaledMask(data)
	}
	return scaledPhoto(ctx, data)
}

// scaledPhoto returns a photograph, which stands or lies, as a JPEG.
func scaledPhoto(ctx context.Context, data []byte) ([]byte, error) {
	m, err := decode(ctx, data)
	if err != nil {
		return nil, err
	}
	if m.W > m.H {
		return jpegOf(m.Resize(megapixelH, megapixelW))
	}
	return jpegOf(m.Resize(megapixelW, megapixelH))
}

// decode decodes an image as the server does.
func decode(ctx context.Context, data []byte) (*imaging.Image, error) {
	return imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{Stored: true})
}

// usualQuality is that of JPEGs of cameras, about.
const usualQuality = 95

// jpegOf returns an image as a JPEG.
func jpegOf(m *imaging.Image) ([]byte, error) {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(out.Pix[4*i:], m.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, out, &jpeg.Options{Quality: usualQuality})
	return b.Bytes(), err
}

// scaledMask returns a mask with each pixel the nearest one, so that colours
// stay what they are.
func scaledMask(data []byte) ([]byte, error) {
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	r := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, megapixelW, megapixelH))
	for y := range megapixelH {
		for x := range megapixelW {
			out.Set(x, y, m.At(r.Min.X+x*r.Dx()/megapixelW, r.Min.Y+y*r.Dy()/megapixelH))
		}
	}
	var b bytes.Buffer
	err = png.Encode(&b, out)
	return b.Bytes(), err
}

// cellLabels are the classes of blood cells.
var cellLabels = []string{"Platelets", "RBC", "WBC"}

// A smear is a photograph of blood cells as its annotations tell of it: Pascal
// VOC, corners in pixels.
type smear struct {
	Width   int `xml:"size>width"`
	Height  int `xml:"size>height"`
	Objects []struct {
		Name   string `xml:"name"`
		Left   int    `xml:"bndbox>xmin"`
		Top    int    `xml:"bndbox>ymin"`
		Right  int    `xml:"bndbox>xmax"`
		Bottom int    `xml:"bndbox>ymax"`
	} `xml:"object"`
}

// cells returns the first n photographs of blood cells that have boxes.
func cells(folder string, n int) (*album, error) {
	folder = filepath.Join(folder, "bccd", "BCCD")
	files, err := filepath.Glob(filepath.Join(folder, "Annotations", "*.xml"))
	if err != nil {
		return nil, err
	}
	a := &album{objects: map[string][]byte{}}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var seen smear
		if err := xml.Unmarshal(text, &seen); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".xml") + ".jpg"
		line, err := seen.line("s3://" + bucket + "/" + name)
		if err != nil {
			return nil, err
		}
		if line == "" {
			continue
		}
		if a.objects[name], err = os.ReadFile(filepath.Join(folder, "JPEGImages", name)); err != nil {
			return nil, err
		}
		a.names, a.lines = append(a.names, name), append(a.lines, line)
		if len(a.lines) == n {
			return a, nil
		}
	}
	return nil, fmt.Errorf("%s has %d photographs with boxes, fewer than %d", folder, len(a.lines), n)
}

// line returns the manifest line of a photograph, "" without boxes. Boxes that
// have no area, or leave the photograph, are cut or dropped.
func (s *smear) line(source string) (string, error) {
	type object map[string]any
	var boxes, sure []object
	classes := map[string]string{}
	for _, o := range s.Objects {
		left, top := max(o.Left, 0), max(o.Top, 0)
		width, height := min(o.Right, s.Width)-left, min(o.Bottom, s.Height)-top
		class := slices.Index(cellLabels, o.Name)
		if class < 0 || width < 1 || height < 1 {
			continue
		}
		classes[fmt.Sprint(class)] = o.Name
		boxes = append(boxes, object{"class_id": class, "left": left, "top": top, "width": width, "height": height})
		sure = append(sure, object{"confidence": 1})
	}
	if len(boxes) == 0 {
		return "", nil
	}
	text, err := json.Marshal(object{
		"source-ref": source,
		"cells":      object{"image_size": []object{{"width": s.Width, "height": s.Height, "depth": 3}}, "annotations": boxes},
		"cells-metadata": object{"objects": sure, "class-map": classes, "type": "groundtruth/object-detection", "human-annotated": "yes",
			"creation-date": "2026-01-01T00:00:00", "job-name": "cells"},
	})
	return string(text), err
}
