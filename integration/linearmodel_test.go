package integration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// A linearCall is one call of the history: what was asked for.
type linearCall struct {
	op       string
	arn      string   // of the project or the dataset that it is about
	other    string   // of the dataset to copy, or of the test dataset to distribute to
	split    int      // 0 train, 1 test
	source   string   // of CreateDataset: "", "manifest" or "copy"
	keys     []string // of the entries that an update sets
	version  int      // what it sets them to
	tag      string
	tagValue string
}

// reads reports whether the call changes nothing.
func (c linearCall) reads() bool {
	return strings.HasPrefix(c.op, "Describe") || strings.HasPrefix(c.op, "List")
}

// A reply is what came of a call. Of a lost one nobody knows whether it took
// effect; if it did, then before the server was gone.
type reply struct {
	lost    bool
	code    string // of the error
	arn     string // of what was created
	status  string
	total   int
	content string // "k1=3 k2=0": entries in their order, each with its version
	project string // ARN, of DescribeProjects
	sets    [2]seen
	tags    string
}

// A seen is a dataset as DescribeProjects shows it.
type seen struct{ arn, status string }

// A modelled is one dataset of the sequential model. Its zero value is none.
type modelled struct {
	seen
	content   string
	next      string // what the content will be when the job is done
	nextState string // and the status
}

func (d modelled) inProgress() bool { return strings.HasSuffix(d.status, "_IN_PROGRESS") }

// A world is the state of the sequential model: a project with its datasets
// (CL-4.1, CL-4.2, LV-3.1).
type world struct {
	project string // ARN; "" for none, unknown for one that a lost call made
	tags    string
	sets    [2]modelled
	joined  bool // the datasets' jobs are one
}

// unknown is the ARN of what a lost call has made.
const unknown = "?"

// A model says which replies are right. Lookout has names in place of ARNs,
// which are constant.
type model struct {
	lookout  bool
	manifest string          // content of what is imported
	told     map[string]bool // ARNs that a call which was answered has made
}

// codes are the names of the errors.
func (m *model) code(kind string) string {
	if m.lookout {
		if kind == "missing" {
			return "ResourceNotFoundException"
		}
		return "ConflictException"
	}
	return map[string]string{"missing": "ResourceNotFoundException", "exists": "ResourceAlreadyExistsException", "in use": "ResourceInUseException",
		"not ready": "ResourceNotReadyException", "invalid": "InvalidParameterException"}[kind]
}

// arnLike returns where the world has the ARN of the kind of arn.
func (w *world) arnLike(arn string) *string {
	switch {
	case strings.Contains(arn, "/dataset/train/"):
		return &w.sets[0].arn
	case strings.Contains(arn, "/dataset/test/"):
		return &w.sets[1].arn
	}
	return &w.project
}

// settle ends the job of a dataset.
func settle(w world, i int) world {
	for j := range w.sets {
		if d := &w.sets[j]; i == j || w.joined {
			d.content, d.status, d.next, d.nextState = d.next, d.nextState, "", ""
		}
	}
	w.joined = false
	return w
}

