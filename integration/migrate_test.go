package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"fovea/integration/process"
	"fovea/internal/migrate"
)

// photo returns the bytes of something that passes for an image: fovea does not
// open images when it makes datasets (LV-5.55).
func photo(name string) []byte {
	return append([]byte("\xff\xd8\xff photograph of "+name+" "), bytes.Repeat([]byte(name), 50)...)
}

// writeTree writes files by their paths.
func writeTree(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// moving returns the command that migrates to a server, with its state in out.
func moving(server *process.Server, out string, args ...string) []string {
	return append([]string{"migrate", "--data", server.Data, "--listen", server.Addr, "--out", out}, args...)
}

// statementOf reads a certificate.
func statementOf(t *testing.T, path string) *migrate.Statement {
	t.Helper()
	_, s, err := migrate.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// verifying checks a certificate and returns the exit status and the output.
func verifying(t *testing.T, server *process.Server, args ...string) (int, string) {
	t.Helper()
	return command(t, append([]string{"migrate", "verify", "--data", server.Data, "--listen", server.Addr}, args...)...)
}

// ofDataset calls fovea's own API about a dataset.
func ofDataset(t *testing.T, server *process.Server, call string) string {
	t.Helper()
	resp, err := server.Do(t.Context(), "fovea", http.MethodGet, "/fovea/v1/"+call, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %.300s, %v", call, resp.Status, text, err)
	}
	return string(text)
}

// TestMigrateCookies migrates the folder of the official example of Lookout for
// Vision as it is: with a manifest of relative references, no BACKGROUND, and
// dates as JavaScript writes them (LV-5.29).
func TestMigrateCookies(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(cmp.Or(os.Getenv("FOVEA_TEST_DATA"), "../../shared/data"), "cookies")
	template, err := os.ReadFile(filepath.Join(folder, "dataset-files", "manifests", "template.manifest"))
	if err != nil {
		t.Skipf("no cookies here, set FOVEA_TEST_DATA: %v", err)
	}
	server := serve(t)
	out := filepath.Join(t.TempDir(), "out")
	printed := mustCommand(t, moving(server, out, folder, "--project", "cookies", "--to", "s3://old-cookies/all")...)
	if !strings.Contains(printed, "EQUAL") {
		t.Errorf("it printed:\n%s", printed)
	}
	path := filepath.Join(out, "lookout.cookies.certificate.json")
	s := statementOf(t, path)
	d := s.Datasets[0]
	if !s.Equal || d.Source.Entries != 63 || d.Destination.Entries != 63 || d.Destination.Objects != 95 || d.Source.Bytes != d.Destination.Bytes {
		t.Errorf("the certificate says %+v", s)
	}
	got := ofDataset(t, server, "lookout/cookies/train/entries")
	want := regexp.MustCompile(`"(training|mask)-images/`).ReplaceAllString(string(template), `"s3://old-cookies/all/dataset-files/$1-images/`)
	if got != want {
		t.Errorf("the entries are not the lines of the manifest with new places:\n%.600s\nwant\n%.600s", got, want)
	}
	if status, out := verifying(t, server, path); status != 0 {
		t.Errorf("verify: %d\n%s", status, out)
	}
	if again := mustCommand(t, moving(server, out, folder, "--project", "cookies", "--to", "s3://old-cookies/all")...); !strings.Contains(again, "EQUAL") {
		t.Errorf("again it printed:\n%s", again)
	}
	if status, said := command(t, moving(server, out, filepath.Dir(folder))...); status != 2 || !strings.Contains(said, "another folder") {
		t.Errorf("another source in the same folder: %d %s", status, said)
	}
	if status, said := command(t, "migrate", folder, "--data", server.Data, "--listen", "127.0.0.1:1", "--out", t.TempDir()); status != 2 || !strings.Contains(said, "start it with `fovea serve`") {
		t.Errorf("without a server: %d %s", status, said)
	}
	if status, said := command(t, moving(server, t.TempDir(), folder, "--project", "cookies")...); status != 2 || !strings.Contains(said, "has a train dataset already") {
		t.Errorf("a project that is there: %d %s", status, said)
	}
}

// consoleLine returns a line as the console of Lookout writes it (LV-5.29),
// with a mask or none.
func consoleLine(bucket, key, class, mask, date string) string {
	value := map[string]int{"anomaly": 1}[class]
	line := fmt.Sprintf(`{"source-ref":"s3://%s/%s", "anomaly-label-metadata":{"job-name":"anomaly-label","class-name":"%s","human-annotated":"yes",`+
		`"creation-date":"%s","type":"groundtruth/image-classification"},"anomaly-label":%d`, bucket, key, class, date, value)
	colors := `"0":{"class-name":"cracked","hex-color":"#23A436"}`
	if class == "normal" {
		colors = `"0":{"class-name":"BACKGROUND","hex-color":"#ffffff","confidence":0.0}`
	}
	if mask != "" {
		line += fmt.Sprintf(`,"anomaly-mask-ref-metadata":{"internal-color-map":{%s},"job-name":"labeling-job/object-mask-ref","human-annotated":"yes",`+
			`"creation-date":"Mon Aug 22 2022 13:52:52 GMT-0700 (Pacific Daylight Time)","type":"groundtruth/semantic-segmentation"},"anomaly-mask-ref":"s3://%s/%s"`, colors, bucket, mask)
	}
	return line + "}\n"
}

// consoleBucket is the name of a bucket that a console made (LV-12.1).
const consoleBucket = "lookoutvision-us-east-1-0a1b2c3d4e"

// consoleFiles returns what such a bucket has: datasets of two projects, with
// both forms of normal images, those with a mask of nothing and those without
// (LV-5.30), and manifests that are of no dataset.
func consoleFiles() map[string][]byte {
	files := map[string][]byte{
		"projects/parts/models/EvaluationManifest-parts-1.json":   []byte(`{"source-ref":"s3://x/y"}` + "\n"),
		"tmp/1661203972/temporary.manifest":                       []byte(`{"source-ref":"s3://x/y"}` + "\n"),
		"assets/dummy_anomaly_mask.png":                           photo("nothing"),
		"datasets/bottles/train/manifests/output/output.manifest": []byte(consoleLine("gone-bucket", "assets/bottles/1.jpg", "normal", "", "2022-08-22T20:52:51.851")),
		"assets/bottles/1.jpg":                                    photo("bottle"),
	}
	var train, test strings.Builder
	for i := range 24 {
		key := fmt.Sprintf("assets/parts_1_training/images/%d ü.jpg", i)
		files[key] = photo(key)
		date := []string{"2022-08-22T20:52:51.851Z", "2022-08-22T20:52:51.851", "2022-08-22T20:52:51"}[i%3]
		switch i % 4 {
		case 0:
			train.WriteString(consoleLine("gone-bucket", key, "normal", "", date))
		case 1:
			train.WriteString(consoleLine("gone-bucket", key, "normal", "assets/dummy_anomaly_mask.png", date))
		case 2:
			mask := fmt.Sprintf("assets/parts_1_training/masks/%d.png", i)
			files[mask] = photo(mask)
			train.WriteString(consoleLine("gone-bucket", key, "anomaly", mask, date))
		default:
			test.WriteString(consoleLine("gone-bucket", key, "anomaly", "", date))
		}
	}
	files["datasets/parts/train/manifests/output/output.manifest"] = []byte(train.String())
	files["datasets/parts/test/manifests/output/output.manifest"] = []byte(test.String())
	return files
}

// TestMigrateConsole migrates a copy of the bucket of Lookout's console, from a
// folder and from a bucket of the server itself, where the images stay.
func TestMigrateConsole(t *testing.T) {
	t.Parallel()
	files := consoleFiles()
	want := strings.ReplaceAll(string(files["datasets/parts/train/manifests/output/output.manifest"]), "s3://gone-bucket/", "s3://migrated/")
	trees := map[string]string{}
	for _, from := range []string{"folder", "bucket"} {
		t.Run(from, func(t *testing.T) {
			server, out := serve(t), t.TempDir()
			source := filepath.Join(t.TempDir(), consoleBucket)
			expected := want
			if from == "folder" {
				writeTree(t, source, files)
			} else {
				if err := server.MakeBucket(t.Context(), consoleBucket); err != nil {
					t.Fatal(err)
				}
				for name, data := range files {
					if err := server.Put(t.Context(), consoleBucket, strings.NewReplacer(" ", "%20", "ü", "%C3%BC").Replace(name), bytes.NewReader(data), int64(len(data))); err != nil {
						t.Fatal(err)
					}
				}
				source, expected = "s3://"+consoleBucket, strings.ReplaceAll(want, "s3://migrated/", "s3://"+consoleBucket+"/")
			}
			printed := mustCommand(t, moving(server, out, source)...)
			if !strings.Contains(printed, "2 certificates") {
				t.Errorf("it printed:\n%s", printed)
			}
			s := statementOf(t, filepath.Join(out, "lookout.parts.certificate.json"))
			if !s.Equal || len(s.Datasets) != 2 || s.Datasets[0].Destination.Entries != 18 || s.Datasets[1].Destination.Entries != 6 || s.Datasets[0].Destination.Objects != 18+1+6 {
				t.Errorf("the certificate says %+v", s)
			}
			if got := ofDataset(t, server, "lookout/parts/train/entries"); got != expected {
				t.Errorf("the entries are\n%.500s\nwant\n%.500s", got, expected)
			}
			trees[from] = s.Datasets[0].Destination.Tree
		})
	}
	if trees["folder"] == "" || trees["folder"] != trees["bucket"] {
		t.Errorf("the tree hashes are %v: they depend on the place", trees)
	}
}

// TestMigrateDamage: what cannot be migrated is left out and named, the rest
// comes, and the certificate says that it is not equal. The status is 1.
func TestMigrateDamage(t *testing.T) {
	t.Parallel()
	server, source, out := serve(t), t.TempDir(), t.TempDir()
	lines := []string{
		leaf("img/1.jpg", "leaf"),
		leaf("img/gone.jpg", "leaf"),
		"{not JSON}\n",
		leaf("img/1.jpg", "leaf"), // again
		`{"leaf":1}` + "\n",
		leaf("a/2.jpg", "thorn"), // below a and b
		`{"source-ref":"../../etc/passwd","x":1}` + "\n",
		`{"source-ref":"file:///etc/passwd","x":1}` + "\n",
		`{"source-ref":"out/3.jpg","x":1}` + "\n", // through a link
		leaf("img/4.jpg", "bud"),
	}
	for i := range 10 {
		lines = append(lines, leaf(fmt.Sprintf("img/more-%d.jpg", i), "leaf"))
	}
	files := map[string][]byte{"train.manifest": []byte(strings.Join(lines, "")), "img/1.jpg": photo("1"), "x/a/2.jpg": photo("2"), "y/a/2.jpg": photo("3"), "img/4.jpg": photo("4")}
	for i := range 10 {
		files[fmt.Sprintf("img/more-%d.jpg", i)] = photo(fmt.Sprint("more", i))
	}
	writeTree(t, source, files)
	outside := t.TempDir()
	writeTree(t, outside, map[string][]byte{"3.jpg": photo("secret"), "etc/passwd": photo("secret")})
	if err := os.Symlink(outside, filepath.Join(source, "out")); err != nil {
		t.Fatal(err)
	}
	status, printed := command(t, moving(server, out, source, "--project", "leaves")...)
	if status != 1 || !strings.Contains(printed, "NOT EQUAL: 8 entries differ") {
		t.Fatalf("status %d:\n%s", status, printed)
	}
	for _, want := range []string{
		"train line 2: left out: source-ref names s3://factory/img/gone.jpg, which is not there",
		"train line 3: left out: it is not a JSON object",
		"train line 4 s3://migrated/img/1.jpg: dropped: ERROR_DUPLICATE_SOURCE_REF",
		"train line 5: left out: it has no source-ref",
		"train line 6: left out: source-ref names s3://factory/a/2.jpg, which may be x/a/2.jpg or y/a/2.jpg",
		"train line 7: left out: source-ref names ../../etc/passwd, which is not there",
		`train line 8: left out: source-ref is "file:///etc/passwd", which is neither an S3 URI nor a path`,
		"train line 9: left out: source-ref names out/3.jpg, which is not there",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("it does not say %q:\n%s", want, printed)
		}
	}
	s := statementOf(t, filepath.Join(out, "custom-labels.leaves.certificate.json"))
	if s.Equal || s.Differences != 8 || s.Datasets[0].Source.Entries != 20 || s.Datasets[0].Destination.Entries != 12 {
		t.Errorf("the certificate says %+v", s)
	}
	if status, said := verifying(t, server, filepath.Join(out, "custom-labels.leaves.certificate.json")); status != 0 || !strings.Contains(said, "was not equal") {
		t.Errorf("verify: %d\n%s", status, said)
	}
}

// TestMigrateVerify: what is changed in a certificate, in the file beside it or
// in the destination is found, and named.
func TestMigrateVerify(t *testing.T) {
	t.Parallel()
	server, source, out := serve(t), t.TempDir(), t.TempDir()
	writeTree(t, source, map[string][]byte{
		"train.manifest": []byte(leaf("img/1.jpg", "leaf") + leaf("img/2.jpg", "thorn") + leaf("img/3.jpg")),
		"img/1.jpg":      photo("1"), "img/2.jpg": photo("2"), "img/3.jpg": photo("3"),
	})
	mustCommand(t, moving(server, out, source, "--project", "leaves")...)
	path := filepath.Join(out, "custom-labels.leaves.certificate.json")
	key := strings.TrimSpace(mustCommand(t, "migrate", "key", "--data", server.Data, "--listen", server.Addr))
	check := func(name string, want int, says string, args ...string) {
		t.Helper()
		status, said := verifying(t, server, args...)
		if status != want || !strings.Contains(said, says) {
			t.Errorf("%s: status %d, want %d with %q:\n%s", name, status, want, says, said)
		}
	}
	check("as it is", 0, "as certified", path)
	check("offline", 0, "were not looked at", "--offline", "--key", key, path)
	check("offline without a key", 2, "needs --key", "--offline", path)
	other := serve(t)
	otherKey := strings.TrimSpace(mustCommand(t, "migrate", "key", "--data", other.Data, "--listen", other.Addr))
	check("the key of another server", 1, "of another server", "--offline", "--key", otherKey, path)

	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(out, "forged.json")
	for _, edit := range [][2]string{{`"entries": 3`, `"entries": 4`}, {`"equal": true`, `"equal": false`}, {`"project": "leaves"`, `"project": "other"`}, {`"signed": "20`, `"signed": "19`}} {
		if err := os.WriteFile(forged, bytes.Replace(text, []byte(edit[0]), []byte(edit[1]), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		check("with "+edit[1], 1, "the signature is not good", forged)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(forged, compact.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	check("in one line", 0, "as certified", forged)

	put := func(key string, data []byte) {
		t.Helper()
		if err := server.Put(t.Context(), "migrated", key, bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
	}
	put("img/2.jpg", photo("another"))
	check("another image", 1, "s3://migrated/img/2.jpg: changed: source-ref names another content", path)
	put("img/2.jpg", photo("2"))
	check("the image is back", 0, "as certified", path)
	entries := filepath.Join(out, "custom-labels.leaves.entries.jsonl")
	moved := entries + ".moved"
	if err := os.Rename(entries, moved); err != nil {
		t.Fatal(err)
	}
	check("without the entries file", 0, "is not beside the certificate", path)
	put("img/2.jpg", photo("another"))
	check("another image, without the entries file", 1, "tree hash", path)
	put("img/2.jpg", photo("2"))
	lines, err := os.ReadFile(moved)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(entries, append(lines, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	check("another entries file", 1, "has been changed since the certificate was signed", path)
	if err := os.Rename(moved, entries); err != nil {
		t.Fatal(err)
	}

	var found struct {
		ProjectDescriptions []struct{ Datasets []struct{ DatasetArn string } }
	}
	if err := server.Rekognition(t.Context(), "DescribeProjects", map[string]any{}, &found); err != nil {
		t.Fatal(err)
	}
	arn := found.ProjectDescriptions[0].Datasets[0].DatasetArn
	if err := change(t.Context(), server, arn, strings.ReplaceAll(leaf("img/1.jpg", "bud"), "factory", "migrated")); err != nil {
		t.Fatal(err)
	}
	check("another line", 1, "s3://migrated/img/1.jpg: changed: the line is another one", path)
	if err := change(t.Context(), server, arn, strings.ReplaceAll(leaf("img/1.jpg", "leaf"), "factory", "migrated")); err != nil {
		t.Fatal(err)
	}
	check("the line is back", 0, "as certified", path)
	server.Kill()
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	check("the server was started again", 0, "as certified", path)
	if resp, err := server.Do(t.Context(), "s3", "DELETE", "/migrated/img/3.jpg", nil, nil); err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	check("no image", 1, "s3://migrated/img/3.jpg: changed: source-ref names another content: SHA-256 absent", path)
	if err := server.Rekognition(t.Context(), "DeleteDataset", map[string]any{"DatasetArn": arn}, nil); err != nil {
		t.Fatal(err)
	}
	check("no dataset", 1, "is not there any more", path)
}

// account makes a project of Custom Labels with both datasets, tags and images,
// and returns how many objects and entries it has.
func account(t *testing.T, server *process.Server, name string, images int) {
	t.Helper()
	var made struct{ ProjectArn string }
	in := map[string]any{"ProjectName": name, "Tags": map[string]string{"line": "7", "site": "Gent ü"}}
	if err := server.Rekognition(t.Context(), "CreateProject", in, &made); err != nil {
		t.Fatal(err)
	}
	for split, n := range map[string]int{"TRAIN": images, "TEST": images / 5} {
		var text strings.Builder
		for i := range n {
			key := fmt.Sprintf("%s/%s/%d.jpg", name, split, i)
			upload(t, server, key, string(photo(key)))
			if i%3 == 0 {
				text.WriteString(board(key, [4]int{10, 20, 30 + i, 40}, [4]int{50, 60, 70, 80}))
			} else if i%3 == 1 {
				text.WriteString(leaf(key, "leaf", "thorn"))
			} else {
				text.WriteString(board(key, [4]int{10, 20, 1, 40}, [4]int{50, 60, 70, 80})) // one box is too narrow
			}
		}
		manifest := name + "-" + split + ".manifest"
		upload(t, server, manifest, text.String())
		err := server.Rekognition(t.Context(), "CreateDataset", map[string]any{
			"ProjectArn": made.ProjectArn, "DatasetType": split, "Tags": map[string]string{"split": split},
			"DatasetSource": map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": "factory", "Name": manifest}}},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	var found struct {
		ProjectDescriptions []struct{ Datasets []struct{ DatasetArn string } }
	}
	if err := server.Rekognition(t.Context(), "DescribeProjects", map[string]any{"ProjectNames": []string{name}}, &found); err != nil {
		t.Fatal(err)
	}
	for _, d := range found.ProjectDescriptions[0].Datasets {
		ended(t, server, d.DatasetArn)
	}
}

// fromAccount returns the flags of a source that is another server.
func fromAccount(source *process.Server, endpoint string) []string {
	return []string{"--source-endpoint", endpoint, "--source-region", source.Region(),
		"--source-access-key", source.KeyID(), "--source-secret-key", source.Secret()}
}

// throttle answers every n-th call as AWS does that has had enough: in the
// forms of CL-1.40, and S3's.
func throttle(every int64) func(n int64, w http.ResponseWriter, r *http.Request) bool {
	var calls atomic.Int64
	return func(_ int64, w http.ResponseWriter, r *http.Request) bool {
		n := calls.Add(1)
		if n%every != 0 {
			return false
		}
		if r.Header.Get("X-Amz-Target") == "" && !strings.HasPrefix(r.URL.Path, "/2020-11-20/") {
			slowDown(w)
			return true
		}
		code, status := "ThrottlingException", []int{400, 500}[n/every%2]
		if n/every%3 == 0 {
			code, status = "ProvisionedThroughputExceededException", 400
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"__type":%q,"Code":%q,"Message":"Slow down; sudden increase in rate of requests."}`, code, code)
		return true
	}
}

// TestMigrateAccount migrates the projects of an account that throttles.
func TestMigrateAccount(t *testing.T) {
	t.Parallel()
	source, server, out := serve(t), serve(t), t.TempDir()
	account(t, source, "parts", 130)
	account(t, source, "boards", 10)
	if _, err := makeProject(t.Context(), source, "empty"); err != nil {
		t.Fatal(err)
	}
	proxy := newFaulty(t, source)
	proxy.set(throttle(4))
	printed := mustCommand(t, moving(server, out, append(fromAccount(source, proxy.URL), "custom-labels")...)...)
	if !strings.Contains(printed, "3 certificates") || strings.Contains(printed, "NOT EQUAL") {
		t.Errorf("it printed:\n%s", printed)
	}
	s := statementOf(t, filepath.Join(out, "custom-labels.parts.certificate.json"))
	if len(s.Datasets) != 2 || s.Datasets[0].Source.Entries != 130 || s.Datasets[1].Source.Entries != 26 || s.Tags != (migrate.TagFact{Source: 4, Destination: 4, Equal: true}) {
		t.Errorf("the certificate says %+v", s)
	}
	if status, said := verifying(t, server, filepath.Join(out, "custom-labels.parts.certificate.json"), filepath.Join(out, "custom-labels.empty.certificate.json")); status != 0 {
		t.Errorf("verify: %d\n%s", status, said)
	}
	for name, want := range map[string]string{"parts": "130", "boards": "10"} {
		_, got, _ := strings.Cut(ofDataset(t, server, "custom-labels/"+name+"/train/revisions/1"), `"entries":`)
		_, was, _ := strings.Cut(ofDataset(t, source, "custom-labels/"+name+"/train/revisions/1"), `"entries":`)
		if got != was || !strings.HasPrefix(got, want) {
			t.Errorf("%s has the statistics %s, want %s", name, got, was)
		}
	}
	if status, said := command(t, moving(server, t.TempDir(), append(fromAccount(source, proxy.URL), "custom-labels", "--projects", "none")...)...); status != 2 || !strings.Contains(said, "no project none") {
		t.Errorf("a project that is not there: %d %s", status, said)
	}
	none := serve(t)
	if status, said := command(t, moving(server, t.TempDir(), append(fromAccount(none, none.URL()), "custom-labels")...)...); status != 2 || !strings.Contains(said, "no project") {
		t.Errorf("an account without projects: %d %s", status, said)
	}
	wrong := append(fromAccount(source, proxy.URL), "custom-labels", "--source-secret-key", "wrong-secret")
	if status, said := command(t, moving(server, t.TempDir(), wrong...)...); status != 2 || !strings.Contains(said, "InvalidSignatureException") {
		t.Errorf("a wrong secret: %d %s", status, said)
	}
}

// TestMigrateKilled kills the migration with SIGKILL again and again, each time
// some requests further on, and then breaks the network under it; started
// again, it ends with what a migration that was left alone ends with.
func TestMigrateKilled(t *testing.T) {
	t.Parallel()
	source, server := serve(t), serve(t)
	account(t, source, "parts", 150)
	from, to := newFaulty(t, source), newFaulty(t, server)
	flags := func(out, name string) []string {
		args := []string{"migrate", "--data", server.Data, "--listen", strings.TrimPrefix(to.URL, "http://"), "--out", out, "--to", "s3://" + name,
			"--project", name, "--patience", "1s", "--workers", "3", "custom-labels"}
		return append(args, fromAccount(source, from.URL)...)
	}
	var requests atomic.Int64
	counted := func(int64, http.ResponseWriter, *http.Request) bool { requests.Add(1); return false }
	from.set(counted)
	to.set(counted)
	alone := t.TempDir()
	mustCommand(t, flags(alone, "alone")...)
	want := statementOf(t, filepath.Join(alone, "custom-labels.alone.certificate.json"))
	total := requests.Load()
	if !want.Equal || total < 500 {
		t.Fatalf("%d requests, and the certificate says %+v", total, want)
	}

	out, kills := t.TempDir(), 0
	for done := false; !done; {
		cmd := exec.Command(binary, flags(out, "killed")...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		requests.Store(0)
		deadly := func(int64, http.ResponseWriter, *http.Request) bool {
			if requests.Add(1) == total/8 {
				cmd.Process.Kill()
			}
			return false
		}
		from.set(deadly)
		to.set(deadly)
		err := cmd.Wait()
		var exit *exec.ExitError
		switch {
		case err == nil:
			done = true
		case errors.As(err, &exit) && exit.ExitCode() == -1:
			kills++
		default:
			t.Fatal(err)
		}
		if kills > 60 {
			t.Fatal("it does not end")
		}
	}
	t.Logf("%d kills, %d requests when left alone", kills, total)
	if kills < 6 {
		t.Errorf("only %d kills", kills)
	}
	same(t, want, statementOf(t, filepath.Join(out, "custom-labels.killed.certificate.json")))

	out, breaks := t.TempDir(), 0
	for done := false; !done; breaks++ {
		var seen atomic.Int64
		broken := func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
			if seen.Add(1) > total/4 {
				if seen.Load()%2 == 0 { // break off in the middle of a body
					w.Header().Set("Content-Length", "100000")
					w.Write([]byte(`{"`))
				}
				panic(http.ErrAbortHandler)
			}
			return false
		}
		from.set(broken)
		to.set(broken)
		status, said := command(t, flags(out, "broken")...)
		if done = status == 0; !done && !strings.Contains(said, "run the same command again") {
			t.Fatalf("with a broken network: %d %s", status, said)
		}
		if breaks > 20 {
			t.Fatal("it does not end")
		}
	}
	t.Logf("%d runs with a network that broke", breaks)
	if breaks < 3 {
		t.Errorf("the network broke in %d runs only", breaks)
	}
	same(t, want, statementOf(t, filepath.Join(out, "custom-labels.broken.certificate.json")))
}

// same compares what two certificates say of the datasets.
func same(t *testing.T, want, got *migrate.Statement) {
	t.Helper()
	if !got.Equal || len(got.Datasets) != len(want.Datasets) {
		t.Errorf("the certificate says %+v", got)
		return
	}
	for i, w := range want.Datasets {
		g := got.Datasets[i]
		if fmt.Sprint(g.Destination) != fmt.Sprint(w.Destination) || fmt.Sprint(g.Source) != fmt.Sprint(w.Source) {
			t.Errorf("%s is %+v, want %+v", w.Split, g, w)
		}
	}
}

// TestMigrateLookoutAccount migrates a project of Lookout through its API.
func TestMigrateLookoutAccount(t *testing.T) {
	t.Parallel()
	source, server, out := serve(t), serve(t), t.TempDir()
	folder := filepath.Join(t.TempDir(), consoleBucket)
	writeTree(t, folder, consoleFiles())
	first := t.TempDir()
	mustCommand(t, moving(source, first, folder)...)
	proxy := newFaulty(t, source)
	proxy.set(throttle(5))
	mustCommand(t, moving(server, out, append(fromAccount(source, proxy.URL), "lookout", "--projects", "parts")...)...)
	a, b := statementOf(t, filepath.Join(first, "lookout.parts.certificate.json")), statementOf(t, filepath.Join(out, "lookout.parts.certificate.json"))
	for i := range a.Datasets {
		if a.Datasets[i].Source.Tree != b.Datasets[i].Destination.Tree {
			t.Errorf("%s: the tree is %s after two migrations, and was %s", a.Datasets[i].Split, b.Datasets[i].Destination.Tree, a.Datasets[i].Source.Tree)
		}
	}
}

// migrationShell returns a folder and an environment in which the commands of a
// page run: fovea is the program under test and finds server, AWS's address is
// source.
func migrationShell(t *testing.T, server, source *process.Server) (dir string, env []string) {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	if err := os.Symlink(binary, filepath.Join(bin, "fovea")); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\ncase \"$*\" in *--endpoint-url*) exec " + awsCLI + " \"$@\";; esac\nexec " + awsCLI + " --endpoint-url " + source.URL() + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir, []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "FOVEA_DATA=" + server.Data, "FOVEA_LISTEN=" + server.Addr,
		"FOVEA_SOURCE_ENDPOINT=" + source.URL(), "AWS_ACCESS_KEY_ID=" + source.KeyID(), "AWS_SECRET_ACCESS_KEY=" + source.Secret(),
		"AWS_SESSION_TOKEN=", "AWS_REGION=" + source.Region(), "AWS_DEFAULT_REGION=" + source.Region(),
	}
}

// runPage runs the shell commands of a page of docs, one after the other, and
// returns what they printed.
func runPage(t *testing.T, page, dir string, env []string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	script := "set -euo pipefail\n"
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		script += block[1]
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the commands of docs/%s: %v\n%s", page, err, out)
	}
	return string(out)
}

// TestMigrateFromLookoutPage runs the commands of docs/from-lookout.md.
func TestMigrateFromLookoutPage(t *testing.T) {
	t.Parallel()
	needs(t, awsCLI, "--version")
	server, source := serve(t), serve(t)
	dir, env := migrationShell(t, server, source)
	if err := source.MakeBucket(t.Context(), consoleBucket); err != nil {
		t.Fatal(err)
	}
	for name, data := range consoleFiles() {
		if err := source.Put(t.Context(), consoleBucket, strings.NewReplacer(" ", "%20", "ü", "%C3%BC").Replace(name), bytes.NewReader(data), int64(len(data))); err != nil {
			t.Fatal(err)
		}
	}
	writeTree(t, filepath.Join(dir, "old-export"), map[string][]byte{
		"train.manifest": []byte(consoleLine("gone", "images/1.jpg", "normal", "", "2022-08-22") + consoleLine("gone", "images/2.jpg", "anomaly", "masks/2.png", "2022-08-22")),
		"other.manifest": []byte("{}\n"), "images/1.jpg": photo("1"), "images/2.jpg": photo("2"), "masks/2.png": photo("m"),
	})
	out := runPage(t, "from-lookout.md", dir, env)
	for _, want := range []string{"2 certificates in migration", "1 certificate in old-bottles", "EQUAL", `"ProjectName": "parts"`, `"Total": 18`, "everything is in the destination as certified"} {
		if !strings.Contains(out, want) {
			t.Errorf("the commands did not print %q:\n%s", want, out)
		}
	}
}

// TestMigrateFromCustomLabelsPage runs the commands of
// docs/from-custom-labels.md.
func TestMigrateFromCustomLabelsPage(t *testing.T) {
	t.Parallel()
	needs(t, awsCLI, "--version")
	server, source := serve(t), serve(t)
	dir, env := migrationShell(t, server, source)
	account(t, source, "parts", 20)
	account(t, source, "boards", 10)
	out := runPage(t, "from-custom-labels.md", dir, env)
	for _, want := range []string{"2 certificates in migration", "EQUAL", "project/parts/", "20 entries", "everything is in the destination as certified"} {
		if !strings.Contains(out, want) {
			t.Errorf("the commands did not print %q:\n%s", want, out)
		}
	}
}
