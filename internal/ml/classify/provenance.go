package classify

// BackboneOf returns the name and the hash of the backbone that a model looks
// through, with a blank between, and "" for one that needs none.
func BackboneOf(m *Model) string {
	if m.network == nil {
		return ""
	}
	return m.network.Name() + " " + m.network.Hash()
}
