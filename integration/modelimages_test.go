package integration

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	bin "encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"fovea/integration/process"
)

// detectLabels calls DetectCustomLabels with an image, and takes what is answered
// into out.
func detectLabels(t *testing.T, server *process.Server, version string, image []byte, out any) error {
	t.Helper()
	in := map[string]any{"ProjectVersionArn": version, "MinConfidence": 0, "Image": map[string]any{"Bytes": base64.StdEncoding.EncodeToString(image)}}
	return server.Rekognition(t.Context(), "DetectCustomLabels", in, out)
}

// detectAnomalies calls DetectAnomalies of model 1 of a project with an image,
// and takes what is answered into out.
func detectAnomalies(t *testing.T, server *process.Server, project, contentType string, image []byte, out any) error {
	t.Helper()
	path := "/2020-11-20/projects/" + project + "/models/1/detect"
	resp, err := server.Do(t.Context(), "lookoutvision", "POST", path, map[string][]string{"Content-Type": {contentType}}, image)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &process.AnswerError{Status: resp.StatusCode, Header: resp.Header, Body: text}
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// The size of the images of TestModelImages: that of the JPEGs in the tests of
// Go's own decoders, whose encoder knows neither progressive ones nor CMYK.
const (
	plateWidth  = 150
	plateHeight = 103
)

// plate returns a picture of a plate, with a red scratch or without.
func plate(seed uint64, w, h int, scratched bool) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	rng := rand.New(rand.NewPCG(seed, 2))
	for i := 0; i < len(m.Pix); i += 4 {
		v := uint8(120 + rng.IntN(16))
		copy(m.Pix[i:], []uint8{v, v, v, 255})
	}
	if scratched {
		at := image.Pt(20+rng.IntN(60), 20+rng.IntN(40))
		draw.Draw(m, image.Rectangle{at, at.Add(image.Pt(40, 24))}, image.NewUniform(color.NRGBA{200, 30, 30, 255}), image.Point{}, draw.Src)
	}
	return m
}

// as returns a picture in a form of the standard library.
func as(to draw.Image, m image.Image) image.Image {
	draw.Draw(to, to.Bounds(), m, image.Point{}, draw.Src)
	return to
}

// pngChunk returns a chunk of a PNG.
func pngChunk(kind string, data []byte) []byte {
	out := bin.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return bin.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// zeros returns n zeros as zlib packs them.
func zeros(n int64) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.CopyN(w, zero{}, n) // which does not fail, nor does a buffer
	w.Close()
	return b.Bytes()
}

// bomb is 200 MB of zeros, packed.
var bomb = sync.OnceValue(func() []byte { return zeros(200 << 20) })

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// pngLying returns a grey PNG whose header tells a size, and whose pixels are
// what is packed.
func pngLying(w, h uint32, packed []byte, before ...[]byte) []byte {
	head := bin.BigEndian.AppendUint32(bin.BigEndian.AppendUint32(nil, w), h)
	parts := [][]byte{[]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(head, 8, 0, 0, 0, 0))}
	parts = append(parts, before...)
	return bytes.Join(append(parts, pngChunk("IDAT", packed), pngChunk("IEND", nil)), nil)
}

// turned returns a JPEG with an EXIF orientation.
func turned(jpeg []byte, orientation byte) []byte {
	exif := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), orientation, 0, 0, 0, 0, 0, 0)
	return bytes.Join([][]byte{jpeg[:2], {0xff, 0xe1, 0, byte(len(exif) + 2)}, exif, jpeg[2:]}, nil)
}

// standard returns a file of the tests of Go's own decoders.
func standard(t *testing.T, name string) []byte {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	return readFile(t, filepath.Join(strings.TrimSpace(string(root)), "src", "image", "testdata", name))
}

// A modelImage is an image and what the services call what is wrong with it, ""
// for nothing.
type modelImage struct {
	name           string
	data           []byte
	labels, errors string // of DetectCustomLabels and DetectAnomalies
}

const (
	badImage    = "InvalidImageFormatException"
	badParam    = "InvalidParameterException"
	largeImage  = "ImageTooLargeException"
	badAnything = "ValidationException"
)

