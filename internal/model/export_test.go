package model_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fovea"
	"fovea/internal/appraisal"
	"fovea/internal/bundle"
	"fovea/internal/hosting"
	"fovea/internal/model"
	"fovea/internal/rekognition"
)

func bundleKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

// reports is learns with a report and thresholds.
func reports(ctx context.Context, run *model.Run) (*fovea.TrainingResult, error) {
	result, err := learns(ctx, run)
	if err != nil {
		return nil, err
	}
	result.Thresholds, result.Backbone = map[string]float64{"a": 0.5, "b": 0.25}, "P 00ff"
	return result, run.PutReport(ctx, &appraisal.Report{Form: appraisal.Form, Kind: "fake"})
}

// trained returns a world with the model v1, trained with a report.
func trained(t testing.TB, service fovea.Service) (*world, *fovea.Model) {
	t.Helper()
	w := newWorld(t, service)
	w.trainer.train = reports
	w.load(t, fovea.Train, line("1.jpg", "normal"), line("2.jpg", "anomaly"))
	name := "v1"
	if service == fovea.Lookout {
		name = ""
	}
	m := w.run(t, w.create(t, name))
	if m.Status != fovea.Trained {
		t.Fatalf("%+v", m)
	}
	return w, m
}

func (w *world) blobNames(t testing.TB) (names []string) {
	t.Helper()
	for info, err := range w.Blobs.List(context.Background(), "weights/") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func TestReport(t *testing.T) {
	ctx := t.Context()
	w, m := trained(t, fovea.CustomLabels)
	blob, err := w.Report(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(io.NewSectionReader(blob, 0, blob.Size()))
	blob.Close()
	if err != nil || !strings.Contains(string(text), `"report":"fovea.model-report/1"`) {
		t.Errorf("%s %v", text, err)
	}
	_, err = w.Report(ctx, &fovea.Model{Name: "v2", Status: fovea.Training})
	want(t, "no weights", err, fovea.NotReady, "v2", "training")
	_, err = w.Report(ctx, &fovea.Model{Name: "v3", Status: fovea.Trained, Weights: "weights/0/model"})
	want(t, "no report", err, fovea.NotFound, "v3")

	w.SweepAge = -20 * 365 * 24 * time.Hour // whatever the clock of the world says
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	if n := len(w.blobNames(t)); n != 2 {
		t.Errorf("%d blobs after a sweep, want the weights and the report", n)
	}
	if _, err := w.Delete(ctx, w.ref("v1"), tagsOf); err != nil {
		t.Fatal(err)
	}
	if err := w.RunSweep(ctx); err != nil {
		t.Fatal(err)
	}
	if names := w.blobNames(t); len(names) != 0 {
		t.Errorf("%q stay after the model", names)
	}
}

func TestSetThresholds(t *testing.T) {
	ctx := t.Context()
	w, _ := trained(t, fovea.CustomLabels)
	at := func(v float64) *float64 { return &v }
	for _, step := range []struct {
		change map[string]*float64
		want   map[string]float64
	}{
		{map[string]*float64{"a": at(0.75)}, map[string]float64{"a": 0.75}},
		{map[string]*float64{"b": at(0)}, map[string]float64{"a": 0.75, "b": 0}},
		{map[string]*float64{"a": nil}, map[string]float64{"b": 0}},
		{map[string]*float64{"b": nil}, nil},
		{map[string]*float64{"b": at(1)}, map[string]float64{"b": 1}},
	} {
		v, err := w.SetThresholds(ctx, w.ref("v1"), step.change)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, w.get(t, v.Model.ID).Thresholds); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", step.change, diff)
		}
	}
	list, err := model.Thresholds(must(w.Find(ctx, w.ref("v1"))).Model)
	if err != nil || len(list) != 2 || list[0].Set != nil || list[1].Chosen != 0.25 || *list[1].Set != 1 {
		t.Errorf("%+v %v", list, err)
	}
	for name, change := range map[string]map[string]*float64{"no label": {"c": at(0.5)}, "below": {"a": at(-0.1)}, "above": {"a": at(1.1)}} {
		_, err := w.SetThresholds(ctx, w.ref("v1"), change)
		want(t, name, err, fovea.Invalid)
	}
	if _, err := w.ResetThresholds(ctx, w.ref("v1")); err != nil || must(w.Find(ctx, w.ref("v1"))).Model.Thresholds != nil {
		t.Error("they are still set", err)
	}
	_, err = w.SetThresholds(ctx, w.ref("v2"), map[string]*float64{"a": nil})
	want(t, "no model", err, fovea.NotFound)
	w.create(t, "v3")
	_, err = w.SetThresholds(ctx, w.ref("v3"), map[string]*float64{"a": at(1)})
	want(t, "in training", err, fovea.NotReady, "v3")
}

