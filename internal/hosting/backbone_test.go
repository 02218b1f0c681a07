package hosting

import (
	"errors"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/ml/backbone"
)

// brought is a backbone of a user.
type brought struct {
	backbone.Backbone
	name string
	maps bool
}

func (b brought) Name() string  { return b.name }
func (b brought) Hash() string  { return strings.Repeat(b.name[:1], 64) }
func (b brought) HasMaps() bool { return b.maps }

func TestBackbonesFind(t *testing.T) {
	embedded, err := backbone.Default()
	if err != nil {
		t.Fatal(err)
	}
	a, b := brought{name: "a-net"}, brought{name: "b-net", maps: true}
	for _, own := range []*Backbones{{}, {Own: []Sighted{a, b}}, {Own: []Sighted{a, b}, Embedded: true}} {
		if got, err := own.Find(embedded.Name(), embedded.Hash()); err != nil || got != embedded {
			t.Errorf("%d brought: the one of the program: %v", len(own.Own), err)
		}
	}
	both := &Backbones{Own: []Sighted{a, b}}
	if got, err := both.Find("called otherwise", b.Hash()); err != nil || got.Name() != "b-net" {
		t.Errorf("the second: %v", err)
	}
	_, err = both.Find("c-net", strings.Repeat("c", 64))
	if fovea.KindOf(err) != fovea.NotReady || !errors.Is(err, fovea.ErrNoBackbone) {
		t.Fatalf("another one: %v", err)
	}
	for _, want := range []string{"c-net", strings.Repeat("c", 64), a.Hash(), b.Hash(), embedded.Hash(), "--backbone"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	_, err = (&Backbones{}).Find("a\n"+strings.Repeat("x", 10_000), "z")
	if err == nil || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1000 {
		t.Errorf("names of strangers are repeated: %.200q", err)
	}
}

// A network without maps is for labels; models of anomalies are trained with the
// first that has some.
func TestBackbonesAsked(t *testing.T) {
	vector, maps := brought{name: "a-net"}, brought{name: "b-net", maps: true}
	for _, tt := range []struct {
		own                   Backbones
		customLabels, lookout string
	}{
		{Backbones{}, "", ""},
		{Backbones{Own: []Sighted{vector}}, "a-net " + vector.Hash(), ""},
		{Backbones{Own: []Sighted{vector, maps}}, "a-net " + vector.Hash(), "b-net " + maps.Hash()},
		{Backbones{Own: []Sighted{maps, vector}}, "b-net " + maps.Hash(), "b-net " + maps.Hash()},
		{Backbones{Own: []Sighted{maps}, Embedded: true}, "", ""},
	} {
		for service, want := range map[fovea.Service]string{fovea.CustomLabels: tt.customLabels, fovea.Lookout: tt.lookout} {
			asked := tt.own.Asked(service)
			if asked != want {
				t.Errorf("%s of %d: %q, want %q", service, len(tt.own.Own), asked, want)
			}
			b, err := tt.own.ForTraining(asked)
			if err != nil || want != "" && b.Name()+" "+b.Hash() != want {
				t.Errorf("%s of %d: trained with %v, %v", service, len(tt.own.Own), b, err)
			}
		}
	}
	if _, err := (&Backbones{}).ForTraining("a-net " + vector.Hash()); fovea.KindOf(err) != fovea.NotReady {
		t.Errorf("a training that another node asked for: %v", err)
	}
}