// modelImages returns images of every form and fault.
func modelImages(t *testing.T) []modelImage {
	good := plate(7, plateWidth, plateHeight, true)
	jpg, rect := jpegOf(t, good), good.Bounds()
	sos := bytes.Index(jpg, []byte{0xff, 0xda})
	scans := bytes.Clone(jpg[:sos])
	for range 101 {
		scans = append(scans, jpg[sos:len(jpg)-2]...)
	}
	scans = append(scans, 0xff, 0xd9)
	var gifBytes bytes.Buffer
	if err := gif.Encode(&gifBytes, good, nil); err != nil {
		t.Fatal(err)
	}
	wide := jpegOf(t, plate(1, 64, 64, false))
	sof := bytes.Index(wide, []byte{0xff, 0xc0})
	copy(wide[sof+5:], []byte{0xff, 0xff, 0xff, 0xff})
	packed, bomb := zeros(plateHeight*(1+plateWidth)), bomb()
	progressive := standard(t, "video-001.progressive.jpeg")
	return []modelImage{
		{"PNG", pngOf(t, good), "", ""},
		{"JPEG", jpg, "", ""},
		{"grey PNG", pngOf(t, as(image.NewGray(rect), good)), "", ""},
		{"PNG of 16 bits", pngOf(t, as(image.NewNRGBA64(rect), good)), "", ""},
		{"grey PNG of 16 bits", pngOf(t, as(image.NewGray16(rect), good)), "", ""},
		{"PNG with a palette", pngOf(t, as(image.NewPaletted(rect, palette.WebSafe), good)), "", ""},
		{"transparent PNG", pngOf(t, image.NewNRGBA(rect)), "", ""},
		{"grey JPEG", jpegOf(t, as(image.NewGray(rect), good)), "", ""},
		{"progressive JPEG", progressive, "", ""},
		{"CMYK", standard(t, "video-001.cmyk.jpeg"), "", ""},
		{"JPEG of RGB", standard(t, "video-001.rgb.jpeg"), "", ""},
		{"JPEG with restarts", standard(t, "video-001.restart2.jpeg"), "", ""},
		{"turned JPEG", turned(jpg, 6), "", ""},
		{"JPEG that is HTML, too", append(bytes.Clone(jpg), "<html><script>alert(1)</script></html>"...), "", ""},
		{"PNG with 200 MB of text", pngLying(plateWidth, plateHeight, packed, pngChunk("zTXt", append([]byte("a\x00\x00"), bomb...))), "", ""},
		{"PNG with a profile of 200 MB", pngLying(plateWidth, plateHeight, packed, pngChunk("iCCP", append([]byte("a\x00\x00"), bomb...))), "", ""},

		{"a column more", pngOf(t, plate(7, plateWidth+1, plateHeight, true)), "", badAnything},
		{"the sides changed", pngOf(t, plate(7, plateHeight, plateWidth, true)), "", badAnything},
		{"63 pixels high", pngOf(t, plate(7, plateWidth, 63, false)), badParam, badAnything},
		{"4097 pixels wide", pngOf(t, plate(7, 4097, plateHeight, false)), largeImage, badAnything},
		{"20.1 times as wide as high", pngOf(t, plate(7, 1287, 64, false)), badParam, badAnything},
		{"PNG of 65000 x 65000", pngLying(65000, 65000, packed), largeImage, badAnything},
		{"PNG of 2147483647 x 2147483647", pngLying(1<<31-1, 1<<31-1, packed), largeImage, badAnything},
		{"JPEG of 65535 x 65535", wide, largeImage, badAnything},
		{"PNG of 0 x 0", pngLying(0, 0, packed), badImage, badAnything},
		{"PNG with too few pixels", pngLying(plateWidth, plateHeight, zeros(100)), badImage, badAnything},
		{"JPEG of 101 scans", scans, badImage, badAnything},
		{"half a PNG", pngOf(t, good)[:2000], badImage, badAnything},
		{"half a JPEG", jpg[:len(jpg)/2], badImage, badAnything},
		{"half a progressive JPEG", progressive[:len(progressive)/2], badImage, badAnything},
		{"the head of a PNG", pngOf(t, good)[:8], badImage, badAnything},
		{"the head of a JPEG", jpg[:3], badImage, badAnything},
		{"GIF", gifBytes.Bytes(), badImage, badAnything},
		{"BMP", append([]byte("BM"), make([]byte, 100)...), badImage, badAnything},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), badImage, badAnything},
		{"HTML", []byte("<html>\xff\xd8\xff"), badImage, badAnything},
		{"a byte", []byte{0}, badImage, badAnything},
		{"nothing", nil, badParam, badAnything},
		{"more than 4 MB", append(bytes.Clone(jpg), make([]byte, 4<<20)...), largeImage, ""},
		{"more than 5 MB", append(bytes.Clone(jpg), make([]byte, 5<<20)...), badParam, ""}, // which the API description forbids
		{"9 MB", append(bytes.Clone(jpg), make([]byte, 9<<20)...), "", badAnything},        // of which the SDKs send no more than 5 MB to Custom Labels
	}
}

