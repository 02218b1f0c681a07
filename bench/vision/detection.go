package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fovea/internal/imaging"
	"fovea/internal/ml/detect"
	"fovea/internal/ml/head"
)

// cells are the classes of the blood cells.
var cells = []string{"RBC", "WBC", "Platelets"}

// A smear is a photograph of blood cells.
type smear struct {
	file    string
	objects []head.Object
}

// smears returns the photographs of blood cells.
func (b *bench) smears() ([]smear, error) {
	files, err := filepath.Glob(filepath.Join(b.data, "bccd/BCCD/Annotations/*.xml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there are no photographs of blood cells in %s", b.data)
	}
	var all []smear
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var a struct {
			Object []struct {
				Name string `xml:"name"`
				Box  struct {
					Left   float64 `xml:"xmin"`
					Top    float64 `xml:"ymin"`
					Right  float64 `xml:"xmax"`
					Bottom float64 `xml:"ymax"`
				} `xml:"bndbox"`
			} `xml:"object"`
		}
		if err := xml.Unmarshal(text, &a); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		s := smear{file: filepath.Join(b.data, "bccd/BCCD/JPEGImages", strings.TrimSuffix(filepath.Base(f), ".xml")+".jpg")}
		for _, o := range a.Object {
			box := head.Box{Left: o.Box.Left, Top: o.Box.Top, Width: o.Box.Right - o.Box.Left, Height: o.Box.Bottom - o.Box.Top}
			if class := slices.Index(cells, o.Name); class >= 0 && box.Width > 0 && box.Height > 0 {
				s.objects = append(s.objects, head.Object{Class: class, Box: box})
			}
		}
		all = append(all, s)
	}
	return all, nil
}

// detection trains on 200 photographs of blood cells for 450 steps and tests on
// 80 others.
func (b *bench) detection(ctx context.Context) (*table, error) {
	all, err := b.smears()
	if err != nil {
		return nil, err
	}
	t := &table{title: "Blood cells: boxes, trained on 200 photographs for 450 steps"}
	mean := t.row("mAP50", "%.3f", "0.70")
	var each []*row
	for _, name := range cells {
		each = append(each, t.row(name+": AP50", "%.3f", ""))
	}
	training, prediction := t.row("training, s", "%.0f", "480"), t.row("prediction, ms", "%.0f", "")
	simple := t.row("boxes of mean size on a grid: mAP50", "%.3f", "")
	for seed := range b.seeds {
		r := rand.New(rand.NewPCG(uint64(seed), 0x62636364))
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		train, test := all[:200], all[200:280]
		set := &detect.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return photo{file: train[i].file}.image(ctx) }}
		for _, s := range train {
			set.Objects = append(set.Objects, s.objects)
		}
		start := time.Now()
		m, _, err := detect.Train(ctx, set, detect.Options{Classes: cells, Seed: uint64(seed), Workers: b.workers, Steps: 450})
		if err != nil {
			return nil, err
		}
		training.add(time.Since(start).Seconds())
		found, baseline := head.NewDetected(len(cells), 0.5), head.NewDetected(len(cells), 0.5)
		grid := gridOf(train)
		took := time.Duration(0)
		for _, s := range test {
			img, err := photo{file: s.file}.image(ctx)
			if err != nil {
				return nil, err
			}
			start := time.Now()
			objects, err := m.Detect(img)
			if err != nil {
				return nil, err
			}
			took += time.Since(start)
			found.Add(objects, s.objects)
			baseline.Add(grid(img), s.objects)
		}
		mean.add(found.MeanAveragePrecision())
		for c, r := range each {
			r.add(found.AveragePrecision(c))
		}
		prediction.add(float64(took.Milliseconds()) / float64(len(test)))
		simple.add(baseline.MeanAveragePrecision())
		log.Printf("seed %d: mAP50 %.3f", seed, found.MeanAveragePrecision())
	}
	return t, nil
}

// gridOf returns what covers an image with boxes of each class's mean size, half
// of one apart.
func gridOf(train []smear) func(*imaging.Image) []head.Object {
	sum, count := make([]head.Box, len(cells)), make([]float64, len(cells))
	for _, s := range train {
		for _, o := range s.objects {
			sum[o.Class].Width += o.Width
			sum[o.Class].Height += o.Height
			count[o.Class]++
		}
	}
	return func(m *imaging.Image) (all []head.Object) {
		for c := range cells {
			w, h := sum[c].Width/max(1, count[c]), sum[c].Height/max(1, count[c])
			for y := 0.0; w > 0 && y+h <= float64(m.H); y += h / 2 {
				for x := 0.0; x+w <= float64(m.W); x += w / 2 {
					all = append(all, head.Object{Class: c, Score: 0.5, Box: head.Box{Left: x, Top: y, Width: w, Height: h}})
				}
			}
		}
		return all
	}
}
