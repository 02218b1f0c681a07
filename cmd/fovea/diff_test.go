package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"fovea"
	"fovea/internal/sigv4"
)

// The tests of this file pin the differences of docs/differences.md that show
// in a whole server. Each is named for its number there.

// A diffServer is a whole server as flags set it up, with its jobs running.
type diffServer struct {
	*testing.T
	url    string
	key    keyPair
	region string // that requests are signed for
	node   *node
}

// diffServe starts a server with flags of serve besides --data.
func diffServe(t *testing.T, args ...string) *diffServer {
	t.Helper()
	var c config
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.serverFlags(f)
	if err := f.Parse(append(args, "--data", t.TempDir())); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	n, err := openNode(ctx, &c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(n.handler)
	done := make(chan error, 1)
	go func() { done <- n.runner.Run(ctx) }()
	t.Cleanup(func() {
		srv.Close()
		stop()
		<-done
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return &diffServer{t, srv.URL, n.key, c.Region, n}
}

// An answer is what a server answered.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any // nil if the text is no JSON object
}

// code returns the name of an error, "" for none.
func (a answer) code() string { return a.header.Get("X-Amzn-Errortype") }

// do signs a request for a service and sends it.
func (s *diffServer) do(service, method, path, body string, header map[string]string) answer {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	sum := sha256.Sum256([]byte(body))
	sigv4.Sign(req, sigv4.Scope{KeyID: s.key.ID, Region: s.region, Service: service}, s.key.Secret, hex.EncodeToString(sum[:]), time.Now())
	return s.send(req)
}

func (s *diffServer) send(req *http.Request) answer {
	s.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, text: string(text)}
	json.Unmarshal(text, &a.json)
	return a
}

// labels calls an operation of Custom Labels with JSON.
func (s *diffServer) labels(operation, in string) answer {
	s.Helper()
	return s.do("rekognition", "POST", "/", in, map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "RekognitionService." + operation,
	})
}

// lookout calls an operation of Lookout with JSON and a client token, "" for
// none.
func (s *diffServer) lookout(method, path, in, token string) answer {
	s.Helper()
	header := map[string]string{"Content-Type": "application/json"}
	if token != "" {
		header["X-Amzn-Client-Token"] = token
	}
	return s.do("lookoutvision", method, "/2020-11-20"+path, in, header)
}

// s3 makes a request to the embedded S3 and fails unless it answers 2xx.
func (s *diffServer) s3(method, path, body string) answer {
	s.Helper()
	a := s.do("s3", method, path, body, nil)
	if a.status/100 != 2 {
		s.Fatalf("%s %s: %d %s", method, path, a.status, a.text)
	}
	return a
}

// ok returns the answer's member of that path of keys, and fails if the answer
// is no success.
func (s *diffServer) ok(a answer, keys ...string) any {
	s.Helper()
	if a.status/100 != 2 {
		s.Fatalf("status %d: %s", a.status, a.text)
	}
	var v any = a.json
	for _, k := range keys {
		v = v.(map[string]any)[k]
	}
	return v
}

// fails fails unless the answer is that error with that status.
func (s *diffServer) fails(a answer, code string, status int) {
	s.Helper()
	if a.code() != code || a.status != status {
		s.Errorf("got %d %s %s, want %d %s", a.status, a.code(), a.text, status, code)
	}
}

// project creates a project of Custom Labels and returns its ARN.
func (s *diffServer) project(name string) string {
	s.Helper()
	return s.ok(s.labels("CreateProject", fmt.Sprintf(`{"ProjectName":%q}`, name)), "ProjectArn").(string)
}

// upload puts a manifest into the bucket factory.
func (s *diffServer) upload(key string, lines ...string) {
	s.Helper()
	s.s3("PUT", "/factory", "")
	s.s3("PUT", "/factory/"+key, strings.Join(lines, "\n")+"\n")
}

