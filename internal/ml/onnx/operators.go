package onnx

import (
	"math"

	"fovea/internal/ml/kernel"
)

// operators are those that are supported, by name.
var operators = map[string]*operator{
	// Layers.
	"Conv":               {2, conv},
	"MaxPool":            pool(false),
	"AveragePool":        pool(true),
	"GlobalAveragePool":  {1, globalPool},
	"MatMul":             {2, matmul},
	"Gemm":               {2, gemm},
	"BatchNormalization": {5, batchNorm},
	"LayerNormalization": {2, layerNorm},
	"Softmax":            {1, softmax},
	"ReduceMean":         {1, reduceMean},

	// Number by number.
	"Relu":        plain(relu),
	"LeakyRelu":   unary(leaky),
	"Clip":        {1, clip},
	"Sigmoid":     plain(kernel.Sigmoid),
	"HardSigmoid": unary(hardSigmoid),
	"HardSwish":   plain(hardSwish),
	"Gelu":        unary(gelu),
	"Tanh":        wide(math.Tanh),
	"Erf":         wide(math.Erf),
	"Sqrt":        wide(math.Sqrt),
	"Exp":         plain(kernel.Exp),
	"Log":         wide(math.Log),
	"Abs":         wide(math.Abs),
	"Neg":         plain(func(v float32) float32 { return -v }),
	"Reciprocal":  plain(func(v float32) float32 { return 1 / v }),
	"Identity":    {1, identity},
	"Dropout":     {1, identity},
	"Cast":        {1, cast},
	"Add":         pairwise(func(a, b float32) float32 { return a + b }, func(a, b int64) int64 { return a + b }),
	"Sub":         pairwise(func(a, b float32) float32 { return a - b }, func(a, b int64) int64 { return a - b }),
	"Mul":         pairwise(func(a, b float32) float32 { return a * b }, func(a, b int64) int64 { return a * b }),
	"Div":         pairwise(func(a, b float32) float32 { return a / b }, divide),
	"Pow":         pairwise(power, intPower),
	"Min":         pairwise(func(a, b float32) float32 { return min(a, b) }, func(a, b int64) int64 { return min(a, b) }),
	"Max":         pairwise(func(a, b float32) float32 { return max(a, b) }, func(a, b int64) int64 { return max(a, b) }),
	"Equal":       compare(func(a, b float32) bool { return a == b }),
	"Less":        compare(func(a, b float32) bool { return a < b }),
	"Greater":     compare(func(a, b float32) bool { return a > b }),
	"Where":       {3, where},

	// Shapes.
	"Reshape":         {1, reshape},
	"Flatten":         {1, flatten},
	"Transpose":       {1, transpose},
	"Concat":          {1, concat},
	"Slice":           {1, slice},
	"Gather":          {2, gather},
	"Split":           {1, split},
	"Squeeze":         {1, squeeze},
	"Unsqueeze":       {1, unsqueeze},
	"Shape":           {1, shapeOf},
	"Constant":        {0, constant},
	"ConstantOfShape": {1, filled},
	"Expand":          {2, expand},
}
