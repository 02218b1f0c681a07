package demo

import (
	"bytes"
	"encoding/json"
	"image"
	"strings"
	"testing"
	"time"
)

// someParts returns parts without drawing them.
func someParts(n int, name string) []*part {
	parts := make([]*part, n)
	for i := range parts {
		parts[i] = &part{name: name + "-" + string(rune('A'+i)), boxes: []box{
			{"scratch", image.Rect(200, 40, 240, 60)}, {"bolt", image.Rect(10, 20, 30, 40)}, {"bolt", image.Rect(200, 20, 230, 40)},
		}}
	}
	return parts
}

// manifestsOf returns the lines of the manifests by their place.
func manifestsOf(t *testing.T) map[string][][]byte {
	t.Helper()
	s := &story{plates: someParts(imagesEach, "plate"), flanges: someParts(imagesEach, "flange"), lids: someParts(lidsDrawn, "lid")}
	for i, p := range s.flanges {
		p.defect = defectOf(i)
		p.masked = p.defect != ""
	}
	for i, p := range s.lids {
		p.defect = flawOf(i)
	}
	out := make(map[string][][]byte)
	for _, f := range s.manifests(time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)) {
		if !bytes.HasSuffix(f.data, []byte("}\n")) {
			t.Errorf("%s does not end with a line", f.key)
		}
		out[f.bucket+"/"+f.key] = bytes.Split(bytes.TrimSuffix(f.data, []byte("\n")), []byte("\n"))
	}
	return out
}

func TestManifestLines(t *testing.T) {
	all := manifestsOf(t)
	for name, n := range map[string]int{
		"demo-plates/train.manifest": 32, "demo-plates/test.manifest": 8,
		"demo-flanges/train.manifest": 20, "demo-flanges/test.manifest": 20, "demo-flanges/bad.manifest": 20,
		"demo-lids/train.manifest": 80, "demo-lids/test.manifest": 40,
	} {
		if len(all[name]) != n {
			t.Errorf("%s has %d lines, want %d", name, len(all[name]), n)
		}
	}
	const plate = `{"source-ref":"s3://demo-plates/images/plate-A.jpg",` +
		`"parts":{"image_size":[{"width":320,"height":240,"depth":3}],"annotations":[` +
		`{"class_id":0,"left":10,"top":20,"width":20,"height":20},{"class_id":0,"left":200,"top":20,"width":30,"height":20},` +
		`{"class_id":2,"left":200,"top":40,"width":40,"height":20}]},` +
		`"parts-metadata":{"objects":[{"confidence":1},{"confidence":1},{"confidence":1}],` +
		`"class-map":{"0":"bolt","1":"hole","2":"scratch"},"type":"groundtruth/object-detection",` +
		`"human-annotated":"yes","creation-date":"2026-01-02T03:04:05.006Z","job-name":"labeling-job/parts"}}`
	if got := string(all["demo-plates/train.manifest"][0]); got != plate {
		t.Errorf("plate\n%s, want\n%s", got, plate)
	}
	const mask = `"anomaly-mask-ref":"s3://demo-flanges/masks/flange-M.png","anomaly-mask-ref-metadata":{"internal-color-map":` +
		`{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0},"1":{"class-name":"scratch","hex-color":"#2ca02c","confidence":0},` +
		`"2":{"class-name":"dent","hex-color":"#1f77b4","confidence":0},"3":{"class-name":"stain","hex-color":"#d62728","confidence":0}},`
	if got := string(all["demo-flanges/train.manifest"][12]); !strings.Contains(got, mask) || !strings.Contains(got, `"class-name":"anomaly"`) {
		t.Errorf("anomalous flange\n%s, want in it\n%s", got, mask)
	}
	if got := string(all["demo-flanges/train.manifest"][0]); strings.Contains(got, "mask") || !strings.Contains(got, `"class-name":"normal"`) {
		t.Errorf("good flange\n%s, want it normal and without a mask", got)
	}
	anomalies := 0
	for _, line := range all["demo-lids/train.manifest"] {
		if bytes.Contains(line, []byte("mask")) {
			t.Errorf("lid\n%s, want it without a mask", line)
		}
		anomalies += bytes.Count(line, []byte(`"class-name":"anomaly"`))
	}
	if anomalies != 32 {
		t.Errorf("%d lids of the training are anomalous, want 32", anomalies)
	}
}

func TestBrokenLines(t *testing.T) {
	all := manifestsOf(t)
	var notJSON, noRef, copies int
	seen := make(map[string]bool)
	for _, line := range all["demo-plates/train.manifest"] {
		var l plateLine
		if err := json.Unmarshal(line, &l); err != nil {
			notJSON++
			continue
		}
		if l.SourceRef == "" {
			noRef++
		}
		if seen[l.SourceRef] {
			copies++
		}
		seen[l.SourceRef] = true
	}
	if notJSON != 1 || noRef != 1 || copies != 1 {
		t.Errorf("%d lines are no JSON, %d lack an image, %d are copies; want one of each", notJSON, noRef, copies)
	}
	differ := 0
	for i, line := range all["demo-flanges/bad.manifest"] {
		if !bytes.Equal(line, all["demo-flanges/train.manifest"][i]) {
			differ++
		}
	}
	if differ != 2 {
		t.Errorf("%d lines of the bad manifest differ from the good one, want 2", differ)
	}
}