func must(v *model.View, err error) *model.View {
	if err != nil {
		panic(err)
	}
	return v
}

func TestBundleGoesRound(t *testing.T) {
	ctx := t.Context()
	w, m := trained(t, fovea.CustomLabels)
	half := 0.5
	if _, err := w.SetThresholds(ctx, w.ref("v1"), map[string]*float64{"b": &half}); err != nil {
		t.Fatal(err)
	}
	key := bundleKey(1)
	data, err := w.Export(ctx, w.ref("v1"), key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Open(data, publicOf(key))
	if err != nil {
		t.Fatal(err)
	}
	var p model.Passport
	if err := json.Unmarshal(b.Statement, &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Datasets) != 1 || p.Datasets[0].Revision != 1 || p.Datasets[0].Entries != 2 || p.Backbone != "P 00ff" || p.Code != "v9" || p.Exporter != "v9" || p.Limits == nil {
		t.Errorf("the passport is %+v", p)
	}
	other := newWorld(t, fovea.CustomLabels)
	var asked []string
	other.Ready = func(_ context.Context, m *fovea.Model) error { asked = append(asked, m.Weights); return nil }
	out := fovea.ObjectRef{Bucket: "out", Key: "in/"}
	v, err := other.Import(ctx, model.ImportSpec{Project: other.project, Name: "v7", Output: out, Bundle: data, Trusted: []ed25519.PublicKey{publicOf(key)}})
	if err != nil {
		t.Fatal(err)
	}
	got := other.get(t, v.Model.ID)
	if !slices.Equal(asked, []string{got.Weights}) {
		t.Errorf("asked whether %q can be loaded", asked)
	}
	want := &fovea.Model{
		ID: v.Model.ID, Project: v.Project.ID, Name: "v7", Created: got.Created, Updated: got.Created, Status: fovea.Trained, Progress: 1,
		Weights: got.Weights, Asked: fovea.Asked{Output: out, Description: "d", AutoSplit: m.Asked.AutoSplit}, Thresholds: map[string]float64{"b": 0.5},
	}
	result := *m.Result
	result.Summary = fovea.ObjectRef{Bucket: "out", Key: "in/EvaluationResultSummary-parts-v7.json"}
	want.Result = &result
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the model (-want +got):\n%s", diff)
	}
	if other.objects.text("out", result.Summary.Key) != "{}" {
		t.Error("the evaluation was not copied")
	}
	a, err := w.ReadWeights(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := other.ReadWeights(ctx, got); err != nil || !bytes.Equal(a, b) {
		t.Errorf("the weights are %q and not %q: %v", b, a, err)
	}
}

// A training that is under way does not keep a model from being imported; a name
// that is taken does, and so does a project that is full.
func TestImportLimits(t *testing.T) {
	ctx := t.Context()
	w, _ := trained(t, fovea.CustomLabels)
	key := bundleKey(1)
	data, err := w.Export(ctx, w.ref("v1"), key)
	if err != nil {
		t.Fatal(err)
	}
	spec := func(name string) model.ImportSpec {
		return model.ImportSpec{Project: w.project, Name: name, Output: fovea.ObjectRef{Bucket: "out"}, Bundle: data, Trusted: []ed25519.PublicKey{publicOf(key)}}
	}
	w.limit(func(l *fovea.Limits) { l.Trainings, l.Models = 1, 3 })
	w.create(t, "v2")
	if _, err := w.Import(ctx, spec("v3")); err != nil {
		t.Error(err)
	}
	before := w.blobNames(t)
	_, err = w.Import(ctx, spec("v1"))
	want(t, "full", err, fovea.Quota)
	w.limit(func(l *fovea.Limits) { l.Models = 0 })
	_, err = w.Import(ctx, spec("v1"))
	want(t, "a name that is taken", err, fovea.InUse, "v1")
	for name, change := range map[string]func(*model.ImportSpec){
		"no output":       func(s *model.ImportSpec) { s.Output.Bucket = "" },
		"no name":         func(s *model.ImportSpec) { s.Name = "" },
		"a bad name":      func(s *model.ImportSpec) { s.Name = "../x" },
		"another service": func(s *model.ImportSpec) { s.Project.Service, s.Name = fovea.Lookout, "" },
		"no trust":        func(s *model.ImportSpec) { s.Trusted = nil },
		"another key":     func(s *model.ImportSpec) { s.Trusted = []ed25519.PublicKey{publicOf(bundleKey(2))} },
		"nothing":         func(s *model.ImportSpec) { s.Bundle = nil },
	} {
		s := spec("v9")
		change(&s)
		_, err := w.Import(ctx, s)
		want(t, name, err, fovea.Invalid)
	}
	missing := spec("v9")
	missing.Project.Name = "other"
	_, err = w.Import(ctx, missing)
	want(t, "no project", err, fovea.NotFound, "other")
	w.objects.refuse = fovea.Errorf(fovea.Denied, "no")
	_, err = w.Import(ctx, spec("v9"))
	want(t, "an output that cannot be written", err, fovea.Invalid, "s3://out/")
	if after := w.blobNames(t); !slices.Equal(before, after) {
		t.Errorf("blobs before %q, and after what was refused %q", before, after)
	}
	_, err = w.Export(ctx, w.ref("v2"), key)
	want(t, "export in training", err, fovea.NotReady, "v2")
}

// tensors returns a safetensors file whose header says these things.
func tensors(header string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
}

// T23: what a trusted key has signed may be nonsense: it is refused before any
// memory is asked for that the bundle does not have itself, and nothing of it
// stays.
func TestHardeningT23SignedModels(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, fovea.CustomLabels)
	w.Ready = func(ctx context.Context, m *fovea.Model) error {
		weights, err := w.ReadWeights(ctx, m)
		if err != nil {
			return err
		}
		if _, err = rekognition.Load(weights, &hosting.Backbones{}); err != nil && fovea.KindOf(err) == fovea.Internal {
			err = &model.Damage{Weights: m.Weights, Problem: err.Error()} // as the server does
		}
		return err
	}
	key := bundleKey(1)
	settings := model.Part{Name: "settings", Data: []byte(`{"Labels":["a"],"Thresholds":[0.5]}`)}
	giant := `{"__metadata__":{"kind":"classifier","version":"1","description":"{}","sha256":""},"w":{"dtype":"F32","shape":[1000000,1000000],"data_offsets":[0,4000000000000]}}`
	overflow := strings.Replace(giant, "[1000000,1000000]", "[4611686018427387904,4]", 1)
	const passport = `{"service":"custom-labels","thresholds":{"a":0.5}}`
	for name, tt := range map[string]struct {
		statement string
		weights   []byte
	}{
		"no weights":         {passport, nil},
		"empty":              {passport, []byte{}},
		"no parts":           {passport, model.JoinParts()},
		"only settings":      {passport, model.JoinParts(settings)},
		"a giant tensor":     {passport, model.JoinParts(settings, model.Part{Name: "classifier", Data: tensors(giant)})},
		"a shape that wraps": {passport, model.JoinParts(settings, model.Part{Name: "detector", Data: tensors(overflow)})},
		"a long header":      {passport, model.JoinParts(settings, model.Part{Name: "detector", Data: bytes.Repeat([]byte{255}, 64)})},
		"another service":    {`{"service":"lookout"}`, []byte("x")},
		"no service":         {`{"x":1}`, []byte("x")},
		"a threshold of 7":   {`{"service":"custom-labels","thresholds":{"a":7}}`, []byte("x")},
		"an F1 below 0":      {`{"service":"custom-labels","f1":-1}`, []byte("x")},
		"set for no label":   {`{"service":"custom-labels","thresholds":{"a":0.5},"set_thresholds":{"b":0.5}}`, []byte("x")},
		"wrong types":        {`{"service":3}`, []byte("x")},
		"a year 0":           {`{"service":"custom-labels","trained":"no time"}`, []byte("x")},
		"many thresholds":    {manyThresholds(2000), []byte("x")},
	} {
		files := []bundle.Content{{Name: "report", Data: []byte("{}")}}
		if tt.weights != nil {
			files = append(files, bundle.Content{Name: "weights", Data: tt.weights})
		}
		data, err := bundle.Write(key, json.RawMessage(tt.statement), files, time.Unix(1_800_000_000, 0))
		if err != nil {
			t.Fatal(name, err)
		}
		_, err = w.Import(ctx, model.ImportSpec{Project: w.project, Name: "v1", Output: fovea.ObjectRef{Bucket: "out"}, Bundle: data, Trusted: []ed25519.PublicKey{publicOf(key)}})
		want(t, name, err, fovea.Invalid)
		if names := w.blobNames(t); len(names) != 0 {
			t.Errorf("%s: %q stay", name, names)
		}
		if _, err := w.Find(ctx, w.ref("v1")); fovea.KindOf(err) != fovea.NotFound {
			t.Errorf("%s: a model stays", name)
		}
	}
}

