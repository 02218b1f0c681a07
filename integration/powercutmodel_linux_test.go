package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea/integration/cutfs"
)

// version returns a look at a model of Custom Labels: what is told of it is what
// was told when the look was made.
func (m *machine) version(project, name string) func() error {
	describe := func() (string, error) {
		v, err := versionNamed(context.WithoutCancel(m.t.Context()), m.server, project, name)
		if err == nil && v == nil {
			err = fmt.Errorf("there is no model %s", name)
		}
		return show(v), err
	}
	want, err := describe()
	return func() error {
		got, now := describe()
		if err == nil && now == nil && got != want {
			now = fmt.Errorf("it is %s, and was %s", got, want)
		}
		return now
	}
}

// gone returns a look at a model of Custom Labels that was deleted.
func (m *machine) gone(project, name string) func() error {
	return func() error {
		v, err := versionNamed(m.t.Context(), m.server, project, name)
		if err == nil && v != nil {
			err = fmt.Errorf("it is there: %s", show(v))
		}
		return err
	}
}

// newModelMachine returns a machine with a trained model of Custom Labels, v1 of
// the project leaves.
func newModelMachine(t *testing.T) (m *machine, project, version string) {
	t.Helper()
	return newLyingModelMachine(t, nil)
}

// newLyingModelMachine is newModelMachine with a disk that lies.
func newLyingModelMachine(t *testing.T, lies func(path string) bool) (m *machine, project, version string) {
	t.Helper()
	m = newMachine(t, lies)
	if err := m.server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	project, version = trainLeaves(t, m.server, "leaves", putLeaves(t, m.server, "train", 4), putLeaves(t, m.server, "test", 2))
	trainedLeaves(t, m.server, project)
	m.told("the training of leaves", m.version(project, "v1"))
	return m, project, version
}

