package rekognition

import (
	"maps"
	"slices"
)

// Codes returns the codes of what can be wrong with a line, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(messages)) }
