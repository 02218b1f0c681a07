package dataset

// SetStride sets how many images others are compared with at a time.
func (c *ImageCheck) SetStride(n int) { c.stride = n }
