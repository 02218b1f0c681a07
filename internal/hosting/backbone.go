package hosting

import (
	"fmt"
	"slices"
	"strings"

	"fovea"
	"fovea/internal/ml/backbone"
)

// Backbones are the networks through which the models of a server look: those
// that its user brought, and the one that comes with the program, which is
// always there. The zero value has only that.
type Backbones struct {
	// Own are the user's. New models look through the first that can serve
	// them, unless Embedded; the others are for models that were trained before.
	Own []Sighted

	// Embedded has new models look through the network that comes with the
	// program.
	Embedded bool
}

// A Sighted backbone tells whether it has maps, which models of anomalies need.
type Sighted interface {
	backbone.Backbone
	HasMaps() bool
}

// Find returns the backbone of that hash, through which a model looks that was
// trained with it. Where the server has others only the model is NotReady, for
// the cause fovea.ErrNoBackbone: its heads would give numbers without meaning.
func (b *Backbones) Find(name, hash string) (backbone.Backbone, error) {
	embedded, err := backbone.Default()
	if err != nil {
		return nil, err
	}
	if hash == embedded.Hash() {
		return embedded, nil
	}
	for _, own := range b.Own {
		if hash == own.Hash() {
			return own, nil
		}
	}
	lack := fovea.Errorf(fovea.NotReady, "it was trained with the backbone %s (SHA-256 %s), and this server has %s. Start the server with --backbone and the file of that one as well, or train the model again",
		printable(name), printable(hash), b.list(embedded))
	lack.Err = fovea.ErrNoBackbone
	return nil, lack
}

// printable returns the name or hash that a model gives, which may come from a
// bundle of others, as far as it can stand in a message.
func printable(s string) string {
	text := fmt.Sprintf("%.100q", s)
	return strings.Trim(text, `"`)
}

// list returns what backbones there are, for people.
func (b *Backbones) list(embedded backbone.Backbone) string {
	const told = 8
	text := fmt.Sprintf("%s (%s)", embedded.Name(), embedded.Hash())
	for i, own := range b.Own {
		if i == told {
			return fmt.Sprintf("%s and %d more", text, len(b.Own)-told)
		}
		text += fmt.Sprintf(", %s (%s)", own.Name(), own.Hash())
	}
	return text
}

// Asked names the backbone that a new model of a service is to be trained with,
// name and hash with a blank between; "" is the one that comes with the program.
func (b *Backbones) Asked(service fovea.Service) string {
	if b.Embedded {
		return ""
	}
	i := slices.IndexFunc(b.Own, func(own Sighted) bool { return service != fovea.Lookout || own.HasMaps() })
	if i < 0 {
		return ""
	}
	return b.Own[i].Name() + " " + b.Own[i].Hash()
}

// ForTraining returns the backbone that Asked named, on this node or another. It
// is NotReady where this one does not have it.
func (b *Backbones) ForTraining(asked string) (backbone.Backbone, error) {
	if asked == "" {
		return backbone.Default()
	}
	name, hash, _ := strings.Cut(asked, " ")
	return b.Find(name, hash)
}

// Has implements model.Backbones.
func (b *Backbones) Has(asked string) error {
	_, err := b.ForTraining(asked)
	return err
}
