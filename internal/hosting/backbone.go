package hosting

import (
	"fovea"
	"fovea/internal/ml/backbone"
)

// FindBackbone returns the backbone of that hash, through which a model looks
// that was trained with it. Where the server has another one the model is
// NotReady: its heads would give numbers without meaning.
func FindBackbone(name, hash string) (backbone.Backbone, error) {
	b, err := backbone.Default()
	if err != nil {
		return nil, err
	}
	if b.Hash() != hash {
		return nil, fovea.Errorf(fovea.NotReady, "It was trained with the backbone %s (%.12s), and this server has %s (%.12s). Train it again, or give the server that backbone.", name, hash, b.Name(), b.Hash())
	}
	return b, nil
}
