package integration

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	"golang.org/x/sync/errgroup"

	"fovea/bench/groundtruth"
	"fovea/integration/process"
	"fovea/internal/pgtest"
)

// A cluster is several nodes over one PostgreSQL and one S3, which is that of
// another fovea.
type cluster struct {
	s3    *process.Server
	nodes []*process.Server
	db    *sql.DB
}

// startCluster starts n nodes at once over an empty database for the time of a
// test.
func startCluster(t *testing.T, n int, args ...string) *cluster {
	t.Helper()
	url := pgtest.New(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c := &cluster{s3: serve(t), db: db}
	if err := c.s3.MakeBucket(t.Context(), "segments"); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"--database", url, "--blobs", "s3://segments/one", "--s3-endpoint", c.s3.URL(),
		"--s3-access-key", c.s3.KeyID(), "--s3-secret-key", c.s3.Secret(), "--limits", "none"}, args...)
	var g errgroup.Group
	for range n {
		node := &process.Server{Binary: binary, Data: t.TempDir(), Args: args}
		c.nodes = append(c.nodes, node)
		g.Go(func() error { return node.Start(t.Context()) })
	}
	t.Cleanup(func() {
		for i, node := range c.nodes {
			if err := node.Stop(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("node %d printed:\n%s", i, tail(node.Output(), 3000))
			}
		}
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

// importer returns the node that runs an import, or nil.
func (c *cluster) importer(t *testing.T) *process.Server {
	t.Helper()
	var worker string
	err := c.db.QueryRow(`SELECT COALESCE(MAX(worker), '') FROM jobs WHERE kind = 'import' AND state = 'running'`).Scan(&worker)
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range c.nodes {
		if strings.Contains(worker, fmt.Sprintf("/%d/", node.PID())) {
			return node
		}
	}
	return nil
}

// helps returns how often nodes say that they helped another one.
func (c *cluster) helps() (n int) {
	for _, node := range c.nodes {
		n += strings.Count(node.Output(), `msg="helped with a job"`)
	}
	return n
}

// TestNodes: what one node has answered all of them know, and any of them
// serves the next page.
func TestNodes(t *testing.T) {
	c := startCluster(t, 3)
	a, b := c.nodes[0], c.nodes[1]
	for _, node := range c.nodes {
		if node.KeyID() != a.KeyID() || node.Secret() != a.Secret() {
			t.Fatalf("the nodes have the keys %s and %s", a.KeyID(), node.KeyID())
		}
	}
	var text bytes.Buffer
	if _, err := (groundtruth.Manifest{Lines: 300}).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	upload(t, c.s3, "kill.manifest", text.String())
	project, err := makeProject(t.Context(), a, "shared")
	if err != nil {
		t.Fatal(err)
	}
	if err := createDataset(t.Context(), b, project); err != nil {
		t.Fatalf("on another node, at once: %v", err)
	}
	arn := datasetOf(t, c.nodes[2], project)
	imported(t, c.nodes[2], project, false)

	var lines []string
	in := map[string]any{"DatasetArn": arn, "MaxResults": 7}
	for page := 0; ; page++ { // every page from the next node
		var out struct {
			DatasetEntries []string
			NextToken      string
		}
		if err := c.nodes[page%3].Rekognition(t.Context(), "ListDatasetEntries", in, &out); err != nil {
			t.Fatalf("page %d: %v", page, err)
		}
		lines = append(lines, out.DatasetEntries...)
		if out.NextToken == "" {
			break
		}
		in["NextToken"] = out.NextToken
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n") + "\n"))
	for i, node := range c.nodes {
		got, want := contentOf(t, node, arn), content{
			Stats: describe(t, a, arn).DatasetStats, Entries: 300, Digest: hex.EncodeToString(sum[:]), Labels: contentOf(t, a, arn).Labels,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("node %d has another content than the pages of all nodes (-pages +node):\n%s", i, diff)
		}
	}
}

// TestNodesToken: a hundred calls with one client token, on three nodes at once,
// make one dataset and have one answer (T21, LV-4.12).
func TestNodesToken(t *testing.T) {
	c := startCluster(t, 3)
	if err := c.nodes[0].Lookout(t.Context(), "POST", "/projects", nil, map[string]any{"ProjectName": "p"}, nil); err != nil {
		t.Fatal(err)
	}
	answers := make([]string, 100)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			var out json.RawMessage
			header := http.Header{"X-Amzn-Client-Token": {"once"}}
			err := c.nodes[i%3].Lookout(t.Context(), "POST", "/projects/p/datasets", header, map[string]any{"DatasetType": "train"}, &out)
			if err != nil {
				t.Errorf("call %d: %v", i, err)
			}
			answers[i] = string(out)
		})
	}
	wg.Wait()
	for i, answer := range answers {
		if answer != answers[0] {
			t.Errorf("call %d was answered %s, the first %s", i, answer, answers[0])
		}
	}
	var datasets int
	if err := c.db.QueryRow(`SELECT COUNT(*) FROM datasets`).Scan(&datasets); err != nil || datasets != 1 {
		t.Errorf("%d datasets, %v, want 1", datasets, err)
	}
}

// TestNodesTakeover kills the node that imports, again and again: another one
// takes the import over, and what comes of it is what comes of an import that was
// left alone.
func TestNodesTakeover(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	var text bytes.Buffer
	if _, err := (groundtruth.Manifest{Lines: 60_000, Errors: 0.05, Dropped: 0.05}).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	c := startCluster(t, 2, "--import-range", "200000", "--import-workers", "1")
	upload(t, c.s3, "kill.manifest", text.String())
	want, took := importAlone(t, c.nodes[0], "alone")
	t.Logf("two nodes took %v", took)
	for n := 0; c.helps() == 0; n++ { // which looks once a second whether it can
		if n == 20 {
			t.Fatal("no node helps the other with an import that is left alone")
		}
		importAlone(t, c.nodes[0], fmt.Sprint("alone-", n))
	}

	for round, kills := 0, 0; kills < 2; round++ {
		if round == 20 {
			t.Fatalf("only %d kills in %d imports", kills, round)
		}
		project, err := makeProject(t.Context(), c.nodes[0], fmt.Sprint("round-", round))
		if err != nil {
			t.Fatal(err)
		}
		if err := createDataset(t.Context(), c.nodes[0], project); err != nil {
			t.Fatal(err)
		}
		arn := datasetOf(t, c.nodes[0], project)
		victim := c.importer(t)
		for victim == nil && describe(t, c.nodes[0], arn).Status == "CREATE_IN_PROGRESS" {
			time.Sleep(5 * time.Millisecond)
			victim = c.importer(t)
		}
		if victim == nil {
			continue // the import was faster
		}
		time.Sleep(rand.N(took / 2))
		victim.Kill()
		killed := time.Now()
		other := c.nodes[0]
		if other == victim {
			other = c.nodes[1]
		}
		if describe(t, other, arn).Status == "CREATE_IN_PROGRESS" {
			kills++
		}
		imported(t, other, project, false)
		t.Logf("import %d was complete %v after the kill", round, time.Since(killed))
		got := contentOf(t, other, arn)
		if got.Digest != want.Digest || got.Labels != want.Labels || fmt.Sprint(got.Stats) != fmt.Sprint(want.Stats) {
			t.Errorf("import %d: after a kill\n%+v, want\n%+v", round, got, want)
		}
		if err := victim.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
