// Package onnx runs networks that others trained, from files in the ONNX format
// (docs/backbone.md): enough of it for image backbones, convolutional ones and
// vision transformers, forward only, in Go.
//
// A file is not trusted (T23 of the fault list). It is read by a reader of its
// own which checks each length before it follows it. Weights in other files,
// loops, branches and functions of the file's own are refused; the size of
// tensors, of all of them together, and the amount of arithmetic are bounded;
// and a run ends when its context does.
package onnx
