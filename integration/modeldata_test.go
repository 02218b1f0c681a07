package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fovea/integration/process"
)

// side is that of the images of the tests, in pixels.
const side = 96

// A part is a rendered image of a grey plate, with a red scratch or without.
func part(seed uint64, scratched bool) (photo, mask *image.NRGBA) {
	rng := rand.New(rand.NewPCG(seed, 1))
	photo, mask = image.NewNRGBA(image.Rect(0, 0, side, side)), image.NewNRGBA(image.Rect(0, 0, side, side))
	draw.Draw(mask, mask.Bounds(), image.White, image.Point{}, draw.Src)
	for y := range side {
		for x := range side {
			v := uint8(120 + rng.IntN(16))
			photo.SetNRGBA(x, y, color.NRGBA{v, v, v, 255})
		}
	}
	if scratched {
		at := image.Pt(16+rng.IntN(40), 16+rng.IntN(40))
		spot := image.Rectangle{at, at.Add(image.Pt(24, 14))}
		draw.Draw(photo, spot, image.NewUniform(color.NRGBA{200, 30, 30, 255}), image.Point{}, draw.Src)
		draw.Draw(mask, spot, image.NewUniform(color.NRGBA{0x23, 0xA4, 0x36, 255}), image.Point{}, draw.Src)
	}
	return photo, mask
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// put writes an object into the bucket factory.
func put(t testing.TB, server *process.Server, key string, data []byte) {
	t.Helper()
	if err := server.Put(t.Context(), "factory", key, bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
}

// putParts writes images of parts, the first of them without scratches, and
// returns their manifest for Lookout; with masks it says where scratches are.
func putParts(t testing.TB, server *process.Server, normal, scratched int, masks bool) string {
	t.Helper()
	var manifest strings.Builder
	for i := range normal + scratched {
		photo, mask := part(uint64(i), i >= normal)
		key := fmt.Sprintf("parts/%02d.png", i)
		put(t, server, key, pngOf(t, photo))
		text := cookie(key, "normal", "2026-01-01T00:00:00")
		if i >= normal {
			text = cookie(key, "anomaly", "2026-01-01T00:00:00")
			if masks {
				at := fmt.Sprintf("masks/%02d.png", i)
				put(t, server, at, pngOf(t, mask))
				text = strings.TrimSuffix(text, "}\n") + fmt.Sprintf(`,"anomaly-mask-ref":"s3://factory/%s","anomaly-mask-ref-metadata":{"internal-color-map":`+
					`{"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0},"1":{"class-name":"scratch","hex-color":"#23A436","confidence":0}},`+
					`"type":"groundtruth/semantic-segmentation","human-annotated":"yes","creation-date":"2026-01-01T00:00:00","job-name":"labeling-job/x"}}`+"\n", at)
			}
		}
		manifest.WriteString(text)
	}
	return manifest.String()
}

// putLeaves writes n images of each of two labels of Custom Labels and returns
// their manifest.
func putLeaves(t testing.TB, server *process.Server, prefix string, n int) string {
	t.Helper()
	var manifest strings.Builder
	for i := range 2 * n {
		photo, _ := part(uint64(100+i), i >= n)
		key := fmt.Sprintf("%s/%02d.jpg", prefix, i)
		put(t, server, key, jpegOf(t, photo))
		manifest.WriteString(leaf(key, []string{"good", "scratched"}[i/n]))
	}
	return manifest.String()
}

// patience is how long the tests wait for what has to come. It ends what hangs,
// and says nothing of how long something may take: the machine may be slow and
// have much else to do.
const patience = 20 * time.Minute

// await asks until an answer does not match a pattern any more, and returns it.
func await(t testing.TB, what string, ask func() (map[string]any, error), while string) map[string]any {
	t.Helper()
	var pattern any
	if err := json.Unmarshal([]byte(while), &pattern); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		got, err := ask()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if match(pattern, got) != "" {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: after %v it still is %s", what, patience, show(got))
		}
	}
}

// lookoutModel describes a model of Lookout.
func lookoutModel(t testing.TB, server *process.Server, project, version string) func() (map[string]any, error) {
	return func() (out map[string]any, err error) {
		err = server.Lookout(t.Context(), "GET", "/projects/"+project+"/models/"+version, nil, nil, &out)
		return out, err
	}
}

// versionsOf describes the versions of a project of Custom Labels.
func versionsOf(t testing.TB, server *process.Server, project string) func() (map[string]any, error) {
	return func() (out map[string]any, err error) {
		err = server.Rekognition(t.Context(), "DescribeProjectVersions", map[string]any{"ProjectArn": project}, &out)
		return out, err
	}
}
