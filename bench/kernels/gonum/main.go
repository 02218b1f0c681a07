// Gonum multiplies matrices as the benchmark of the kernels asks: for each line
// "m n k times" it prints the seconds of the fastest product.
package main

import (
	"fmt"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

func main() {
	var m, n, k, times int
	for {
		if c, _ := fmt.Scan(&m, &n, &k, &times); c != 4 {
			return
		}
		a, b, c := matrix(m, k), matrix(k, n), matrix(m, n)
		best := time.Hour
		for range times {
			start := time.Now()
			blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, a, b, 0, c)
			best = min(best, time.Since(start))
		}
		fmt.Println(best.Seconds())
	}
}

func matrix(rows, cols int) blas32.General {
	m := blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float32, rows*cols)}
	for i := range m.Data {
		m.Data[i] = float32(i%7) - 3
	}
	return m
}
