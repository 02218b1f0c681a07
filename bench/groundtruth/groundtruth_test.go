package groundtruth_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"fovea/bench/groundtruth"
)

func TestManifest(t *testing.T) {
	for _, tt := range []struct {
		name     string
		manifest groundtruth.Manifest
	}{
		{"boxes", groundtruth.Manifest{Lines: 5000}},
		{"classes", groundtruth.Manifest{Lines: 5000, Kind: groundtruth.Classes}},
		{"anomaly", groundtruth.Manifest{Lines: 5000, Kind: groundtruth.Anomaly}},
		{"faults", groundtruth.Manifest{Lines: 5000, Errors: 0.05, Dropped: 0.1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var text bytes.Buffer
			size, err := tt.manifest.WriteTo(&text)
			if err != nil || size != int64(text.Len()) {
				t.Fatalf("WriteTo = %d, %v; wrote %d", size, err, text.Len())
			}
			t.Logf("%d bytes a line", size/tt.manifest.Lines)
			seen := map[string]bool{}
			var entries, errs int64
			for i, line := range bytes.Split(bytes.TrimSuffix(text.Bytes(), []byte("\n")), []byte("\n")) {
				fault := tt.manifest.Fault(int64(i))
				var e struct {
					Ref string `json:"source-ref"`
				}
				err := json.Unmarshal(line, &e)
				if (err != nil) != (fault == groundtruth.NotJSON) {
					t.Fatalf("line %d with fault %d: %v", i, fault, err)
				}
				if repeated := seen[e.Ref] && e.Ref != "" && fault != groundtruth.BadSourceRef; repeated != (fault == groundtruth.Repeated) {
					t.Fatalf("line %d with fault %d: source-ref %q was seen: %v", i, fault, e.Ref, repeated)
				}
				seen[e.Ref] = true
				if !fault.Drops() {
					entries++
					if fault.Code() != "" {
						errs++
					}
				}
			}
			if gotEntries, gotErrs := tt.manifest.Totals(); gotEntries != entries || gotErrs != errs {
				t.Errorf("Totals = %d, %d, want %d, %d", gotEntries, gotErrs, entries, errs)
			}
		})
	}
}

func TestManifestIsAlwaysTheSame(t *testing.T) {
	m := groundtruth.Manifest{Lines: 100, Errors: 0.2, Dropped: 0.2}
	var a, b bytes.Buffer
	if _, err := m.WriteTo(&a); err != nil {
		t.Fatal(err)
	}
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two writings differ")
	}
}
