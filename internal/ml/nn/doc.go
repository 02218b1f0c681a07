// Package nn runs and trains convolutional networks. A Net is a list of layers,
// written down once; a Session is one place where it runs, for a size of batch
// and image, with all the memory that it needs.
//
// There is no general automatic differentiation: each kind of layer has a
// forward and a backward pass written by hand, of which there are few, and the
// tests compare each gradient with differences. A caller writes a network's
// input into Session.Input, calls Forward, lets a loss write the gradients of
// the outputs, calls Backward, and lets an optimizer change the parameters.
//
// For a seed, training gives the same bits on the same kind of processor,
// whatever the number of workers: nothing is summed in an order that depends on
// them, and nothing ranges over a map.
package nn
