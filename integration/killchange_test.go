package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"fovea/integration/process"
)

// changeKills is how often the server is killed in each kind of change.
const changeKills = 20

// A changed is a kind of change to kill: what it does to a project with a
// dataset of some entries, and what must come of it.
type changed struct {
	name string
	// ask makes the call; the answer may be lost.
	ask func(ctx context.Context, s *process.Server, project, train, test string) error
	// asked is what the change leads to if it happened, and idle what is
	// there if it did not: the contents of both datasets, "" for no dataset.
	idle, asked [2]string
	within      time.Duration // of the call it is killed
}

// killEntries is how many entries the datasets of this test have.
const killEntries = 2000

// TestKillChanges (T17) kills the server at random moments of updates,
// distributions, copies and deletions, and starts it again. What was
// acknowledged comes to its end without being asked for again, what was not
// has happened whole or not at all, and nothing is ever half.
func TestKillChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	t.Parallel()
	var manifest, changes strings.Builder
	for n := range killEntries {
		manifest.WriteString(leaf(fmt.Sprint(n), "part"))
		if n%2 == 0 {
			changes.WriteString(leaf(fmt.Sprint(n+killEntries/2), "part", "scratch"))
		}
	}
	for _, c := range []changed{
		{"update", func(ctx context.Context, s *process.Server, _, train, _ string) error {
			return s.Rekognition(ctx, "UpdateDatasetEntries", map[string]any{"DatasetArn": train, "Changes": map[string]any{"GroundTruth": []byte(changes.String())}}, nil)
		}, [2]string{"2000 of 1 label", "0 of 0 label"}, [2]string{"2500 of 2 label", "0 of 0 label"}, 120 * time.Millisecond},
		{"distribute", func(ctx context.Context, s *process.Server, _, train, test string) error {
			return s.Rekognition(ctx, "DistributeDatasetEntries", map[string]any{"Datasets": []map[string]any{{"Arn": train}, {"Arn": test}}}, nil)
		}, [2]string{"2000 of 1 label", "0 of 0 label"}, [2]string{"1600 of 1 label", "400 of 1 label"}, 60 * time.Millisecond},
		{"copy", func(ctx context.Context, s *process.Server, project, train, _ string) error {
			return s.Rekognition(ctx, "CreateDataset", map[string]any{"ProjectArn": project, "DatasetType": "TEST", "DatasetSource": map[string]any{"DatasetArn": train}}, nil)
		}, [2]string{"2000 of 1 label", ""}, [2]string{"2000 of 1 label", "2000 of 1 label"}, 8 * time.Millisecond},
		{"delete", func(ctx context.Context, s *process.Server, _, train, _ string) error {
			return s.Rekognition(ctx, "DeleteDataset", map[string]any{"DatasetArn": train}, nil)
		}, [2]string{"2000 of 1 label", "0 of 0 label"}, [2]string{"", "0 of 0 label"}, 8 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, "--limits", "none")
			upload(t, server, "kill.manifest", manifest.String())
			killChange(t, server, c)
		})
	}
}

// killChange prepares a project for each kill, and kills at a random moment of
// the time that the change takes, or a little later.
func killChange(t *testing.T, server *process.Server, c changed) {
	happened, acknowledged := 0, 0
	for n := range changeKills {
		project, train, test := killProject(t, server, fmt.Sprintf("%s-%d", c.name, n), c.idle[1] != "")
		asked := make(chan error, 1)
		go func() { asked <- c.ask(context.WithoutCancel(t.Context()), server, project, train, test) }()
		time.Sleep(rand.N(c.within))
		server.Kill()
		err := <-asked
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := awaitContents(t, server, project)
		switch {
		case got == c.asked:
			happened++
		case got != c.idle:
			t.Fatalf("after kill %d the datasets have %q: that is neither %q nor %q", n, got, c.idle, c.asked)
		case err == nil:
			t.Fatalf("kill %d has lost a change that was acknowledged: the datasets have %q", n, got)
		}
		if err == nil {
			acknowledged++
		} else if answer := (*process.AnswerError)(nil); errors.As(err, &answer) {
			t.Errorf("kill %d: %v", n, err)
		}
	}
	t.Logf("%d kills: %d acknowledged, %d happened", changeKills, acknowledged, happened)
}

// killProject makes a project with a train dataset and perhaps an empty test
// dataset, which are complete.
func killProject(t *testing.T, server *process.Server, name string, withTest bool) (project, train, test string) {
	t.Helper()
	project, err := makeProject(t.Context(), server, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := createDataset(t.Context(), server, project); err != nil {
		t.Fatal(err)
	}
	imported(t, server, project, false)
	train = datasetOf(t, server, project)
	if withTest {
		var made struct{ DatasetArn string }
		if err := server.Rekognition(t.Context(), "CreateDataset", map[string]any{"ProjectArn": project, "DatasetType": "TEST"}, &made); err != nil {
			t.Fatal(err)
		}
		test = made.DatasetArn
	}
	return project, train, test
}

// awaitContents waits until no dataset of the project is in progress and tells
// what is in them, after the pages were counted and not only the statistics
// read. No dataset may have failed: nothing is wrong with the data.
func awaitContents(t *testing.T, server *process.Server, project string) (contents [2]string) {
	t.Helper()
	name := strings.Split(project, "/")[1]
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		var found struct {
			ProjectDescriptions []struct {
				Datasets []struct{ DatasetArn, DatasetType, Status, StatusMessage string }
			}
		}
		if err := server.Rekognition(t.Context(), "DescribeProjects", map[string]any{"ProjectNames": []string{name}}, &found); err != nil {
			t.Fatal(err)
		}
		busy := false
		for _, d := range found.ProjectDescriptions[0].Datasets {
			if strings.HasSuffix(d.Status, "_FAILED") {
				t.Fatalf("%s became %s: %s", d.DatasetArn, d.Status, d.StatusMessage)
			}
			busy = busy || strings.HasSuffix(d.Status, "_IN_PROGRESS")
		}
		if busy && time.Now().Before(deadline) {
			continue
		}
		if busy {
			t.Fatalf("a dataset stays in progress: %+v", found)
		}
		for _, d := range found.ProjectDescriptions[0].Datasets {
			c := contentOf(t, server, d.DatasetArn)
			if c.Stats["TotalEntries"] != float64(c.Entries) {
				t.Fatalf("%s lists %d entries and counts %v", d.DatasetArn, c.Entries, c.Stats)
			}
			at := map[string]int{"TRAIN": 0, "TEST": 1}[d.DatasetType]
			contents[at] = fmt.Sprintf("%d of %v label", c.Entries, c.Stats["TotalLabels"])
		}
		return contents
	}
}