// imageLimits are those of AWS for images, with no others: data sets may be
// small.
func imageLimits() (args []string) {
	args = []string{"--limits", "none"}
	for _, l := range []string{"custom-labels.image-bytes=15728640", "custom-labels.image-min-side=64", "custom-labels.image-max-side=4096",
		"custom-labels.image-aspect=20", "lookout.image-bytes=8388608", "lookout.image-min-side=64", "lookout.image-max-side=4096"} {
		args = append(args, "--limit", l)
	}
	return args
}

// trainPlates trains a model of each service on plates, of every form that is
// taken, and with images among them that are none; it returns them running.
func trainPlates(t *testing.T, server *process.Server) (project, version string) {
	t.Helper()
	if err := server.MakeBucket(t.Context(), "factory"); err != nil {
		t.Fatal(err)
	}
	var anomalies, train, test strings.Builder
	n := 0
	add := func(data []byte, scratched bool) {
		n++
		key := fmt.Sprintf("plates/%02d", n)
		put(t, server, key, data)
		class, label := "normal", "good"
		if scratched {
			class, label = "anomaly", "scratched"
		}
		anomalies.WriteString(cookie(key, class, "2026-01-01T00:00:00"))
		train.WriteString(leaf(key, label))
		if n%3 == 0 {
			test.WriteString(leaf(key, label))
		}
	}
	for i := range uint64(9) {
		add(pngOf(t, plate(i, plateWidth, plateHeight, i%2 == 1)), i%2 == 1)
	}
	for i, m := range modelImages(t) {
		if m.errors == "" && m.labels == "" || i > 20 && len(m.data) < 1<<20 && len(m.data) > 0 && m.labels != "" {
			add(m.data, !strings.Contains(m.name, "CMYK") && !strings.Contains(m.name, "progressive"))
		}
	}
	trainParts(t, server, "plates", anomalies.String())
	project, version = trainLeaves(t, server, "labels", train.String(), test.String())
	trainedParts(t, server, "plates")
	trainedLeaves(t, server, project)
	startModel(t, server, "plates")
	runVersion(t, server, project, version)
	return project, version
}