// apply returns the one right answer in a state without hidden changes, and
// the state after it. What is created gets the ARN that the answer has.
func (m *model) apply(w world, in linearCall, arn string) (world, reply) {
	made := cmp.Or(arn, unknown)
	refused := func(kind string) (world, reply) { return w, reply{code: m.code(kind)} }
	set := &w.sets[in.split]
	switch in.op {
	case "CreateProject":
		if w.project != "" {
			return refused("in use")
		}
		if m.lookout {
			made = "project"
		}
		w.project = made
		return w, reply{arn: arn}
	case "DescribeProjects":
		if m.lookout && w.project == "" {
			return refused("missing")
		}
		return w, reply{project: w.project, sets: [2]seen{w.sets[0].seen, w.sets[1].seen}}
	case "DeleteProject", "CreateDataset", "TagResource", "UntagResource", "ListTagsForResource":
		if w.project != in.arn {
			return refused("missing")
		}
	case "DistributeDatasetEntries":
		if w.sets[0].arn != in.arn || w.sets[1].arn != in.other {
			return refused("missing")
		}
	default:
		if set.arn != in.arn {
			return refused("missing")
		}
	}
	switch in.op {
	case "DeleteProject":
		if w.sets[0].status != "" || w.sets[1].status != "" {
			return refused("in use")
		}
		return world{}, reply{}
	case "CreateDataset":
		if set.status != "" {
			return refused("exists")
		}
		source := w.sets[1-in.split]
		if in.source == "copy" && source.arn != in.other {
			return refused("missing")
		}
		if in.source == "copy" && source.inProgress() {
			return refused("invalid")
		}
		if m.lookout {
			made = "dataset"
		}
		*set = modelled{seen: seen{made, "CREATE_COMPLETE"}}
		if in.source == "copy" {
			set.content = source.content
		}
		if in.source == "manifest" {
			set.status, set.next, set.nextState = "CREATE_IN_PROGRESS", m.manifest, "CREATE_COMPLETE"
		}
		return w, reply{arn: arn}
	case "UpdateDatasetEntries":
		if set.inProgress() {
			return refused("in use")
		}
		set.status, set.next, set.nextState = "UPDATE_IN_PROGRESS", updated(set.content, in), "UPDATE_COMPLETE"
	case "DistributeDatasetEntries":
		if w.sets[0].inProgress() || w.sets[1].inProgress() {
			return refused("not ready")
		}
		if w.sets[1].content != "" {
			return refused("invalid")
		}
		stay, move, state := distributed(w.sets[0].content)
		w.sets[0].status, w.sets[0].next, w.sets[0].nextState = "UPDATE_IN_PROGRESS", stay, state
		w.sets[1].status, w.sets[1].next, w.sets[1].nextState = "UPDATE_IN_PROGRESS", move, state
		w.joined = true
	case "DeleteDataset":
		if set.inProgress() {
			return refused("in use")
		}
		*set = modelled{}
	case "DescribeDataset":
		return w, reply{status: set.status, total: len(strings.Fields(set.content))}
	case "ListDatasetEntries":
		switch {
		case m.lookout:
		case set.status == "CREATE_IN_PROGRESS":
			return refused("not ready")
		case set.inProgress():
			return refused("in use")
		}
		return w, reply{content: set.content}
	case "TagResource", "UntagResource":
		w.tags = tagged(w.tags, in.tag, in.tagValue)
	case "ListTagsForResource":
		return w, reply{tags: w.tags}
	}
	return w, reply{}
}

// updated returns the content after an update: entries keep their place, new
// ones follow (CL-7.9).
func updated(content string, in linearCall) string {
	entries := strings.Fields(content)
	for _, key := range in.keys {
		entry := fmt.Sprintf("%s=%d", key, in.version)
		at := slices.IndexFunc(entries, func(e string) bool { return strings.HasPrefix(e, key+"=") })
		if at < 0 {
			entries = append(entries, entry)
		} else {
			entries[at] = entry
		}
	}
	return strings.Join(entries, " ")
}

// distributed returns what becomes of entries that all have the one label: a
// fifth moves, in the order of a hash; one entry cannot be divided.
func distributed(content string) (stay, move, status string) {
	entries := strings.Fields(content)
	if len(entries) < 2 {
		return content, "", "UPDATE_FAILED"
	}
	hash := func(entry string) uint64 {
		key, _, _ := strings.Cut(entry, "=")
		return xxhash.Sum64String("s3://factory/" + key)
	}
	order := slices.SortedFunc(slices.Values(entries), func(a, b string) int { return cmp.Compare(hash(a), hash(b)) })
	chosen := order[:max(1, int(0.2*float64(len(entries))+0.5))]
	moves := func(entry string) bool { return slices.Contains(chosen, entry) }
	stays := func(entry string) bool { return !moves(entry) }
	return strings.Join(slices.DeleteFunc(slices.Clone(entries), moves), " "), strings.Join(slices.DeleteFunc(entries, stays), " "), "UPDATE_COMPLETE"
}