func manyThresholds(n int) string {
	var b strings.Builder
	b.WriteString(`{"service":"custom-labels","thresholds":{"x":0`)
	for i := range n {
		fmt.Fprintf(&b, `,"%d":0.5`, i)
	}
	return b.String() + "}}"
}

// Models of Lookout have numbers, which go on.
func TestImportNumbers(t *testing.T) {
	ctx := t.Context()
	w, m := trained(t, fovea.Lookout)
	key := bundleKey(1)
	data, err := w.Export(ctx, w.ref(m.Name), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"2", "3"} {
		v, err := w.Import(ctx, model.ImportSpec{Project: w.project, Output: fovea.ObjectRef{Bucket: "out"}, Bundle: data, Trusted: []ed25519.PublicKey{publicOf(key)}})
		if err != nil || v.Model.Name != name {
			t.Fatalf("%+v, want %s: %v", v, name, err)
		}
	}
	if v := must(w.Find(ctx, w.ref(model.Latest))); v.Model.Name != "3" {
		t.Errorf("the latest is %s", v.Model.Name)
	}
}

// FuzzImport: whatever a signed statement says, it is refused, or becomes a
// model whose numbers are what the services can tell.
func FuzzImport(f *testing.F) {
	key := bundleKey(1)
	f.Add([]byte(`{"service":"custom-labels","thresholds":{"a":0.5},"set_thresholds":{"a":0.25},"f1":0.5}`))
	f.Add([]byte(`{"service":"custom-labels","trained":"2026-01-02T03:04:05Z","seconds":-1}`))
	w := newWorld(f, fovea.CustomLabels)
	n := 0
	f.Fuzz(func(t *testing.T, statement []byte) {
		data, err := bundle.Write(key, statement, []bundle.Content{{Name: "weights", Data: []byte("x")}}, time.Unix(1_800_000_000, 0))
		if err != nil {
			return
		}
		w.limit(func(l *fovea.Limits) { l.Models = 0 })
		n++
		v, err := w.Import(context.Background(), model.ImportSpec{
			Project: w.project, Name: fmt.Sprint("v", n), Output: fovea.ObjectRef{Bucket: "out"}, Bundle: data, Trusted: []ed25519.PublicKey{publicOf(key)},
		})
		if err != nil {
			if fovea.KindOf(err) == fovea.Internal {
				t.Errorf("our fault: %v", err)
			}
			return
		}
		r := v.Model.Result
		if !(r.F1 >= 0 && r.F1 <= 1) || r.Seconds < 0 {
			t.Errorf("it is worth %v, after %d s", r.F1, r.Seconds)
		}
	})
}