// errorName returns what the service calls an error, "" for none.
func errorName(err error) string {
	answer := (*process.AnswerError)(nil)
	if errors.As(err, &answer) {
		name, _, _ := strings.Cut(answer.Header.Get("X-Amzn-Errortype"), ":")
		if name == "" {
			var body struct {
				Type string `json:"__type"`
			}
			json.Unmarshal(answer.Body, &body)
			name = body.Type[strings.LastIndex(body.Type, "#")+1:]
		}
		return name
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestModelImages (T05, CL-10.10 to CL-10.14, CL-10.40, LV-7.20 to LV-7.24): models
// of both services are trained with images of every form, and with bombs and broken
// files among them, and detect in all forms; what they refuse is called as the
// service calls it, and 50 bombs at once take bounded memory.
func TestModelImages(t *testing.T) {
	t.Parallel()
	server := serve(t, imageLimits()...)
	_, version := trainPlates(t, server)
	for _, tt := range modelImages(t) {
		t.Run(tt.name, func(t *testing.T) {
			var labels struct{ CustomLabels []struct{ Name string } }
			if len(tt.data) < 6<<20 {
				err := detectLabels(t, server, version, tt.data, &labels)
				if got := errorName(err); got != tt.labels {
					t.Errorf("DetectCustomLabels: %s (%v), want %q", got, err, tt.labels)
				}
				if err == nil && len(labels.CustomLabels) != 2 { // CL-10.32
					t.Errorf("DetectCustomLabels says %+v", labels)
				}
			}
			for _, contentType := range []string{"image/png", "image/jpeg; x=y"} { // LV-7.21
				var found struct{ DetectAnomalyResult struct{ Confidence float64 } }
				err := detectAnomalies(t, server, "plates", contentType, tt.data, &found)
				if got := errorName(err); got != tt.errors {
					t.Errorf("DetectAnomalies: %s (%v), want %q", got, err, tt.errors)
				}
				if c := found.DetectAnomalyResult.Confidence; err == nil && (c < 0.5 || c > 1) {
					t.Errorf("DetectAnomalies says %+v", found)
				}
			}
		})
	}
	t.Run("content type", func(t *testing.T) { // LV-7.20
		for _, contentType := range []string{"image/gif", "text/html", "image"} {
			if got := errorName(detectAnomalies(t, server, "plates", contentType, jpegOf(t, plate(1, plateWidth, plateHeight, false)), nil)); got != badAnything {
				t.Errorf("%s: %q", contentType, got)
			}
		}
	})
	t.Run("chunked", func(t *testing.T) { // LV-7.25
		image := jpegOf(t, plate(1, plateWidth, plateHeight, false))
		for n, want := range map[int]int{0: 200, 9 << 20: 400, 17 << 20: 413} {
			if got := detectChunked(t, server, append(bytes.Clone(image), make([]byte, n)...)); got != want {
				t.Errorf("an image with %d bytes behind it: status %d, want %d", n, got, want)
			}
		}
	})
	t.Run("orientation", func(t *testing.T) { testOrientation(t, server, version) })
	t.Run("bombs", func(t *testing.T) { testBombs(t, server, version) })
	t.Run("object", func(t *testing.T) { // CL-10.10, CL-10.11, CL-10.15
		put(t, server, "text.jpg", []byte("no image"))
		put(t, server, "large.jpg", make([]byte, 15<<20+1))
		for key, want := range map[string]string{"text.jpg": badImage, "large.jpg": largeImage, "none.jpg": "InvalidS3ObjectException", "plates/01": ""} {
			in := map[string]any{"ProjectVersionArn": version, "Image": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": key}}}
			if got := errorName(server.Rekognition(t.Context(), "DetectCustomLabels", in, nil)); got != want {
				t.Errorf("%s: %q, want %q", key, got, want)
			}
		}
	})
}

// detectChunked calls DetectAnomalies with a body whose length is not told, and
// returns the status.
func detectChunked(t *testing.T, server *process.Server, image []byte) int {
	t.Helper()
	body := struct{ io.Reader }{bytes.NewReader(image)}
	req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL()+"/2020-11-20/projects/plates/models/1/detect", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "image/jpeg")
	if err := server.Sign(req, "lookoutvision", image); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// testOrientation: Custom Labels sees a turned JPEG upright (CL-10.40), Lookout as
// it is stored, because that is how masks have it (LV-5.53).
func testOrientation(t *testing.T, server *process.Server, version string) {
	stored := jpegOf(t, plate(11, plateWidth, plateHeight, true))
	decoded, err := jpeg.Decode(bytes.NewReader(stored))
	if err != nil {
		t.Fatal(err)
	}
	upright := image.NewNRGBA(image.Rect(0, 0, plateHeight, plateWidth))
	for y := range plateWidth {
		for x := range plateHeight {
			upright.Set(x, y, decoded.At(y, plateHeight-1-x)) // 6: what is left goes to the top
		}
	}
	var turnedLabels, uprightLabels, plain, same map[string]any
	for _, call := range []error{
		detectLabels(t, server, version, turned(stored, 6), &turnedLabels),
		detectLabels(t, server, version, pngOf(t, upright), &uprightLabels),
		detectAnomalies(t, server, "plates", "image/jpeg", stored, &plain),
		detectAnomalies(t, server, "plates", "image/jpeg", turned(stored, 6), &same),
	} {
		if call != nil {
			t.Fatal(call)
		}
	}
	if show(turnedLabels) != show(uprightLabels) {
		t.Errorf("of a turned JPEG Custom Labels says %s, of the upright PNG %s", show(turnedLabels), show(uprightLabels))
	}
	if show(plain) != show(same) {
		t.Errorf("of a turned JPEG Lookout says %s, of the same that is not %s", show(same), show(plain))
	}
}

// testBombs: 50 bombs come at once to models of both services, images as large
// as may be among them, while other clients send half an image and no more (T14).
// Each is refused or answered, within a bounded amount of memory.
func testBombs(t *testing.T, server *process.Server, version string) {
	for range 20 {
		conn := halfAnImage(t, server)
		defer conn.Close()
	}
	var bombs [][]byte
	for _, m := range modelImages(t) {
		if len(m.data) < 1<<20 && (strings.Contains(m.name, "5000") || strings.Contains(m.name, "5535") || strings.Contains(m.name, "200 MB") || strings.Contains(m.name, "scans") || strings.Contains(m.name, "2147")) {
			bombs = append(bombs, m.data)
		}
	}
	largest := pngLying(4096, 4096, zeros(4096*4097)) // 48 MB once it is decoded
	bombs = append(bombs, pngLying(plateWidth, plateHeight, bomb()), largest)
	if len(bombs) < 8 {
		t.Fatalf("%d bombs", len(bombs))
	}
	var g errgroup.Group
	for n := range 50 {
		data := bombs[n%len(bombs)]
		g.Go(func() error {
			for _, err := range []error{detectLabels(t, server, version, data, nil), detectAnomalies(t, server, "plates", "image/png", data, nil)} {
				answer := (*process.AnswerError)(nil)
				if err != nil && (!errors.As(err, &answer) || answer.Status >= 500) {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	detectObjects(t, server, version)
	if err := detectAnomalies(t, server, "plates", "image/png", pngOf(t, plate(3, plateWidth, plateHeight, false)), nil); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	held, err := server.PeakMemory()
	if err != nil {
		t.Skip(err)
	}
	t.Logf("the server held %d MB at most", held>>20)
	if held > 800<<20 {
		t.Errorf("the server held %d MB", held>>20)
	}
}

// detectObjects calls DetectCustomLabels 200 times at once with an image in S3
// that is about as large as may be.
func detectObjects(t *testing.T, server *process.Server, version string) {
	t.Helper()
	image := pngOf(t, plate(5, plateWidth, plateHeight, true))
	end := len(image) - len(pngChunk("IEND", nil))
	put(t, server, "heavy.png", bytes.Join([][]byte{image[:end], pngChunk("tEXt", make([]byte, 14<<20)), image[end:]}, nil))
	in := map[string]any{"ProjectVersionArn": version, "Image": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": "heavy.png"}}}
	var g errgroup.Group
	var answered atomic.Int64
	for range 200 {
		g.Go(func() error {
			err := server.Rekognition(t.Context(), "DetectCustomLabels", in, nil)
			switch errorName(err) {
			case "":
				answered.Add(1)
			case "ProvisionedThroughputExceededException":
			default:
				return err
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil || answered.Load() == 0 {
		t.Errorf("a heavy object in S3: %d answers, %v", answered.Load(), err)
	}
	t.Logf("of 200 calls with a heavy object %d were answered", answered.Load())
}

// halfAnImage begins a signed call of DetectAnomalies and sends half of its body.
func halfAnImage(t *testing.T, server *process.Server) net.Conn {
	t.Helper()
	body := make([]byte, 4<<20)
	req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL()+"/2020-11-20/projects/plates/models/1/detect", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "image/png")
	if err := server.Sign(req, "lookoutvision", body); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", req.URL.Path, server.Addr, len(body))
	if err := req.Header.Write(conn); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "\r\n")
	if _, err := conn.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	return conn
}
