package transfer

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"fovea"
	"fovea/internal/exchange"
)

// An Action is what was done to a dataset.
type Action string

// The actions.
const (
	Created  Action = "created"
	Updated  Action = "updated"
	Replaced Action = "replaced"
	Same     Action = "unchanged" // it had the content already
)

// Failed reports whether the service could not make the dataset.
func (d *DatasetResult) Failed() bool { return strings.Contains(d.Status, "FAILED") }

// A ConflictError says that a dataset exists with other content.
type ConflictError struct {
	Name    string // such as custom-labels/parts/train
	Entries int64
}

// Error says what can be done.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("the dataset %s exists with %d entries that are not those of this import. "+
		"--update adds and replaces entries and keeps the others; --replace removes the dataset, with its history, and makes it again; "+
		"or name another --project", e.Name, e.Entries)
}

func (t *ImportTask) conflict(split exchange.Split, st state) error {
	return &ConflictError{t.name(split), st.Entries}
}

// name returns what the commands call a dataset.
func (t *ImportTask) name(split exchange.Split) string {
	return string(t.Service) + "/" + t.Project + "/" + string(split)
}

// reach reports whether the server answers at all, without trying long: who
// starts a command before the server should be told at once.
func (s *Server) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no server answers at %s: start it with `fovea serve`, or name its address with --listen: %w", s.URL, err)
	}
	return resp.Body.Close()
}

// Pauses between looks at a dataset that is in the making.
const (
	firstLook   = 20 * time.Millisecond
	longestLook = 2 * time.Second
)

// idle waits until nobody works on a dataset, and returns its state.
func (t *ImportTask) idle(ctx context.Context, svc service, split exchange.Split) (state, error) {
	limit := cmp.Or(t.Wait, DefaultWait)
	late := time.Now().Add(limit)
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		st, err := svc.dataset(ctx, split)
		if err != nil || !st.busy() {
			return st, err
		}
		t.progress(Progress{Stage: Importing, Detail: t.name(split) + " is " + st.Status})
		if time.Now().After(late) {
			return st, fmt.Errorf("the dataset %s is still %s after %v; wait, then import again, or give more time with --wait", t.name(split), st.Status, limit)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return st, context.Cause(ctx)
		}
	}
}

// settle makes a dataset what its manifest says.
func (t *ImportTask) settle(ctx context.Context, svc service, at *place, m *manifestFile) (*DatasetResult, error) {
	ref := at.manifest(m.split)
	done := &DatasetResult{Split: m.split, Manifest: ref.String(), Action: Created}
	if err := at.putManifest(ctx, m, ref); err != nil {
		return nil, err
	}
	st, err := t.idle(ctx, svc, m.split)
	if err != nil {
		return nil, err
	}
	switch {
	case st.Status == "":
	case st.Status == createFailed: // it holds nothing, and only takes the place
		if err := t.removeDataset(ctx, svc, m.split); err != nil {
			return nil, err
		}
	default:
		if done.Action, err = t.change(ctx, svc, m, ref, st); err != nil {
			return nil, err
		}
	}
	if done.Action == Created || done.Action == Replaced {
		if err := svc.create(ctx, m.split, ref); err != nil {
			return nil, fmt.Errorf("create the dataset %s: %w", t.name(m.split), err)
		}
	}
	if st, err = t.idle(ctx, svc, m.split); err != nil {
		return nil, err
	}
	done.Status, done.Message, done.Entries, done.Labeled = st.Status, st.Message, st.Entries, st.Labeled
	return done, nil
}

// change does to a dataset that exists what the task says. A dataset that was
// Replaced is gone.
func (t *ImportTask) change(ctx context.Context, svc service, m *manifestFile, ref fovea.ObjectRef, st state) (Action, error) {
	same, err := t.same(ctx, m, ref)
	switch {
	case err != nil:
		return "", err
	case same:
		return Same, nil
	case t.Exists == Update:
		return Updated, t.update(ctx, svc, m)
	case t.Exists == Replace:
		return Replaced, t.removeDataset(ctx, svc, m.split)
	}
	return "", t.conflict(m.split, st)
}

// removeDataset removes a dataset and waits until it is gone.
func (t *ImportTask) removeDataset(ctx context.Context, svc service, split exchange.Split) error {
	if err := svc.remove(ctx, split); err != nil {
		return fmt.Errorf("remove the dataset %s: %w", t.name(split), err)
	}
	st, err := t.idle(ctx, svc, split)
	if err != nil {
		return err
	}
	if st.Status != "" {
		return fmt.Errorf("the dataset %s was not removed: it is %s", t.name(split), st.Status)
	}
	return nil
}

// update sends the lines of the manifest in batches.
func (t *ImportTask) update(ctx context.Context, svc service, m *manifestFile) error {
	send := func(batch []byte) error {
		if err := svc.update(ctx, m.split, batch); err != nil {
			return fmt.Errorf("update the dataset %s: %w", t.name(m.split), err)
		}
		st, err := t.idle(ctx, svc, m.split)
		if err == nil && st.Status != updateComplete {
			err = fmt.Errorf("update the dataset %s: it is %s: %s", t.name(m.split), st.Status, st.Message)
		}
		return err
	}
	var batch []byte
	for line, err := range linesOf(m.reader()) {
		if err != nil {
			return err
		}
		if len(batch) > 0 && len(batch)+len(line) > svc.maxUpdate() {
			if err := send(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
		batch = append(append(batch, line...), '\n')
	}
	if len(batch) == 0 {
		return nil
	}
	return send(batch)
}

// Metadata of a manifest: the date of its entries.
const dateMember = "creation-date"

// date returns the date that entries get: that of the first import to this
// place. So an import again writes the same lines again, and what differs
// between two revisions is what somebody changed.
func (p *place) date(ctx context.Context, def time.Time) (time.Time, error) {
	for _, split := range splits {
		key := p.manifest(split).Key
		out, err := p.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &p.bucket, Key: &key})
		if err != nil {
			if statusOf(err) == http.StatusNotFound {
				continue
			}
			return def, fmt.Errorf("look for s3://%s/%s: %w", p.bucket, key, err)
		}
		if date, err := time.Parse(dateForm, out.Metadata[dateMember]); err == nil {
			return date, nil
		}
	}
	return def, nil
}

// putManifest uploads a manifest unless S3 has it.
func (p *place) putManifest(ctx context.Context, m *manifestFile, ref fovea.ObjectRef) error {
	was, had, err := p.head(ctx, ref.Key)
	if err != nil {
		return err
	}
	if had && was.size == m.size && was.etag == m.etag() {
		return nil
	}
	_, err = p.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &ref.Bucket, Key: &ref.Key, Body: m.reader(), ContentLength: &m.size,
		ContentType: aws.String("application/jsonlines"), Metadata: map[string]string{dateMember: m.date},
	})
	if err != nil {
		return fmt.Errorf("upload %s: %w", ref, err)
	}
	return nil
}
