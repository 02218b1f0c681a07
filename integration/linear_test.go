package integration

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fovea/integration/process"
)

// The size of the concurrency test.
const (
	linearClients = 64
	linearRounds  = 5
	linearTime    = 6 * time.Second        // of a round
	linearKills   = 2                      // at least, in a round
	linearThink   = 150 * time.Millisecond // of a client between calls, at most; more where kills cut off too many
	linearTries   = 20                     // rounds at most
)

// linearManifest is what the manifest of the concurrency test has.
var linearManifest = []string{"m0", "m1", "m2", "m3", "m4", "m5", "m6"}

// TestLinear (T24) lets 64 clients work on one project while the server is
// killed and started again, and looks for one order of all calls that explains
// every answer. What was acknowledged must be in it, what was refused must have
// had a reason, and a call whose answer was lost has happened whole, before the
// server was gone, or not at all.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	server := serve(t, "--limits", "none")
	tally := map[string]int{} // of the calls that succeeded
	think := linearThink
	proved := 0
	for round := 0; proved < linearRounds || len(untested(tally)) > 0; round++ {
		if round == linearTries {
			t.Fatalf("%d of %d rounds have proved anything, and nothing of %q", proved, round, untested(tally))
		}
		lookout := round%2 == 1
		s := &linearSession{server: server, project: fmt.Sprintf("linear-%d", round), lookout: lookout, think: think, began: time.Now()}
		var manifest strings.Builder
		for _, key := range linearManifest {
			manifest.WriteString(s.line(key, 0))
		}
		upload(t, server, fmt.Sprintf("linear-%v.manifest", lookout), manifest.String())
		kills := s.run(t)
		if s.check(t, kills, tally) {
			proved++
		} else {
			think *= 2
		}
		if t.Failed() {
			break
		}
	}
	t.Logf("of the calls succeeded %v", tally)
}

// untested returns the operations of which none has succeeded.
func untested(tally map[string]int) []string {
	return slices.DeleteFunc([]string{"CreateProject", "DeleteProject", "CreateDataset", "CreateDataset manifest", "CreateDataset copy",
		"UpdateDatasetEntries", "DistributeDatasetEntries", "DeleteDataset", "ListDatasetEntries", "TagResource"},
		func(op string) bool { return tally[op] > 0 })
}

// A linearSession is one round: one project and the history of its calls.
type linearSession struct {
	server  *process.Server
	project string
	lookout bool
	think   time.Duration // of a client between calls, at most
	began   time.Time

	mu      sync.Mutex // of what follows
	history []operation
	faults  []string // answers that nothing explains
	arns    map[string][]string
	next    int // version
}

// run lets the clients work, kills the server meanwhile, and returns how often.
func (s *linearSession) run(t *testing.T) (kills int) {
	s.arns = map[string][]string{}
	ctx, cancel := context.WithTimeout(t.Context(), linearTime)
	defer cancel()
	var clients sync.WaitGroup
	for id := range linearClients {
		clients.Go(func() {
			for ctx.Err() == nil {
				s.do(id, s.random())
				time.Sleep(rand.N(s.think))
			}
		})
	}
	for ; ctx.Err() == nil || kills < linearKills; kills++ {
		time.Sleep(linearTime/8 + rand.N(linearTime/4))
		s.server.Kill()
		if err := s.server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	clients.Wait()
	s.settle(t)
	return kills
}

// settle waits until no dataset is in progress, and reads everything.
func (s *linearSession) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) { // LV-3.1
		out := s.do(0, linearCall{op: "DescribeProjects"})
		if !strings.Contains(out.sets[0].status+out.sets[1].status, "_IN_PROGRESS") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a dataset stays in progress: %+v", out.sets)
		}
	}
	for split := range 2 {
		s.do(0, linearCall{op: "ListDatasetEntries", split: split, arn: s.pick("dataset", split)})
	}
	if !s.lookout {
		s.do(0, linearCall{op: "ListTagsForResource", arn: s.pick("project", 0)})
	}
}

