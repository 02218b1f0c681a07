package hosting

import (
	"testing"

	"fovea"
	"fovea/internal/ml/backbone"
)

func TestFindBackbone(t *testing.T) {
	own, err := backbone.Default()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := FindBackbone(own.Name(), own.Hash()); err != nil || b.Hash() != own.Hash() {
		t.Errorf("the server's own: %v", err)
	}
	if _, err := FindBackbone(own.Name(), "0123456789abcdef"); fovea.KindOf(err) != fovea.NotReady {
		t.Errorf("another one: %v", err)
	}
}
