// Package cutfs is a file system for tests of what survives a power failure and
// what a broken disk does. It keeps files in memory, is mounted through the
// kernel's FUSE, so that whole programs with their databases work on it, and
// knows of every byte and every name whether it was synced.
//
// It promises what POSIX promises and no more: fsync of a file makes its
// content durable and not its name, fsync of a folder the names in it. File
// systems of real machines are kinder, and each in another way. It runs on
// Linux and needs the right to mount.
package cutfs
