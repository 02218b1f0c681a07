package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"fovea/integration/process"
)

// bucket holds the manifests in the embedded S3.
const bucket = "factory"

// A server is a fovea with a data folder of its own and no quotas.
type server struct {
	*process.Server
	projects int
	bucket   bool // is there
}

// serve starts a server with a new data folder.
func (b *bench) serve(ctx context.Context, args ...string) (*server, error) {
	data, err := os.MkdirTemp(b.dir, "data-")
	if err != nil {
		return nil, err
	}
	s := &server{Server: &process.Server{Binary: b.binary, Data: data, Args: append([]string{"--limits", "none", "--log-level", "error"}, args...)}}
	return s, s.Start(ctx)
}

// close stops the server and removes its data.
func (s *server) close() error {
	err := s.Stop()
	if rmErr := os.RemoveAll(s.Data); err == nil {
		err = rmErr
	}
	return err
}

// upload puts a manifest into the embedded S3.
func (s *server) upload(ctx context.Context, key string, f file) error {
	r, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := s.makeBucket(ctx); err != nil {
		return err
	}
	return s.Put(ctx, bucket, key, r, f.size)
}

// makeBucket makes the bucket, unless it is there.
func (s *server) makeBucket(ctx context.Context) error {
	if s.bucket {
		return nil
	}
	err := s.MakeBucket(ctx, bucket)
	s.bucket = err == nil
	return err
}

// project makes a new project of Custom Labels and returns its ARN.
func (s *server) project(ctx context.Context) (string, error) {
	s.projects++
	var made struct{ ProjectArn string }
	err := s.Rekognition(ctx, "CreateProject", map[string]any{"ProjectName": fmt.Sprintf("bench-%d", s.projects)}, &made)
	return made.ProjectArn, err
}

// create makes a train dataset in a new project, waits until it is complete,
// and returns its ARN and how long it took from the call on.
func (s *server) create(ctx context.Context, source map[string]any, entries int64) (string, time.Duration, error) {
	project, err := s.project(ctx)
	if err != nil {
		return "", 0, err
	}
	return s.fill(ctx, project, "TRAIN", source, entries)
}

// fill makes a dataset of a project as create does.
func (s *server) fill(ctx context.Context, project, split string, source map[string]any, entries int64) (string, time.Duration, error) {
	start := time.Now()
	var made struct{ DatasetArn string }
	err := s.Rekognition(ctx, "CreateDataset", map[string]any{"ProjectArn": project, "DatasetType": split, "DatasetSource": source}, &made)
	if err != nil {
		return "", 0, err
	}
	for {
		var found struct {
			DatasetDescription struct {
				Status, StatusMessage string
				DatasetStats          struct{ TotalEntries int64 }
			}
		}
		if err := s.Rekognition(ctx, "DescribeDataset", map[string]any{"DatasetArn": made.DatasetArn}, &found); err != nil {
			return "", 0, err
		}
		took := time.Since(start)
		switch d := found.DatasetDescription; {
		case d.Status == "CREATE_IN_PROGRESS":
			time.Sleep(patience(took))
		case d.Status != "CREATE_COMPLETE" || d.DatasetStats.TotalEntries != entries:
			return "", 0, fmt.Errorf("%s with %d entries, want %d: %s", d.Status, d.DatasetStats.TotalEntries, entries, d.StatusMessage)
		default:
			return made.DatasetArn, took, nil
		}
	}
}

// patience returns how long to wait before asking again after so much time:
// a sixty-fourth of it, so that the time measured is less than two percent too
// long. Asking every millisecond takes processor time from the work.
func patience(waited time.Duration) time.Duration {
	return min(max(waited/64, time.Millisecond), 25*time.Millisecond)
}

// fromManifest and fromDataset are the sources of a dataset.
func fromManifest(key string) map[string]any {
	return map[string]any{"GroundTruthManifest": map[string]any{"S3Object": map[string]any{"Bucket": bucket, "Name": key}}}
}

func fromDataset(arn string) map[string]any { return map[string]any{"DatasetArn": arn} }

// processorTime returns how long processors have worked for the server; 0 where
// the system does not tell.
func (s *server) processorTime() time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
	if err != nil {
		return 0
	}
	_, fields, _ := strings.Cut(string(text), ") ") // behind the name, which may have blanks
	var user, system int64                          // in hundredths of a second: fields 14 and 15 of proc(5)
	for i, f := range strings.Fields(fields) {
		switch i {
		case 11:
			fmt.Sscan(f, &user)
		case 12:
			fmt.Sscan(f, &system)
		}
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}