// TestPowerCutModels (T17): the power goes as soon as models of both services are
// trained, copied, imported, deleted and hosted, and all that was not synced is
// lost. All is as it was told, and what runs detects the same.
func TestPowerCutModels(t *testing.T) {
	t.Parallel()
	m, project, version := newModelMachine(t)
	s := m.server
	runVersion(t, s, project, version)
	trainParts(t, s, "parts", putParts(t, s, 6, 4, false))
	trainedParts(t, s, "parts")
	startModel(t, s, "parts")
	bundle := bundleOf(t, s, "custom-labels/leaves/models/v1")
	if _, err := copyVersion(t.Context(), s, project, version, "copy"); err != nil {
		t.Fatal(err)
	}
	awaitCopy(t, m, project, "copy")
	for _, name := range []string{"imported", "gone"} {
		if err := importBundle(t.Context(), s, "leaves", name, bundle); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := versionNamed(t.Context(), s, project, "gone")
	if err == nil {
		err = s.Rekognition(t.Context(), "DeleteProjectVersion", map[string]any{"ProjectVersionArn": gone["ProjectVersionArn"]}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	want := detections(t, s, "parts", version)
	m.facts = nil // the model of the first runs now
	for _, name := range []string{"v1", "copy", "imported"} {
		m.told("the model "+name, m.version(project, name))
	}
	m.told("the deletion", m.gone(project, "gone"))
	result := resultOf(t, s, "parts")
	for _, prefix := range []string{"lv/", "cl/", "copies/", "in/"} {
		texts := objectsUnder(t, s, prefix)
		if len(texts) < 2 {
			t.Errorf("%d files under %s", len(texts), prefix)
		}
		for key, text := range texts {
			m.told("the file "+key, m.object(key, text))
		}
	}
	for n, loss := range []cutfs.Loss{cutfs.All, cutfs.Some} {
		if err := m.cut(loss, rand.New(rand.NewPCG(uint64(n), 1))); err != nil {
			t.Fatal(err)
		}
		if lost := m.lost(); len(lost) > 0 {
			t.Errorf("cut %d has lost %s", n, strings.Join(lost, "; "))
		}
		if diff := cmp.Diff(result, resultOf(t, s, "parts")); diff != "" {
			t.Errorf("the model of Lookout after cut %d (-before +after):\n%s", n, diff)
		}
		if got := detections(t, s, "parts", version); got != want {
			t.Errorf("after cut %d is detected\n%s, before\n%s", n, got, want)
		}
	}
}

// TestPowerCutModelsNeedSyncs (T17): on a disk that claims to have synced the
// folders of weights, and has not, the weights of a trained model are lost; so the
// tests above would notice if that sync were left out.
func TestPowerCutModelsNeedSyncs(t *testing.T) {
	t.Parallel()
	m, _, _ := newLyingModelMachine(t, func(path string) bool { return strings.HasPrefix(path, "data/blobs/weights") })
	if lost := m.lost(); len(lost) > 0 {
		t.Fatalf("before the cut is lost %s", strings.Join(lost, "; "))
	}
	if err := m.cut(cutfs.All, nil); err != nil {
		t.Fatal(err)
	}
	if lost := m.lost(); len(lost) == 0 || !strings.Contains(strings.Join(lost, "; "), "they are missing") {
		t.Errorf("without the sync of the folders of weights is lost %q", lost)
	}
}

// awaitCopy waits until a copy of a model is made.
func awaitCopy(t *testing.T, m *machine, project, name string) {
	t.Helper()
	got := await(t, "the copy", func() (map[string]any, error) { return versionNamed(t.Context(), m.server, project, name) }, `{"Status":"COPYING_IN_PROGRESS"}`)
	if got["Status"] != "COPYING_COMPLETED" {
		t.Errorf("the copy %s is %s", name, show(got))
	}
}

// modelCuts is how often the power is cut in the middle of a training.
const modelCuts = 6

// TestPowerCutTraining (T17): the power goes at any moment of a training, its
// evaluation, copies, imports and deletions of models, and any part of what was
// not synced is lost. The training comes to the same weights and files as one
// that was left alone; what was acknowledged is there, and the rest is whole or
// not there.
func TestPowerCutTraining(t *testing.T) {
	t.Parallel()
	m, project, version := newModelMachine(t)
	bundle := bundleOf(t, m.server, "custom-labels/leaves/models/v1")
	trainParts(t, m.server, "parts", putParts(t, m.server, 8, 6, false))
	m.server.Kill()
	alone := running(t, copyOf(t, m.server.Data), "--limits", "none", "--training-cores", "2") // and m has one
	began := time.Now()
	trainedParts(t, alone, "parts")
	took := time.Since(began)
	want := resultOf(t, alone, "parts")
	if n := len(want["weights"].([]string)); n != 2 {
		t.Fatalf("there are %d weights of two models", n)
	}
	alone.Kill()

	if err := m.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	resumed := 0
	for n := range modelCuts {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		type told struct{ facts, copies []fact }
		done := make(chan told, 1)
		go func() {
			facts, copies := m.disturbedModels(project, version, fmt.Sprint("m", n), bundle)
			done <- told{facts, copies}
		}()
		time.Sleep(time.Duration(rng.Int64N(int64(took))))
		m.server.Kill()
		acknowledged := <-done
		m.facts = append(m.facts, acknowledged.facts...)
		if err := m.cut([]cutfs.Loss{cutfs.All, cutfs.Some}[n%2], rng); err != nil {
			t.Fatalf("cut %d, seed %d: %v", n, seed, err)
		}
		for _, c := range acknowledged.copies {
			awaitCopy(t, m, project, c.what)
		}
		if got, err := lookoutModel(t, m.server, "parts", "1")(); err != nil {
			t.Fatal(err)
		} else if status, _ := lookup(got, "ModelDescription.Status"); status == "TRAINING" {
			resumed++
		}
		if lost := m.lost(); len(lost) > 0 {
			t.Fatalf("cut %d, seed %d, has lost %s", n, seed, strings.Join(lost, "; "))
		}
	}
	trainedParts(t, m.server, "parts")
	if diff := cmp.Diff(want, resultOf(t, m.server, "parts")); diff != "" {
		t.Errorf("what came of the training (-alone +cut):\n%s", diff)
	}
	if lost := m.lost(); len(lost) > 0 {
		t.Errorf("in the end is lost %s", strings.Join(lost, "; "))
	}
	t.Logf("%d of %d cuts left the training to be gone on with, %d facts, %d syncs", resumed, modelCuts, len(m.facts), m.disk.Syncs())
}

// disturbedModels copies, imports and deletes models until the server is gone.
// It returns what was acknowledged, and the copies that were begun.
func (m *machine) disturbedModels(project, version, name string, bundle []byte) (facts, copies []fact) {
	ctx := context.WithoutCancel(m.t.Context())
	for n := 0; ; n++ {
		time.Sleep(20 * time.Millisecond) // so that the training has its share
		name := fmt.Sprint(name, "-", n)
		if _, err := copyVersion(ctx, m.server, project, version, name+"c"); err != nil {
			return facts, copies
		}
		copies = append(copies, fact{what: name + "c"})
		if importBundle(ctx, m.server, "leaves", name, bundle) != nil {
			return facts, copies
		}
		v, err := versionNamed(ctx, m.server, project, name)
		if err != nil {
			return append(facts, fact{"the import of " + name, m.version(project, name)}), copies
		}
		if n%2 == 0 {
			facts = append(facts, fact{"the import of " + name, m.version(project, name)})
			continue
		}
		if m.server.Rekognition(ctx, "DeleteProjectVersion", map[string]any{"ProjectVersionArn": v["ProjectVersionArn"]}, nil) != nil {
			return facts, copies // whole or not at all
		}
		facts = append(facts, fact{"the deletion of " + name, m.gone(project, name)})
	}
}
