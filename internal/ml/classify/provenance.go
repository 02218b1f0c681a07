package classify

// BackboneOf returns the name and the hash of the backbone that a model looks
// through, both "" for one that needs none.
func BackboneOf(m *Model) (name, hash string) {
	if m.network == nil {
		return "", ""
	}
	return m.network.Name(), m.network.Hash()
}
