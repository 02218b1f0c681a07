package imaging

// contain makes a panic of what decodes a file the fault of the file: a file
// that nobody thought of must not end the server, nor the goroutine of a
// training that decodes it beside others. The text says that we are to blame.
// It is deferred by whatever decodes and sets that function's error.
func contain(err *error) {
	if v := recover(); v != nil {
		*err = errorf(Malformed, "It cannot be decoded, for a fault of the decoder: %.200v. Save it anew with another program.", v)
	}
}