// imported creates a dataset of Custom Labels from a manifest in the bucket
// factory, and returns its description once it is not in progress.
func (s *diffServer) imported(project, split, key string) (arn string, description map[string]any) {
	s.Helper()
	arn = s.ok(s.labels("CreateDataset", fmt.Sprintf(
		`{"ProjectArn":%q,"DatasetType":%q,"DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":%q}}}}`,
		project, split, key)), "DatasetArn").(string)
	for {
		d := s.ok(s.labels("DescribeDataset", fmt.Sprintf(`{"DatasetArn":%q}`, arn)), "DatasetDescription").(map[string]any)
		if d["Status"] != "CREATE_IN_PROGRESS" {
			return arn, d
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// casting makes the project castings of Lookout if need be, imports a manifest
// of the bucket factory and returns the dataset's description once it is not in
// progress.
func (s *diffServer) casting(split, key string) map[string]any {
	s.Helper()
	s.lookout("POST", "/projects", `{"ProjectName":"castings"}`, "")
	s.ok(s.lookout("POST", "/projects/castings/datasets", fmt.Sprintf(
		`{"DatasetType":%q,"DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Key":%q}}}}`, split, key), ""))
	for {
		d := s.ok(s.lookout("GET", "/projects/castings/datasets/"+split, "", ""), "DatasetDescription").(map[string]any)
		if d["Status"] != "CREATE_IN_PROGRESS" {
			return d
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// leaf is a line of Custom Labels for the image of that key.
func leaf(key, label string) string {
	return fmt.Sprintf(`{"source-ref":"s3://factory/%s","l":1,"l-metadata":{"confidence":1,"class-name":%q,"human-annotated":"yes",`+
		`"creation-date":"2026-02-03T04:05:06","type":"groundtruth/image-classification"}}`, key, label)
}

func leaves(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = leaf(fmt.Sprintf("%d.jpg", i), "leaf")
	}
	return lines
}

func TestDiff01DeletionsAreImmediate(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	project := s.project("p")
	arn := s.ok(s.labels("CreateDataset", fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":"TRAIN"}`, project)), "DatasetArn").(string)
	s.ok(s.labels("DeleteDataset", fmt.Sprintf(`{"DatasetArn":%q}`, arn)))
	s.fails(s.labels("DescribeDataset", fmt.Sprintf(`{"DatasetArn":%q}`, arn)), "ResourceNotFoundException", 400)
	if got := s.ok(s.labels("DeleteProject", fmt.Sprintf(`{"ProjectArn":%q}`, project)), "Status"); got != "DELETING" {
		t.Errorf("DeleteProject answers %v, want DELETING", got)
	}
	if got := s.ok(s.labels("DescribeProjects", `{}`), "ProjectDescriptions"); len(got.([]any)) != 0 {
		t.Errorf("a deleted project is described: %v", got)
	}

	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	s.ok(s.lookout("POST", "/projects/p/datasets", `{"DatasetType":"train"}`, ""))
	s.ok(s.lookout("DELETE", "/projects/p/datasets/train", "", ""))
	s.fails(s.lookout("GET", "/projects/p/datasets/train", "", ""), "ResourceNotFoundException", 404)
}

func TestDiff02CopiesAndEmptyDatasetsAreComplete(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", leaves(10)...)
	project := s.project("p")
	source, _ := s.imported(project, "TRAIN", "m")
	for name, in := range map[string]string{
		"copy":  fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":"TRAIN","DatasetSource":{"DatasetArn":%q}}`, s.project("copy"), source),
		"empty": fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":"TEST"}`, project),
	} {
		arn := s.ok(s.labels("CreateDataset", in), "DatasetArn")
		status := s.ok(s.labels("DescribeDataset", fmt.Sprintf(`{"DatasetArn":%q}`, arn)), "DatasetDescription", "Status")
		if status != "CREATE_COMPLETE" {
			t.Errorf("the %s is %v right after the call", name, status)
		}
	}
}

func TestDiff03ListsAreConsistent(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	for i := range 5 {
		name := fmt.Sprintf("p%d", i)
		s.project(name)
		if got := s.ok(s.labels("DescribeProjects", fmt.Sprintf(`{"ProjectNames":[%q]}`, name)), "ProjectDescriptions"); len(got.([]any)) != 1 {
			t.Errorf("Custom Labels does not show %s at once", name)
		}
		s.ok(s.lookout("POST", "/projects", fmt.Sprintf(`{"ProjectName":%q}`, name), ""))
		if got := s.ok(s.lookout("GET", "/projects", "", ""), "Projects"); len(got.([]any)) != i+1 {
			t.Errorf("Lookout lists %d projects, not %d", len(got.([]any)), i+1)
		}
	}
}

func TestDiff04NoRateLimit(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	for range 50 { // AWS allowed 5 a second (LV-9.20)
		s.ok(s.lookout("GET", "/projects", "", ""))
		s.ok(s.labels("DescribeProjects", `{}`))
	}
	s = diffServe(t, "--rate-limits", "lookout=0.001")
	s.ok(s.lookout("GET", "/projects", "", ""))
	s.fails(s.lookout("GET", "/projects", "", ""), "ThrottlingException", 429)
	s.ok(s.labels("DescribeProjects", `{}`))
}

func TestDiff05QuotasCanBeLifted(t *testing.T) {
	t.Parallel()
	line := func(i int) string { return leaf(fmt.Sprintf("%d.jpg", i), fmt.Sprintf("label %d", i)) }
	lines := make([]string, 251) // AWS allows 250 labels (CL-12.6)
	for i := range lines {
		lines[i] = line(i)
	}
	for _, tt := range []struct {
		name   string
		args   []string
		status string
	}{
		{"as at AWS", nil, "CREATE_FAILED"},
		{"one raised", []string{"--limit", "custom-labels.labels=251"}, "CREATE_COMPLETE"},
		{"all lifted", []string{"--limits", "none"}, "CREATE_COMPLETE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := diffServe(t, tt.args...)
			s.upload("m", lines...)
			if _, d := s.imported(s.project("p"), "TRAIN", "m"); d["Status"] != tt.status {
				t.Errorf("251 labels: %v %v, want %s", d["Status"], d["StatusMessage"], tt.status)
			}
		})
	}
}

func TestDiff06QuotaCodesAreInvented(t *testing.T) {
	t.Parallel()
	s := diffServe(t, "--limit", "lookout.projects=1")
	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"a"}`, ""))
	a := s.lookout("POST", "/projects", `{"ProjectName":"b"}`, "")
	s.fails(a, "ServiceQuotaExceededException", 402)
	want := map[string]any{"QuotaCode": "L-7CA2B7B8", "ServiceCode": "lookoutvision"}
	got := map[string]any{"QuotaCode": a.json["QuotaCode"], "ServiceCode": a.json["ServiceCode"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quota (-want +got):\n%s", diff)
	}
}

func TestDiff07UnbuiltOperationsAnswer501(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	project := s.project("p")
	s.fails(s.labels("ListProjectPolicies", fmt.Sprintf(`{"ProjectArn":%q}`, project)), "NotImplementedException", 501)
	s.fails(s.lookout("GET", "/projects/p/modelpackagingjobs", "", ""), "NotImplementedException", 501)
	s.fails(s.labels("ListProjectPolicies", `{}`), "InvalidParameterException", 400) // checked before
}

func TestDiff08OneEndpoint(t *testing.T) {
	t.Parallel()
	s := diffServe(t, "--account", "123456789012")
	s.ok(s.labels("DescribeProjects", `{}`))
	s.ok(s.lookout("GET", "/projects", "", ""))
	s.s3("GET", "/", "")
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	a := s.do("sts", "POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", form)
	if a.status != 200 || !strings.Contains(a.text, "<Arn>arn:aws:iam::123456789012:root</Arn>") {
		t.Errorf("GetCallerIdentity: %d %s", a.status, a.text)
	}
	if a := s.do("sts", "POST", "/", "Action=AssumeRole&Version=2011-06-15", form); a.status != 400 || !strings.Contains(a.text, "InvalidAction") {
		t.Errorf("AssumeRole: %d %s", a.status, a.text)
	}
	s.fails(s.do("iam", "POST", "/", "Action=ListUsers", form), "UnrecognizedServiceException", 400)
}

func TestDiff09RegionsAreOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   []string
		region string
		seen   int
	}{
		{nil, "eu-central-1", 1},
		{[]string{"--region", "eu-west-1"}, "eu-west-1", 1},
		{[]string{"--regions", "scope"}, "us-west-2", 0},
	} {
		s := diffServe(t, tt.args...)
		s.region = "us-west-2"
		arn := s.project("p")
		want := "us-east-1"
		if tt.args != nil {
			want = tt.region
		}
		if !strings.HasPrefix(arn, "arn:aws:rekognition:"+want+":") {
			t.Errorf("%v: the ARN is %s", tt.args, arn)
		}
		s.region = "eu-central-1"
		if got := s.ok(s.labels("DescribeProjects", `{}`), "ProjectDescriptions").([]any); len(got) != tt.seen {
			t.Errorf("%v: another region shows %d projects, want %d", tt.args, len(got), tt.seen)
		}
	}
}

func TestDiff10TheRootKeyMayDoEverything(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	// What a token of temporary credentials says is not looked at.
	a := s.do("lookoutvision", "GET", "/2020-11-20/projects", "", map[string]string{"X-Amz-Security-Token": "any"})
	if a.status != 200 {
		t.Errorf("with a security token: %d %s", a.status, a.text)
	}
	s.key.ID = "AKIANOBODY"
	s.fails(s.labels("DescribeProjects", `{}`), "UnrecognizedClientException", 400)
	s.fails(s.lookout("GET", "/projects", "", ""), "UnrecognizedClientException", 403)
}

func TestDiff11BucketPoliciesAreNotEnforced(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", leaves(1)...)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`
	s.s3("PUT", "/factory?policy=", policy)
	if got := s.s3("GET", "/factory?policy=", ""); got.text != policy {
		t.Errorf("the policy came back as %s", got.text)
	}
	s.s3("GET", "/factory/m", "")
	if _, d := s.imported(s.project("p"), "TRAIN", "m"); d["Status"] != "CREATE_COMPLETE" {
		t.Errorf("the import is %v", d["Status"])
	}
}

func TestDiff12CORSIsOpen(t *testing.T) {
	t.Parallel()
	origin := map[string]string{"Origin": "https://lab.example"}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, "*"},
		{[]string{"--cors-origins", "https://lab.example"}, "https://lab.example"},
		{[]string{"--cors-origins", "https://other.example"}, ""},
	} {
		s := diffServe(t, tt.args...)
		s.s3("PUT", "/factory", "")
		if got := s.do("lookoutvision", "GET", "/2020-11-20/projects", "", origin).header.Get("Access-Control-Allow-Origin"); got != tt.want {
			t.Errorf("%v: the API allows %q, want %q", tt.args, got, tt.want)
		}
		got := s.do("s3", "GET", "/factory", "", origin).header.Get("Access-Control-Allow-Origin")
		if got != tt.want {
			t.Errorf("%v: S3 allows %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestDiff13PublicPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		want map[string]int
	}{
		{nil, map[string]int{"/": 200, "/healthz": 200, "/readyz": 200, "/metrics": 200}},
		{[]string{"--public-pages", "/healthz"}, map[string]int{"/": 403, "/healthz": 200, "/readyz": 403, "/metrics": 403}},
	} {
		s := diffServe(t, tt.args...)
		got := map[string]int{}
		for page := range tt.want {
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+page, nil)
			if err != nil {
				t.Fatal(err)
			}
			got[page] = s.send(req).status
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v: statuses without a signature (-want +got):\n%s", tt.args, diff)
		}
	}
}

func TestDiff14ImportReport(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", append(leaves(9), "not JSON")...)
	s.imported(s.project("p"), "TRAIN", "m")
	const path = "/fovea/v1/custom-labels/p/train/import-report"
	a := s.do("fovea", "GET", path, "", nil)
	lines := strings.Split(strings.TrimSpace(a.text), "\n")
	if a.status != 200 || len(lines) != 2 {
		t.Fatalf("import report: %d\n%s", a.status, a.text)
	}
	var found struct {
		Line int
		Code string
	}
	if err := json.Unmarshal([]byte(lines[1]), &found); err != nil || found.Line != 10 || found.Code != "ERROR_INVALID_JSON_LINE" {
		t.Errorf("the finding is %s", lines[1])
	}
	s.fails(s.do("rekognition", "GET", path, "", nil), "UnknownOperationException", 405) // which AWS's clients cannot ask for
}

func TestDiff15BucketsOfAnyRegion(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.s3("PUT", "/factory", `<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`)
	s.s3("PUT", "/factory/m", leaf("1.jpg", "leaf")+"\n")
	if _, d := s.imported(s.project("p"), "TRAIN", "m"); d["Status"] != "CREATE_COMPLETE" {
		t.Errorf("a manifest in another region: %v %v", d["Status"], d["StatusMessage"])
	}
}

func TestDiff16TheNameOfAManifestIsIgnored(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	project := s.project("p")
	for split, key := range map[string]string{"TRAIN": "no-extension", "TEST": "table.csv"} {
		s.upload(key, leaves(1)...)
		if _, d := s.imported(project, split, key); d["Status"] != "CREATE_COMPLETE" {
			t.Errorf("%s: %v %v", key, d["Status"], d["StatusMessage"])
		}
	}
}

func TestDiff17MessagesNameTheThing(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.project("p")
	const arn = "arn:aws:rekognition:us-east-1:000000000000:project/nobody/1"
	for _, tt := range []struct {
		answer answer
		want   string
	}{
		{s.labels("CreateProject", `{"ProjectName":"p"}`), "A project named p already exists."},
		{s.labels("DeleteProject", fmt.Sprintf(`{"ProjectArn":%q}`, arn)), "The project nobody does not exist."},
		{s.lookout("GET", "/projects/nobody", "", ""), "The project nobody does not exist."},
	} {
		if got := tt.answer.json["Message"]; got != tt.want {
			t.Errorf("message %q, want %q", got, tt.want)
		}
	}
}

func TestDiff19DatasetTypeInAnyCase(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	project := s.project("p")
	for in, out := range map[string]string{"train": "/dataset/train/", "Test": "/dataset/test/"} {
		arn := s.ok(s.labels("CreateDataset", fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":%q}`, project, in)), "DatasetArn").(string)
		if !strings.Contains(arn, out) {
			t.Errorf("%s made %s", in, arn)
		}
	}
	s.fails(s.labels("CreateDataset", fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":"VALIDATION"}`, project)), "InvalidParameterException", 400)
}

func TestDiff20MaxResultsIsAValidationException(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.fails(s.labels("DescribeProjects", `{"MaxResults":101}`), "ValidationException", 400)
	s.fails(s.labels("DescribeProjects", `{"ProjectNames":[]}`), "InvalidParameterException", 400)
	s.fails(s.labels("DescribeProjects", `{"MaxResults":101,"ProjectNames":[]}`), "InvalidParameterException", 400)
}

func TestDiff23TerminalErrorsAreShown(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", leaf("1.jpg", "leaf"), strings.Replace(leaf("2.jpg", "leaf"), "//factory", "//other", 1))
	_, d := s.imported(s.project("p"), "TRAIN", "m")
	want := map[string]any{
		"Status": "CREATE_FAILED", "StatusMessageCode": "CLIENT_ERROR",
		"StatusMessage": "The manifest file contains images from multiple S3 buckets.",
	}
	for name := range d {
		if want[name] == nil {
			delete(d, name)
		}
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("description (-want +got):\n%s", diff)
	}
}

func TestDiff24AMissingManifestIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.s3("PUT", "/factory", "")
	project := s.project("p")
	s.fails(s.labels("CreateDataset", fmt.Sprintf(
		`{"ProjectArn":%q,"DatasetType":"TRAIN","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Name":"gone"}}}}`,
		project)), "InvalidS3ObjectException", 400)
	s.ok(s.labels("CreateDataset", fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":"TRAIN"}`, project))) // the place is free

	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	s.fails(s.lookout("POST", "/projects/p/datasets",
		`{"DatasetType":"train","DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"factory","Key":"gone"}}}}`, ""), "ValidationException", 400)
	s.fails(s.lookout("GET", "/projects/p/datasets/train", "", ""), "ResourceNotFoundException", 404)
}

func TestDiff25MoreThanAFifthFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		good, bad int
		status    string
	}{{8, 2, "CREATE_COMPLETE"}, {7, 2, "CREATE_FAILED"}} {
		s := diffServe(t)
		lines := leaves(tt.good)
		for range tt.bad {
			lines = append(lines, "{}")
		}
		s.upload("m", lines...)
		_, d := s.imported(s.project("p"), "TRAIN", "m")
		if d["Status"] != tt.status {
			t.Errorf("%d of %d lines dropped: %v %v, want %s", tt.bad, len(lines), d["Status"], d["StatusMessage"], tt.status)
		}
	}
}

func TestDiff26WhichOfTwoLinesCounts(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	lines := append(leaves(9), leaf("0.jpg", "stem"))
	s.upload("m", lines...)
	arn, _ := s.imported(s.project("p"), "TRAIN", "m")
	got := s.ok(s.labels("ListDatasetEntries", fmt.Sprintf(`{"DatasetArn":%q,"SourceRefContains":"/0.jpg"}`, arn)), "DatasetEntries").([]any)
	if len(got) != 1 || !strings.Contains(got[0].(string), `"leaf"`) {
		t.Errorf("Custom Labels keeps %v, not the first line", got)
	}

	s.upload("c", strings.ReplaceAll(lines[0], "leaf", "normal"), strings.ReplaceAll(lines[0], "leaf", "anomaly"))
	stats := s.casting("train", "c")["ImageStats"]
	if diff := cmp.Diff(map[string]any{"Total": 1.0, "Labeled": 1.0, "Normal": 0.0, "Anomaly": 1.0}, stats); diff != "" {
		t.Errorf("Lookout keeps not the last line (-want +got):\n%s", diff)
	}
}

func TestDiff27AdaptersAreRefused(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.fails(s.labels("CreateProject", `{"ProjectName":"p","Feature":"CONTENT_MODERATION"}`), "InvalidParameterException", 400)
	s.fails(s.labels("CreateProject", `{"ProjectName":"p","AutoUpdate":"ENABLED"}`), "InvalidParameterException", 400)
	s.ok(s.labels("CreateProject", `{"ProjectName":"p","Feature":"CUSTOM_LABELS"}`))
}

func TestDiff29DeclaredLabelsCount(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", `{"source-ref":"s3://factory/1.jpg","b":{"image_size":[{"width":640,"height":480,"depth":3}],`+
		`"annotations":[{"class_id":0,"left":1,"top":1,"width":50,"height":50}]},"b-metadata":{"objects":[{"confidence":1}],`+
		`"class-map":{"0":"cat","1":"dog"},"type":"groundtruth/object-detection","human-annotated":"yes","creation-date":"2026-02-03T04:05:06"}}`)
	arn, d := s.imported(s.project("p"), "TRAIN", "m")
	if got := d["DatasetStats"].(map[string]any)["TotalLabels"]; got != 2.0 {
		t.Errorf("TotalLabels = %v, want 2", got)
	}
	got := s.ok(s.labels("ListDatasetLabels", fmt.Sprintf(`{"DatasetArn":%q}`, arn)), "DatasetLabelDescriptions")
	want := []any{
		map[string]any{"LabelName": "cat", "LabelStats": map[string]any{"EntryCount": 1.0, "BoundingBoxCount": 1.0}},
		map[string]any{"LabelName": "dog", "LabelStats": map[string]any{"EntryCount": 0.0}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestDiff30LatestProjectsFirst(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	for _, name := range []string{"a", "c", "b"} {
		s.project(name)
		s.ok(s.lookout("POST", "/projects", fmt.Sprintf(`{"ProjectName":%q}`, name), ""))
	}
	order := func(list any, member string) (names string) {
		for _, p := range list.([]any) {
			name := p.(map[string]any)[member].(string)
			if _, path, ok := strings.Cut(name, ":project/"); ok {
				name, _, _ = strings.Cut(path, "/")
			}
			names += name
		}
		return names
	}
	if got := order(s.ok(s.labels("DescribeProjects", `{}`), "ProjectDescriptions"), "ProjectArn"); got != "bca" {
		t.Errorf("Custom Labels lists %s", got)
	}
	if got := order(s.ok(s.lookout("GET", "/projects", "", ""), "Projects"), "ProjectName"); got != "bca" {
		t.Errorf("Lookout lists %s", got)
	}
}

func TestDiff31TheFirstBadLineIsNamed(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", `{"source-ref":"s3://factory/1.jpg"}`, ``, `{"source-ref":"https://factory/2.jpg"}`, `{`)
	d := s.casting("train", "m")
	want := "Line 3: source-ref is missing or isn't an S3 URI."
	if d["Status"] != "CREATE_FAILED" || d["StatusMessage"] != want {
		t.Errorf("the import is %v %q, want CREATE_FAILED %q", d["Status"], d["StatusMessage"], want)
	}
}

func TestDiff34AReusedClientTokenIsAValidationException(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	first := s.lookout("POST", "/projects", `{"ProjectName":"a"}`, "token-1")
	s.ok(first)
	again := s.lookout("POST", "/projects", `{"ProjectName":"a"}`, "token-1")
	if again.status != 200 || again.text != first.text {
		t.Errorf("the repeated call answers %d %s, want %s", again.status, again.text, first.text)
	}
	s.fails(s.lookout("POST", "/projects", `{"ProjectName":"b"}`, "token-1"), "ValidationException", 400)
}

func TestDiff35AnEmptySourceIsRefused(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	for _, source := range []string{`{}`, `{"GroundTruthManifest":{}}`} {
		s.fails(s.lookout("POST", "/projects/p/datasets", `{"DatasetType":"train","DatasetSource":`+source+`}`, ""), "ValidationException", 400)
	}
}

func TestDiff37NoQuotaOnProjectsOfLookout(t *testing.T) {
	t.Parallel()
	var c config
	f := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	c.serverFlags(f)
	profiles, err := c.profiles()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for service, p := range profiles {
		got[string(service)] = p.Limits.Projects
	}
	if diff := cmp.Diff(map[string]int{"custom-labels": 100, "lookout": 0}, got); diff != "" {
		t.Errorf("projects allowed, 0 being any number (-want +got):\n%s", diff)
	}
}

func TestDiff38TestBeforeTrain(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	a := s.lookout("POST", "/projects/p/datasets", `{"DatasetType":"test"}`, "")
	if got := s.ok(a, "DatasetMetadata", "Status"); got != "CREATE_COMPLETE" {
		t.Errorf("a test dataset before the train dataset: %v", got)
	}
}

// changed waits until a dataset of Custom Labels is no longer being updated, and
// returns its status.
func (s *diffServer) changed(arn string) any {
	s.Helper()
	for {
		status := s.ok(s.labels("DescribeDataset", fmt.Sprintf(`{"DatasetArn":%q}`, arn)), "DatasetDescription", "Status")
		if status != "UPDATE_IN_PROGRESS" {
			return status
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// entries lists the entries of a dataset of Custom Labels, up to 100.
func (s *diffServer) entries(arn string) []any {
	s.Helper()
	return s.ok(s.labels("ListDatasetEntries", fmt.Sprintf(`{"DatasetArn":%q}`, arn)), "DatasetEntries").([]any)
}

func TestDiff39AnUpdateReplacesTheWholeLine(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.upload("m", leaves(2)...)
	arn, _ := s.imported(s.project("p"), "TRAIN", "m")
	const line = `{"source-ref":"s3://factory/0.jpg"}` // without its label
	s.ok(s.labels("UpdateDatasetEntries", fmt.Sprintf(`{"DatasetArn":%q,"Changes":{"GroundTruth":%q}}`, arn,
		base64.StdEncoding.EncodeToString([]byte(line)))))
	if status := s.changed(arn); status != "UPDATE_COMPLETE" {
		t.Fatalf("the update is %v", status)
	}
	got := s.entries(arn)
	if want := `{"source-ref":"s3://factory/0.jpg","cl-metadata":{"is_labeled":false}}`; len(got) != 2 || got[0] != want {
		t.Errorf("entries %v, want %s first", got, want)
	}
}

func TestDiff40TheSameEntriesAreDistributed(t *testing.T) {
	t.Parallel()
	moved := func() []any {
		s := diffServe(t)
		s.upload("m", leaves(20)...)
		project := s.project("p")
		train, _ := s.imported(project, "TRAIN", "m")
		test := s.ok(s.labels("CreateDataset", fmt.Sprintf(`{"ProjectArn":%q,"DatasetType":"TEST"}`, project)), "DatasetArn").(string)
		s.ok(s.labels("DistributeDatasetEntries", fmt.Sprintf(`{"Datasets":[{"Arn":%q},{"Arn":%q}]}`, train, test)))
		for _, arn := range []string{train, test} {
			if status := s.changed(arn); status != "UPDATE_COMPLETE" {
				t.Fatalf("%s is %v", arn, status)
			}
		}
		return s.entries(test)
	}
	first := moved()
	if len(first) != 4 {
		t.Errorf("%d of 20 entries are moved, want 4", len(first))
	}
	if diff := cmp.Diff(first, moved()); diff != "" {
		t.Errorf("another time others are moved (-first +second):\n%s", diff)
	}
}

func TestDiff41AFailedUpdateIsRolledBackAtOnce(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	s.ok(s.lookout("POST", "/projects/p/datasets", `{"DatasetType":"train"}`, ""))
	s.ok(s.lookout("PATCH", "/projects/p/datasets/train/entries", fmt.Sprintf(`{"Changes":%q}`, base64.StdEncoding.EncodeToString([]byte("{}"))), ""))
	for {
		d := s.ok(s.lookout("GET", "/projects/p/datasets/train", "", ""), "DatasetDescription").(map[string]any)
		switch d["Status"] {
		case "UPDATE_IN_PROGRESS":
			time.Sleep(2 * time.Millisecond)
			continue
		case "UPDATE_FAILED_ROLLBACK_COMPLETE":
			want := "The dataset update failed and was rolled back. Line 1: source-ref is missing or isn't an S3 URI."
			if d["StatusMessage"] != want {
				t.Errorf("message %q, want %q", d["StatusMessage"], want)
			}
		default:
			t.Errorf("status %v", d["Status"])
		}
		return
	}
}

func TestDiff42OnlySignatureVersion4(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/factory/1.jpg?AWSAccessKeyId="+s.key.ID+"&Signature=c2ln&Expires=99999999999", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := s.send(req)
	for _, want := range []string{"<Code>InvalidRequest</Code>", "Signature Version 2", "signature_version=", "s3v4"} {
		if a.status != http.StatusBadRequest || !strings.Contains(a.text, want) {
			t.Errorf("%d %s, want 400 with %s", a.status, a.text, want)
		}
	}
}

// training puts a model into the store whose training goes on, with a dataset of
// a project of Lookout.
func (s *diffServer) training(project string, began time.Time, progress float64) {
	s.Helper()
	err := s.node.store.Update(s.Context(), func(tx fovea.Tx) error {
		p, err := tx.ProjectNamed(fovea.ProjectKey{Service: fovea.Lookout, Account: s.node.config.Account, Region: s.region, Name: project})
		if err != nil {
			return err
		}
		ds, err := tx.DatasetOf(p.ID, fovea.Train)
		if err != nil {
			return err
		}
		return tx.PutModel(&fovea.Model{
			ID: 1, Project: p.ID, Name: "1", Created: began, Updated: began, Began: began, Status: fovea.Training, Progress: progress, Stage: "features",
			Train: fovea.RevisionKey{Dataset: ds.ID, Number: ds.Revision},
		})
	})
	if err != nil {
		s.Fatal(err)
	}
}

func TestDiff43ADatasetInTrainingStays(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	s.ok(s.lookout("POST", "/projects/p/datasets", `{"DatasetType":"train"}`, ""))
	s.training("p", time.Now(), 0.5)
	s.fails(s.lookout("DELETE", "/projects/p/datasets/train", "", ""), "ConflictException", 409)
	if a := s.do("fovea", "POST", "/fovea/v1/lookout/p/models/1/cancel", "", nil); a.status != 200 {
		t.Fatalf("cancel: %d %s", a.status, a.text)
	}
	s.ok(s.lookout("DELETE", "/projects/p/datasets/train", "", ""))
}

func TestDiff44StatusMessageTellsProgress(t *testing.T) {
	t.Parallel()
	s := diffServe(t)
	s.ok(s.lookout("POST", "/projects", `{"ProjectName":"p"}`, ""))
	s.ok(s.lookout("POST", "/projects/p/datasets", `{"DatasetType":"train"}`, ""))
	s.training("p", time.Now().Add(-time.Hour), 0.5)
	d := s.ok(s.lookout("GET", "/projects/p/models/1", "", ""), "ModelDescription").(map[string]any)
	text, _ := d["StatusMessage"].(string)
	if d["Status"] != "TRAINING" || !strings.HasPrefix(text, "The model is being trained. 50 % are done (features), about 1h") {
		t.Errorf("%v: %q", d["Status"], text)
	}
}
