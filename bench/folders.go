package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// folderImages is how many small images are imported.
	folderImages = 20_000

	// syncBucket is where aws s3 sync uploads them to.
	syncBucket = "synced"

	// awsCLI is Debian's: what users have, whatever else comes first in PATH.
	awsCLI = "/usr/bin/aws"
)

// folders measures `fovea import` of a folder of small images beside `aws s3
// sync` of the same folder to the same endpoint, which does less: it makes no
// dataset.
func (b *bench) folders(ctx context.Context) (section, error) {
	dir := filepath.Join(b.dir, "images")
	size, err := drawFolder(dir, folderImages)
	if err != nil {
		return section{}, err
	}
	s, err := b.serve(ctx)
	if err != nil {
		return section{}, err
	}
	defer s.close()
	if err := s.MakeBucket(ctx, syncBucket); err != nil {
		return section{}, err
	}
	var first, again, syncFirst, syncAgain []figure
	for run := range b.runs {
		for _, m := range []struct {
			to   *[]figure
			sent int64
			take func(run int, sent int64) (figure, error)
		}{
			{&first, folderImages, func(run int, sent int64) (figure, error) { return b.importFolder(ctx, s, dir, run, sent) }},
			{&syncFirst, folderImages, func(run int, sent int64) (figure, error) { return syncFolder(ctx, s, dir, run) }},
			{&again, 0, func(run int, sent int64) (figure, error) { return b.importFolder(ctx, s, dir, run, sent) }},
			{&syncAgain, 0, func(run int, sent int64) (figure, error) { return syncFolder(ctx, s, dir, run) }},
		} {
			f, err := m.take(run, m.sent)
			if err != nil {
				return section{}, err
			}
			*m.to = append(*m.to, f)
		}
		log.Printf("run %d: import %.2f s, again %.2f s; sync %.2f s, again %.2f s", run+1,
			first[run].Seconds, again[run].Seconds, syncFirst[run].Seconds, syncAgain[run].Seconds)
	}
	t := table{head: []string{"program", "does", "time", "images/s", "peak memory", "fovea takes"}}
	for _, row := range []struct {
		program, does string
		figures, ours []figure
	}{
		{"`fovea import`", "uploads, writes the manifest, makes the dataset", first, first},
		{"`aws s3 sync`", "uploads", syncFirst, first},
		{"`fovea import` again", "reads all images, compares them by content, and the dataset too", again, again},
		{"`aws s3 sync` again", "compares sizes and dates", syncAgain, again},
	} {
		f, ours := best(row.figures), best(row.ours)
		t.add(row.program, row.does, seconds(f.Seconds), count(int64(folderImages/f.Seconds)), megabytes(f.Peak), ratio(ours.Seconds, f.Seconds))
	}
	return section{
		title: "Importing a folder",
		text: fmt.Sprintf("%s PNGs, %s, in two folders named for their labels, to the embedded S3, which has each on disk (fsync) before it answers. "+
			"Times include starting the programs; memory is the client's.", count(folderImages), megabytes(size)),
		table: t,
	}, nil
}

// importFolder imports the folder into a project of this run.
func (b *bench) importFolder(ctx context.Context, s *server, dir string, run int, sent int64) (figure, error) {
	f, out, err := timed(exec.CommandContext(ctx, b.binary, "import", dir, "--service", "custom-labels", "--project", fmt.Sprintf("folder-%d", run),
		"--data", s.Data, "--listen", s.Addr, "--output", "json"))
	if err != nil {
		return f, err
	}
	var said struct {
		Sent     int64 `json:"sent_objects"`
		Datasets []struct{ Entries int64 }
	}
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&said); err != nil {
		return f, fmt.Errorf("fovea import printed %q: %w", out, err)
	}
	if said.Sent != sent || len(said.Datasets) != 1 || said.Datasets[0].Entries != folderImages {
		return f, fmt.Errorf("fovea import came to %+v", said)
	}
	return f, nil
}

// syncFolder uploads the folder to a prefix of this run.
func syncFolder(ctx context.Context, s *server, dir string, run int) (figure, error) {
	cmd := exec.CommandContext(ctx, awsCLI, "--endpoint-url", s.URL(), "s3", "sync", "--only-show-errors", dir, fmt.Sprintf("s3://%s/folder-%d", syncBucket, run))
	cmd.Env = append(os.Environ(), s.Environ()...)
	f, _, err := timed(cmd)
	return f, err
}

// timed runs a command.
func timed(cmd *exec.Cmd) (figure, []byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		return figure{}, nil, fmt.Errorf("%v: %w\n%s%s", cmd.Args, err, stdout.Bytes(), stderr.Bytes())
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return figure{Seconds: took.Seconds(), Rows: folderImages, Peak: usage.Maxrss << 10}, stdout.Bytes(), nil
}

// drawFolder writes n PNGs of noise in two folders, and returns their size.
func drawFolder(dir string, n int) (size int64, err error) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		sub := filepath.Join(dir, []string{"good", "scratched"}[i%2])
		if i < 2 {
			if err := os.MkdirAll(sub, 0o755); err != nil {
				return 0, err
			}
		}
		data, err := noisePNG(rnd, 64, 64)
		if err != nil {
			return 0, err
		}
		size += int64(len(data))
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprintf("%05d.png", i)), data, 0o644); err != nil {
			return 0, err
		}
	}
	return size, nil
}

// noisePNG returns a grey PNG of noise.
func noisePNG(rnd *rand.Rand, w, h int) ([]byte, error) {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(rnd.Uint32())
	}
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.NoCompression}
	err := enc.Encode(&b, img)
	return b.Bytes(), err
}