// tagged returns tags, "a=1 b=2", with one of them set, or removed if the
// value is "".
func tagged(tags, key, value string) string {
	list := slices.DeleteFunc(strings.Fields(tags), func(tag string) bool { return strings.HasPrefix(tag, key+"=") })
	if value != "" {
		list = append(list, key+"="+value)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// TestLinearModel: the model lets pass what may be, and finds what may not be.
// A checker that finds nothing proves nothing.
func TestLinearModel(t *testing.T) {
	const project, train, test = "p/1", "p/dataset/train/2", "p/dataset/test/3"
	type event struct {
		in        linearCall
		out       reply
		call, ret int64
	}
	list := func(content string) event {
		return event{in: linearCall{op: "ListDatasetEntries", arn: train}, out: reply{content: content}}
	}
	update := event{in: linearCall{op: "UpdateDatasetEntries", arn: train, keys: []string{"a", "b"}, version: 7}}
	lost := update
	lost.out.lost = true
	describe := func(status string, total int) event {
		return event{in: linearCall{op: "DescribeDataset", arn: train}, out: reply{status: status, total: total}}
	}
	for _, tt := range []struct {
		name   string
		events []event // after the project and an empty dataset; one after the other unless they have times
		ok     bool
	}{
		{"an update is read", []event{update, list("a=7 b=7")}, true},
		{"an acknowledged update is lost", []event{update, list("")}, false},
		{"half an update", []event{update, list("a=7")}, false},
		{"a lost update happened", []event{lost, list("a=7 b=7"), list("a=7 b=7")}, true},
		{"a lost update did not happen", []event{lost, list(""), list("")}, true},
		{"a lost update happens after it cannot", []event{lost, list(""), list("a=7 b=7")}, false},
		{"an update that shows before its answer", []event{
			{update.in, update.out, 100, 200}, {list("a=7 b=7").in, list("a=7 b=7").out, 110, 120}}, true},
		{"the status goes back", []event{update, describe("UPDATE_COMPLETE", 2), describe("UPDATE_IN_PROGRESS", 0)}, false},
		{"the old status after the answer", []event{update, describe("CREATE_COMPLETE", 0)}, false}, // CL-2.101
		{"a deleted dataset is read", []event{{in: linearCall{op: "DeleteDataset", arn: train}}, list("")}, false},
		{"two datasets of one type", []event{{in: linearCall{op: "CreateDataset", arn: project}, out: reply{arn: "p/dataset/train/9"}}}, false},
		{"a project with a dataset is deleted", []event{{in: linearCall{op: "DeleteProject", arn: project}}}, false},
		{"entries are in neither dataset", []event{
			{in: linearCall{op: "CreateDataset", arn: project, split: 1}, out: reply{arn: test}}, update, describe("UPDATE_COMPLETE", 2),
			{in: linearCall{op: "DistributeDatasetEntries", arn: train, other: test}}, describe("UPDATE_COMPLETE", 1),
			{in: linearCall{op: "ListDatasetEntries", arn: test, split: 1}, out: reply{}}}, false},
		{"a tag is lost", []event{{in: linearCall{op: "TagResource", arn: project, tag: "t", tagValue: "1"}},
			{in: linearCall{op: "ListTagsForResource", arn: project}}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events := append([]event{{in: linearCall{op: "CreateProject"}, out: reply{arn: project}},
				{in: linearCall{op: "CreateDataset", arn: project}, out: reply{arn: train}}}, tt.events...)
			var history []operation
			for i, e := range events {
				if e.call == 0 {
					e.call, e.ret = int64(2*i), int64(2*i+1)
				}
				history = append(history, operation{client: i, in: e.in, out: e.out, call: e.call, ret: e.ret})
			}
			m := &model{told: map[string]bool{project: true, train: true, test: true}}
			if culprits, _ := m.explain(history); (culprits == nil) != tt.ok {
				t.Errorf("the checker cannot explain %v; that it can is %v", culprits, tt.ok)
			}
		})
	}
}
