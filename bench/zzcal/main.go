package main

import (
	"context"
	"encoding/xml"
	"fmt"
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

var cells = []string{"RBC", "WBC", "Platelets"}

type smear struct {
	file    string
	objects []head.Object
}

func main() {
	ctx := context.Background()
	files, _ := filepath.Glob("../shared/data/bccd/BCCD/Annotations/*.xml")
	var all []smear
	for _, f := range files {
		text, _ := os.ReadFile(f)
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
		xml.Unmarshal(text, &a)
		s := smear{file: "../shared/data/bccd/BCCD/JPEGImages/" + strings.TrimSuffix(filepath.Base(f), ".xml") + ".jpg"}
		for _, o := range a.Object {
			box := head.Box{Left: o.Box.Left, Top: o.Box.Top, Width: o.Box.Right - o.Box.Left, Height: o.Box.Bottom - o.Box.Top}
			if class := slices.Index(cells, o.Name); class >= 0 && box.Width > 0 && box.Height > 0 {
				s.objects = append(s.objects, head.Object{Class: class, Box: box})
			}
		}
		all = append(all, s)
	}
	open := func(ctx context.Context, f string) (*imaging.Image, error) {
		r, err := os.Open(f)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		info, _ := r.Stat()
		return imaging.Decode(ctx, r, info.Size(), imaging.Decoding{Stored: true})
	}
	steps, n := 450, 200
	if len(os.Args) > 1 {
		fmt.Sscan(os.Args[1], &n)
		fmt.Sscan(os.Args[2], &steps)
	}
	seed := 0
	if len(os.Args) > 3 {
		fmt.Sscan(os.Args[3], &seed)
	}
	r := rand.New(rand.NewPCG(uint64(seed), 0x62636364))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	train, test := all[:n], all[200:280]
	set := &detect.Set{Image: func(ctx context.Context, i int) (*imaging.Image, error) { return open(ctx, train[i].file) }}
	for _, s := range train {
		set.Objects = append(set.Objects, s.objects)
	}
	start := time.Now()
	m, rep, err := detect.Train(ctx, set, detect.Options{Classes: cells, Seed: uint64(seed), Workers: 2, Steps: steps})
	if err != nil {
		panic(err)
	}
	fmt.Printf("n %d steps %d side %d trained in %v; platt %+v thresholds %v\n", n, rep.Steps, rep.Side, time.Since(start), m.Calibration, m.Thresholds())
	for name, inv := range map[string]bool{"raw": true, "calibrated": false} {
		d := head.NewDetected(3, 0.5)
		for _, s := range test {
			img, _ := open(ctx, s.file)
			o, err := m.Detect(img)
			if err != nil {
				panic(err)
			}
			if inv {
				for i := range o {
					p := m.Calibration[o[i].Class]
					o[i].Score = float32(head.Sigmoid((head.Logit(float64(o[i].Score)) - p.B) / p.A))
				}
			}
			d.Add(o, s.objects)
		}
		fmt.Printf("%s mAP %.3f\n", name, d.MeanAveragePrecision())
		for c := range cells {
			var sum, hit, cnt [10]float64
			for i, s := range d.Scores[c] {
				b := min(9, int(s*10))
				sum[b] += float64(s)
				cnt[b]++
				if d.Hits[c][i] {
					hit[b]++
				}
			}
			ece, tot := 0.0, 0.0
			for b := range cnt {
				e := sum[b] - hit[b]
				if e < 0 {
					e = -e
				}
				ece += e
				tot += cnt[b]
			}
			th := m.Thresholds()[c]
			if inv {
				th = 0.5
			}
			f1 := func(th float64) float64 {
				k := head.Count(d.Scores[c], d.Hits[c], th)
				k.FalseNegatives = d.There[c] - k.TruePositives
				return k.F1()
			}
			bt, bf := d.BestF1(c)
			fmt.Printf("  %-10s ECE %.3f of %v; F1 at %.3f %.3f, at 0.5 %.3f; best on test %.3f at %.3f; bins %v / %v\n", cells[c], ece/tot, tot, th, f1(th), f1(0.5), bf, bt, hit, cnt)
		}
	}
}
