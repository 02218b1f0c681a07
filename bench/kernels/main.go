// Kernels measures the matrix product of fovea on one core beside Debian's
// OpenBLAS (package libopenblas-dev, and a C compiler) and gonum, and its backbone
// beside ONNX Runtime, in turns: of each, the fastest of all rounds counts. It
// writes its tables to docs/design/kernels.md.
//
//	make bench-kernels
//	make bench-kernels BENCH='-rounds 3 -write=false'
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"fovea/bench/docpage"
	"fovea/internal/ml/kernel"
)

// shapes are the products that are measured: a square one, that of a
// convolution, and a narrow one.
var shapes = []struct{ m, n, k int }{{768, 768, 768}, {66, 3136, 576}, {516, 48, 4608}, {64, 4096, 576}, {1024, 2000, 52}}

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 20, "how often they take turns")
	times := flag.Int("times", 10, "products a turn")
	write := flag.Bool("write", true, "write the tables to "+pageFile)
	flag.Parse()
	text, err := run(*rounds, *times)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	if *write {
		if err := docpage.Write(pageFile, "make bench-kernels", text); err != nil {
			log.Fatal(err)
		}
	}
}

// here is the folder of this program.
const here = "bench/kernels"

// A peer is a program that measures on request.
type peer struct {
	name string
	in   io.Writer
	out  *bufio.Reader
}

// run returns what is measured, as Markdown.
func run(rounds, times int) (string, error) {
	dir, err := os.MkdirTemp("", "kernels-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	peers, err := start(dir)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString(conditions(dir, rounds))
	text.WriteString("| rows x columns x steps | fovea, GFLOP/s | OpenBLAS | fovea's speed of it | gonum | fovea's speed of it |\n|---|---|---|---|---|---|\n")
	if err := products(&text, peers, rounds, times); err != nil {
		return "", err
	}
	err = forward(&text, dir, rounds, times)
	return text.String(), err
}

// products measures matrix products and writes a row for each.
func products(text *strings.Builder, peers []*peer, rounds, times int) error {
	for _, s := range shapes {
		best := make([]float64, 1+len(peers))
		for range rounds {
			keep(&best[0], own(s.m, s.n, s.k, times))
			for i, p := range peers {
				var t float64
				if err := p.ask(&t, nil, s.m, s.n, s.k, times); err != nil {
					return err
				}
				keep(&best[1+i], t)
			}
		}
		flop := 2 * float64(s.m) * float64(s.n) * float64(s.k) / 1e9
		fmt.Fprintf(text, "| %d x %d x %d | %.1f | %.1f | %.2f | %.1f | %.1f |\n", s.m, s.n, s.k,
			flop/best[0], flop/best[1], best[1]/best[0], flop/best[2], best[2]/best[0])
	}
	return nil
}

// keep sets best to t if that is less, or the first.
func keep(best *float64, t float64) {
	if *best == 0 || t < *best {
		*best = t
	}
}

// own returns the seconds of fovea's fastest product.
func own(m, n, k, times int) float64 {
	matrix := func(rows, cols int) kernel.Matrix {
		d := kernel.Dense(rows, cols, make([]float32, rows*cols))
		for i := range d.Data {
			d.Data[i] = float32(i%7) - 3
		}
		return d
	}
	a, b, c := matrix(m, k), matrix(k, n), matrix(m, n)
	var g kernel.Gemm
	best := time.Hour
	for range times {
		start := time.Now()
		g.Mul(1, a, b, 0, c)
		best = min(best, time.Since(start))
	}
	return best.Seconds()
}

// start builds and starts those that multiply.
func start(dir string) ([]*peer, error) {
	openblas, gonum := filepath.Join(dir, "openblas"), filepath.Join(dir, "gonum")
	build := exec.Command("cc", "-O2", "-o", openblas, filepath.Join(here, "openblas", "openblas.c"), "-lopenblas")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the program of OpenBLAS (apt-get install gcc libopenblas-dev): %w\n%s", err, out)
	}
	build = exec.Command("go", "build", "-o", gonum, ".")
	build.Dir = filepath.Join(here, "gonum")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the program of gonum: %w\n%s", err, out)
	}
	first, err := begin("OpenBLAS", openblas)
	if err != nil {
		return nil, err
	}
	second, err := begin("gonum", gonum)
	return []*peer{first, second}, err
}

// begin starts a peer. It ends with this program.
func begin(name string, command ...string) (*peer, error) {
	c := exec.Command(command[0], command[1:]...)
	c.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "GOMAXPROCS=1")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{name, in, bufio.NewReader(out)}, c.Start()
}

// ask sends numbers to a peer, and reads the seconds of its fastest run, and a
// result where one is wanted.
func (p *peer) ask(seconds, result *float64, numbers ...int) error {
	text := fmt.Sprintln(numbers)
	if _, err := io.WriteString(p.in, text[1:len(text)-2]+"\n"); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	into := []any{seconds}
	if result != nil {
		into = append(into, result)
	}
	if _, err := fmt.Fscan(p.out, into...); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}
