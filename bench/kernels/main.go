// Kernels measures the matrix product of fovea on one core beside Debian's
// OpenBLAS (package libopenblas-dev, and a C compiler) and gonum, in turns, and
// prints a table: of each, the fastest of all rounds.
//
//	go run ./bench/kernels
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
	"time"

	"fovea/internal/ml/kernel"
)

// shapes are the products that are measured: a square one, that of a
// convolution, and a narrow one.
var shapes = []struct{ m, n, k int }{{768, 768, 768}, {66, 3136, 576}, {516, 48, 4608}, {64, 4096, 576}, {1024, 2000, 52}}

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 10, "how often they take turns")
	times := flag.Int("times", 10, "products a turn")
	flag.Parse()
	if err := run(*rounds, *times); err != nil {
		log.Fatal(err)
	}
}

// A peer is a program that multiplies on request.
type peer struct {
	name string
	in   io.Writer
	out  *bufio.Reader
}

func run(rounds, times int) error {
	dir, err := os.MkdirTemp("", "kernels-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	peers, err := start(dir)
	if err != nil {
		return err
	}
	fmt.Printf("Kernels: %s. GFLOP/s on one core, and as part of the peer's.\n\n", kernel.Auto().Name())
	fmt.Println("| m x n x k | fovea | OpenBLAS | | gonum | |\n|---|---|---|---|---|---|")
	for _, s := range shapes {
		best := make([]float64, 1+len(peers))
		for range rounds {
			keep(&best[0], own(s.m, s.n, s.k, times))
			for i, p := range peers {
				t, err := p.multiply(s.m, s.n, s.k, times)
				if err != nil {
					return fmt.Errorf("%s: %w", p.name, err)
				}
				keep(&best[1+i], t)
			}
		}
		flop := 2 * float64(s.m) * float64(s.n) * float64(s.k) / 1e9
		fmt.Printf("| %d x %d x %d | %.1f | %.1f | %.2f | %.1f | %.1f |\n", s.m, s.n, s.k,
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

// start builds and starts the peers. They end with this program.
func start(dir string) ([]peer, error) {
	here := "bench/kernels"
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
	var peers []peer
	for _, p := range []struct{ name, path string }{{"OpenBLAS", openblas}, {"gonum", gonum}} {
		c := exec.Command(p.path)
		c.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "GOMAXPROCS=1")
		in, err := c.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := c.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := c.Start(); err != nil {
			return nil, err
		}
		peers = append(peers, peer{p.name, in, bufio.NewReader(out)})
	}
	return peers, nil
}

// multiply returns the seconds of the peer's fastest product.
func (p *peer) multiply(m, n, k, times int) (seconds float64, err error) {
	if _, err := fmt.Fprintln(p.in, m, n, k, times); err != nil {
		return 0, err
	}
	_, err = fmt.Fscan(p.out, &seconds)
	return seconds, err
}