// check looks for an order of the history, and counts what succeeded if there is
// one. It reports false if the search gave up, which says nothing of the history.
func (s *linearSession) check(t *testing.T, kills int, tally map[string]int) bool {
	m := &model{lookout: s.lookout, told: map[string]bool{}}
	for i, key := range linearManifest {
		m.manifest += fmt.Sprintf("%s%s=0", strings.Repeat(" ", min(i, 1)), key)
	}
	lost, done, refused, counts := 0, 0, map[string]int{}, map[string]int{}
	for _, o := range s.history {
		in, out := o.in, o.out
		switch {
		case out.lost:
			lost++
			continue
		case out.code != "":
			refused[out.code]++
			continue
		}
		done++
		m.told[out.arn] = true
		counts[strings.TrimSpace(in.op+" "+in.source)]++
	}
	for _, fault := range s.faults {
		t.Error(fault)
	}
	began := time.Now()
	culprits, most := m.explain(s.history)
	t.Logf("%s: %d kills, %d calls succeeded, refused %v, %d lost; checked in %v with %d ways at most",
		s.project, kills, done, refused, lost, time.Since(began), most)
	if culprits == nil {
		for op, n := range counts {
			tally[op] += n
		}
		return true
	}
	if most > maxConfigs {
		t.Logf("%s: the search for an order of the %d calls gave up at %d ways; this round proves nothing", s.project, len(s.history), maxConfigs)
		return false
	}
	t.Errorf("%s: no order of the %d calls explains what came of the first of these, beside the others:", s.project, len(s.history))
	for _, o := range culprits {
		t.Log(o)
	}
	slices.SortFunc(s.history, func(a, b operation) int { return cmp.Compare(a.ret, b.ret) })
	at := slices.IndexFunc(s.history, func(o operation) bool { return o.ret >= culprits[0].ret })
	for _, o := range s.history[max(0, at-100):at] {
		t.Log("before: ", o)
	}
	return true
}

// random returns a call to make.
func (s *linearSession) random() linearCall {
	in := linearCall{split: rand.N(2)}
	if rand.N(3) > 0 {
		in.split = 0
	}
	type choice struct {
		op     string
		weight int
	}
	choices := []choice{{"CreateProject", 5}, {"DeleteProject", 5}, {"CreateDataset", 14}, {"UpdateDatasetEntries", 24}, {"DeleteDataset", 7},
		{"DescribeDataset", 12}, {"ListDatasetEntries", 14}, {"DescribeProjects", 9}}
	if !s.lookout { // Lookout tags by ARN, which its clients build themselves
		choices = append(choices, choice{"DistributeDatasetEntries", 20}, choice{"TagResource", 4}, choice{"UntagResource", 2}, choice{"ListTagsForResource", 4})
	}
	total := 0
	for _, c := range choices {
		total += c.weight
	}
	n := rand.N(total)
	for _, c := range choices {
		if in.op = c.op; n < c.weight {
			break
		}
		n -= c.weight
	}
	if in.split == 1 && in.op == "UpdateDatasetEntries" && rand.N(5) > 0 {
		in.split = 0 // only to an empty test dataset can be distributed
	}
	switch in.op {
	case "CreateProject", "DescribeProjects":
		in.split = 0
	case "DeleteProject", "TagResource", "UntagResource", "ListTagsForResource":
		in.split, in.arn = 0, s.pick("project", 0)
		in.tag = string(rune('a' + rand.N(3)))
		if in.op == "TagResource" {
			in.tagValue = fmt.Sprint(s.version())
		}
	case "CreateDataset":
		in.arn, in.source = s.pick("project", 0), []string{"", "manifest", "manifest", "copy"}[rand.N(4)]
		if in.split == 1 && rand.N(4) > 0 || in.source == "copy" && s.lookout {
			in.source = ""
		}
		if in.source == "copy" {
			in.other = s.pick("dataset", 1-in.split)
		}
	case "DistributeDatasetEntries":
		in.split, in.arn, in.other = 0, s.pick("dataset", 0), s.pick("dataset", 1)
	case "UpdateDatasetEntries":
		in.arn, in.version = s.pick("dataset", in.split), s.version()
		for _, n := range rand.Perm(10)[:1+rand.N(4)] {
			in.keys = append(in.keys, fmt.Sprintf("%c%d", "mu"[rand.N(2)], n))
		}
	default:
		in.arn = s.pick("dataset", in.split)
	}
	return in
}

func (s *linearSession) version() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	return s.next
}

