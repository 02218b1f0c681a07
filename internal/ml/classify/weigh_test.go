package classify

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"fovea/internal/ml/head"
	"fovea/internal/ml/matrix"
)

func TestWeigh(t *testing.T) {
	truth := head.OneHot([]int{1, 0, 1, 0, 1, 0}, 2)
	one := matrix.New(6, 1)
	for i := range one.Rows {
		one.Row(i)[0] = truth.Row(i)[1]
	}
	// says returns what a head says that is as sure as this of the truth.
	says := func(sure float32) *matrix.Matrix {
		p := matrix.New(6, 1)
		for i := range p.Rows {
			p.Row(i)[0] = 1 - sure
			if one.Row(i)[0] > 0.5 {
				p.Row(i)[0] = sure
			}
		}
		return p
	}
	for _, tt := range []struct {
		name     string
		sure     []float32
		optional []bool
		want     []float64
	}{
		{"all are good", []float32{0.9, 0.8}, []bool{false, false}, []float64{0.5, 0.5}},
		{"one is a guess", []float32{0.9, 0.5}, []bool{false, false}, []float64{1, 0}},
		{"all are guesses", []float32{0.5, 0.5}, []bool{false, false}, []float64{0.5, 0.5}},
		{"an option is better", []float32{0.7, 0.9}, []bool{false, true}, []float64{0.5, 0.5}},
		{"an option is worse", []float32{0.8, 0.7}, []bool{false, true}, []float64{1, 0}},
	} {
		tr := &training{Options: Options{Task: Anomaly}, targets: one, set: &Set{Labels: [][]int{{1}, {0}, {1}, {0}, {1}, {0}}}}
		var p []*matrix.Matrix
		for k, sure := range tt.sure {
			p = append(p, says(sure))
			tr.blocks = append(tr.blocks, &features{block: &block{optional: tt.optional[k]}})
			tr.heads = append(tr.heads, &head.Validated{Loss: head.LogLoss(head.EachOwn, p[k], one)})
		}
		if diff := cmp.Diff(tt.want, tr.weigh(p)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
