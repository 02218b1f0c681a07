// Package transfer moves data sets between files and a server: Import makes the
// datasets of a project from annotated images, Export writes a dataset as files.
// It is a client. It reaches the server over HTTP only, by the APIs that AWS
// clients use and the documented calls under /fovea/v1/, and the images through
// S3, so that it works as well from another machine.
//
// Both are made to be started again. What is in S3, or on disk, with the same
// content is not moved a second time, and every step finds out first what is
// there already. So there is no state file that could be wrong, and after a kill
// or a broken network the same command goes on where the work stopped.
//
// Neither holds a data set in memory: images pass by in the order of their
// names, a bounded number at a time, and manifests go through temporary files.
package transfer