// pick returns an ARN of those that clients were told, as a rule the latest;
// before there is one, one of nothing.
func (s *linearSession) pick(kind string, split int) string {
	if s.lookout {
		return kind
	}
	if kind == "dataset" {
		kind = [2]string{"train", "test"}[split]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.arns[kind]
	if len(list) == 0 {
		path := s.project
		if kind != "project" {
			path += "/dataset/" + kind
		}
		return "arn:aws:rekognition:us-east-1:000000000000:project/" + path + "/1000000000000"
	}
	back := 1
	if rand.N(8) == 0 {
		back = min(2, len(list))
	}
	return list[len(list)-back]
}

// learn remembers an ARN.
func (s *linearSession) learn(kind, arn string) {
	if arn == "" || s.lookout {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.arns[kind], arn) {
		s.arns[kind] = append(s.arns[kind], arn)
	}
}

// do makes a call and writes it into the history, unless it cannot have
// reached the server or was a read that told nothing.
func (s *linearSession) do(client int, in linearCall) reply {
	call := time.Since(s.began)
	out, err := s.call(in)
	ret := time.Since(s.began)
	var answer *process.AnswerError
	switch {
	case err == nil:
	case errors.As(err, &answer):
		out = reply{code: errorCode(answer)}
		if answer.Status >= 500 {
			s.mu.Lock()
			s.faults = append(s.faults, fmt.Sprintf("%+v was answered %v", in, answer))
			s.mu.Unlock()
			out = reply{lost: true}
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		return out
	default:
		out = reply{lost: true}
	}
	if out.lost && in.reads() {
		return out
	}
	split := [2]string{"train", "test"}
	switch in.op {
	case "CreateProject":
		s.learn("project", out.arn)
	case "CreateDataset":
		s.learn(split[in.split], out.arn)
	case "DescribeProjects":
		s.learn("project", out.project)
		s.learn("train", out.sets[0].arn)
		s.learn("test", out.sets[1].arn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history = append(s.history, operation{client: client, in: in, out: out, call: call.Nanoseconds(), ret: ret.Nanoseconds()})
	return out
}

// errorCode returns the name of the error of an answer of either service.
func errorCode(a *process.AnswerError) string {
	if name := a.Header.Get("X-Amzn-Errortype"); name != "" {
		return name
	}
	var body struct {
		Type string `json:"__type"`
	}
	json.Unmarshal(a.Body, &body)
	return body.Type
}

// line returns an entry with one label, the same for all, and its version in
// the name of the job.
func (s *linearSession) line(key string, version int) string {
	line := leaf(key, "part")
	if s.lookout {
		line = cookie(key, "normal", "2026-02-03T04:05:06.789Z")
	}
	return regexp.MustCompile(`"job-name":"[^"]*"`).ReplaceAllString(line, fmt.Sprintf(`"job-name":"v%d"`, version))
}

func (s *linearSession) lines(in linearCall) []byte {
	var b bytes.Buffer
	for _, key := range in.keys {
		b.WriteString(s.line(key, in.version))
	}
	return b.Bytes()
}

var entryForm = regexp.MustCompile(`"source-ref":"s3://factory/(\w+)".*"job-name":"v(\d+)"`)

// entriesOf returns entries as the model has them.
func entriesOf(lines []string) string {
	var list []string
	for _, line := range lines {
		m := entryForm.FindStringSubmatch(line)
		if m == nil {
			list = append(list, "?"+line)
			continue
		}
		list = append(list, m[1]+"="+m[2])
	}
	return strings.Join(list, " ")
}

// call makes a call and returns what it told.
func (s *linearSession) call(in linearCall) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if s.lookout {
		return s.callLookout(ctx, in)
	}
	var out struct {
		ProjectArn, DatasetArn string
		DatasetDescription     struct {
			Status       string
			DatasetStats struct{ TotalEntries int }
		}
		DatasetEntries      []string
		Tags                map[string]string
		ProjectDescriptions []struct {
			ProjectArn string
			Datasets   []struct{ DatasetArn, DatasetType, Status string }
		}
	}
	err := s.server.Rekognition(ctx, in.op, s.input(in), &out)
	r := reply{
		arn: out.ProjectArn + out.DatasetArn, status: out.DatasetDescription.Status, total: out.DatasetDescription.DatasetStats.TotalEntries,
		content: entriesOf(out.DatasetEntries),
	}
	for key, value := range out.Tags {
		r.tags = tagged(r.tags, key, value)
	}
	for _, p := range out.ProjectDescriptions {
		r.project = p.ProjectArn
		for _, d := range p.Datasets {
			r.sets[map[string]int{"TRAIN": 0, "TEST": 1}[d.DatasetType]] = seen{d.DatasetArn, d.Status}
		}
	}
	return r, err
}

// input returns the members of a call of Custom Labels.
func (s *linearSession) input(in linearCall) map[string]any {
	switch in.op {
	case "CreateProject":
		return map[string]any{"ProjectName": s.project}
	case "DescribeProjects":
		return map[string]any{"ProjectNames": []string{s.project}}
	case "DeleteProject":
		return map[string]any{"ProjectArn": in.arn}
	case "TagResource":
		return map[string]any{"ResourceArn": in.arn, "Tags": map[string]string{in.tag: in.tagValue}}
	case "UntagResource":
		return map[string]any{"ResourceArn": in.arn, "TagKeys": []string{in.tag}}
	case "ListTagsForResource":
		return map[string]any{"ResourceArn": in.arn}
	case "CreateDataset":
		members := map[string]any{"ProjectArn": in.arn, "DatasetType": []string{"TRAIN", "TEST"}[in.split]}
		switch in.source {
		case "copy":
			members["DatasetSource"] = map[string]any{"DatasetArn": in.other}
		case "manifest":
			members["DatasetSource"] = map[string]any{"GroundTruthManifest": s.manifest("Name")}
		}
		return members
	case "UpdateDatasetEntries":
		return map[string]any{"DatasetArn": in.arn, "Changes": map[string]any{"GroundTruth": s.lines(in)}}
	case "DistributeDatasetEntries":
		return map[string]any{"Datasets": []map[string]any{{"Arn": in.arn}, {"Arn": in.other}}}
	}
	return map[string]any{"DatasetArn": in.arn}
}

func (s *linearSession) manifest(key string) map[string]any {
	return map[string]any{"S3Object": map[string]any{"Bucket": "factory", key: fmt.Sprintf("linear-%v.manifest", s.lookout)}}
}

// callLookout makes a call of Lookout for Vision.
func (s *linearSession) callLookout(ctx context.Context, in linearCall) (reply, error) {
	split := []string{"train", "test"}
	project := "/projects/" + s.project
	set := project + "/datasets/" + split[in.split]
	send := func(method, path string, body, out any) error {
		return s.server.Lookout(ctx, method, path, http.Header{}, body, out)
	}
	switch in.op {
	case "CreateProject":
		return reply{}, send("POST", "/projects", map[string]any{"ProjectName": s.project}, nil)
	case "DeleteProject":
		return reply{}, send("DELETE", project, nil, nil)
	case "DeleteDataset":
		return reply{}, send("DELETE", set, nil, nil)
	case "UpdateDatasetEntries":
		return reply{}, send("PATCH", set+"/entries", map[string]any{"Changes": s.lines(in)}, nil)
	case "CreateDataset":
		members := map[string]any{"DatasetType": split[in.split]}
		if in.source == "manifest" {
			members["DatasetSource"] = map[string]any{"GroundTruthManifest": s.manifest("Key")}
		}
		return reply{}, send("POST", project+"/datasets", members, nil)
	case "ListDatasetEntries":
		var out struct{ DatasetEntries []string }
		err := send("GET", set+"/entries", nil, &out)
		return reply{content: entriesOf(out.DatasetEntries)}, err
	case "DescribeDataset":
		var out struct {
			DatasetDescription struct {
				Status     string
				ImageStats struct{ Total int }
			}
		}
		err := send("GET", set, nil, &out)
		return reply{status: out.DatasetDescription.Status, total: out.DatasetDescription.ImageStats.Total}, err
	}
	var out struct {
		ProjectDescription struct {
			Datasets []struct{ DatasetType, Status string }
		}
	}
	if err := send("GET", project, nil, &out); err != nil {
		return reply{}, err
	}
	r := reply{project: "project"}
	for _, d := range out.ProjectDescription.Datasets {
		r.sets[slices.Index(split, d.DatasetType)] = seen{"dataset", d.Status}
	}
	return r, nil
}
