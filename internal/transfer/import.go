package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"time"

	"fovea"
	"fovea/internal/exchange"
	"fovea/internal/imaging"
)

// now is the time of day, of which entries have the date.
var now = time.Now

// A Result is what an import came to.
type Result struct {
	Counts
	Bucket    string          `json:"bucket"`
	Prefix    string          `json:"prefix"`
	Sent      int64           `json:"sent_objects"`
	SentBytes int64           `json:"sent_bytes"`
	Unchanged int64           `json:"unchanged_objects"` // that S3 had already
	Datasets  []DatasetResult `json:"datasets"`
}

// A DatasetResult is what became of a dataset.
type DatasetResult struct {
	Split    exchange.Split `json:"dataset"`
	Manifest string         `json:"manifest"` // S3 URI
	Action   Action         `json:"action"`
	Status   string         `json:"status"`
	Message  string         `json:"message"`
	Entries  int64          `json:"entries"`
	Labeled  int64          `json:"labeled_entries"`
}

// ErrNothing says that a collection has no image to import.
var ErrNothing = errors.New("there is no image to import")

// Import uploads the images, writes the manifests, and makes the datasets. What
// is there already is not done again. An error says what could not be done; the
// result is what was done until then. That a dataset could not be made of the
// manifest is in the result.
func (t *ImportTask) Import(ctx context.Context) (*Result, error) {
	at := t.place()
	r := &Result{Bucket: at.bucket, Prefix: at.prefix, Datasets: []DatasetResult{}}
	r.Labels = map[string]int64{}
	svc, err := newService(t.Service, t.Project, t.Server)
	if err != nil {
		return r, err
	}
	whole, err := t.survey(ctx)
	if err != nil {
		return r, err
	}
	if whole.Images == 0 {
		r.Counts = *whole
		return r, ErrNothing
	}
	if err := t.Server.reach(ctx); err != nil {
		return r, err
	}
	if err := t.clear(ctx, svc, whole); err != nil {
		return r, err
	}
	if err := at.makeBucket(ctx); err != nil {
		return r, err
	}
	d, err := t.upload(ctx, at, whole, r)
	if d != nil {
		defer d.remove()
	}
	if err != nil {
		return r, err
	}
	if err := svc.makeProject(ctx); err != nil {
		return r, fmt.Errorf("create the project %s: %w", t.Project, err)
	}
	for _, m := range d.manifests {
		if m.lines == 0 {
			continue
		}
		done, err := t.settle(ctx, svc, at, m)
		if done != nil {
			r.Datasets = append(r.Datasets, *done)
		}
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// clear refuses early what would be refused in the end: a dataset that exists
// with another number of entries than could be the same.
func (t *ImportTask) clear(ctx context.Context, svc service, whole *Counts) error {
	if t.Exists != Refuse {
		return nil
	}
	for _, split := range splits {
		n := whole.Of(split)
		if n == 0 {
			continue
		}
		st, err := svc.dataset(ctx, split)
		if err != nil {
			return fmt.Errorf("look for the %s dataset of %s: %w", split, t.Project, err)
		}
		if st.Status != "" && !st.busy() && st.Status != createFailed && st.Entries > n {
			return t.conflict(split, st)
		}
	}
	return nil
}

// A draft is the manifests of a project in the making.
type draft struct {
	manifests []*manifestFile // in the order of splits
	liner     *liner
}

func (t *ImportTask) draft(dir string, at *place, date time.Time) (*draft, error) {
	d := &draft{liner: newLiner(t.Service, at.bucket, date)}
	for _, split := range splits {
		m, err := newManifestFile(dir, split, d.liner.date)
		if err != nil {
			return d, errors.Join(err, d.remove())
		}
		d.manifests = append(d.manifests, m)
	}
	return d, nil
}

// of returns the manifest of a split.
func (d *draft) of(split exchange.Split) *manifestFile {
	if split == exchange.Test {
		return d.manifests[1]
	}
	return d.manifests[0]
}

// hide takes the names of the temporary files away, where the system allows it,
// so that a process that is killed leaves nothing.
func (d *draft) hide() {
	for _, m := range d.manifests {
		os.Remove(m.f.Name())
	}
}

// remove removes the temporary files.
func (d *draft) remove() error {
	var errs []error
	for _, m := range d.manifests {
		errs = append(errs, m.remove())
	}
	return errors.Join(errs...)
}

// An item is an image on its way in, or an error in its stead.
type item struct {
	image *exchange.Image
	split exchange.Split
	file  file
	mask  *file
	err   error
}

// A result is what became of an item.
type result struct {
	item
	info    imaging.Info
	sent    []sent
	maskErr error // the mask is left out, and the image is not
	err     error
}

func (t *ImportTask) jobs() int { return cmp.Or(max(t.Jobs, 0), DefaultJobs) }

// errUnread stands for an image that came without a reason.
var errUnread = errors.New("an image could not be read")

// A stock says what S3 has of the images and masks.
type stock struct{ images, masks *listing }

// items yields the images with their places in S3. A nil stock looks for nothing
// there.
func (t *ImportTask) items(ctx context.Context, at *place, has *stock) iter.Seq[item] {
	return func(yield func(item) bool) {
		for img, err := range t.Collection.Images() {
			var i item
			if err != nil || img == nil {
				i.err = fault{cmp.Or(err, errUnread)}
			} else {
				i = t.item(ctx, at, has, img)
			}
			if !yield(i) {
				return
			}
		}
	}
}

func (t *ImportTask) item(ctx context.Context, at *place, has *stock, img *exchange.Image) item {
	i := item{image: img, split: t.Splitting.of(img)}
	key, err := at.key(imageFolder, img.Name)
	if err != nil {
		i.err = fault{err}
		return i
	}
	i.file = file{name: img.Name, key: key, size: img.Size, open: img.Open}
	if t.Service == fovea.Lookout && img.Kind == exchange.Anomalous && img.Mask != nil {
		key, err := at.key(maskFolder, img.Mask.Name)
		if err != nil {
			i.err = fault{err}
			return i
		}
		i.mask = &file{name: img.Mask.Name, key: key, size: img.Mask.Size, open: img.Mask.Open}
	}
	if has == nil {
		return i
	}
	if i.file.was, i.file.had, i.err = has.images.find(ctx, i.file.key); i.err == nil && i.mask != nil {
		i.mask.was, i.mask.had, i.err = has.masks.find(ctx, i.mask.key)
	}
	return i
}

// upload sends what S3 has not, and writes the manifests.
func (t *ImportTask) upload(ctx context.Context, at *place, whole *Counts, r *Result) (*draft, error) {
	date, err := at.date(ctx, now())
	if err != nil {
		return nil, err
	}
	d, err := t.draft(os.TempDir(), at, date)
	if err != nil {
		return nil, err
	}
	d.hide()
	u := newUploader(at)
	items := t.items(ctx, at, &stock{at.list(imageFolder), at.list(maskFolder)})
	p := Progress{Stage: Sending, Total: whole.Images + whole.LeftOut}
	for res := range inOrder(ctx, items, t.jobs(), u.item) {
		if err := t.take(&r.Counts, d, res); err != nil {
			return d, err
		}
		for _, s := range res.sent {
			if !s.fresh {
				r.Unchanged++
				continue
			}
			r.Sent++
			r.SentBytes += s.bytes
		}
		p.Done++
		p.Bytes = r.SentBytes
		t.progress(p)
	}
	if ctx.Err() != nil {
		return d, context.Cause(ctx)
	}
	for _, m := range d.manifests {
		if err := m.flush(); err != nil {
			return d, err
		}
	}
	if r.Images == 0 {
		return d, ErrNothing
	}
	return d, nil
}

// item sends the files of an item.
func (u *uploader) item(ctx context.Context, i item) result {
	r := result{item: i, err: i.err}
	if r.err != nil {
		return r
	}
	s, err := u.send(ctx, i.file)
	if r.info, r.err = s.info, err; err != nil {
		return r
	}
	r.sent = append(r.sent, s)
	if i.mask == nil {
		return r
	}
	s, err = u.send(ctx, *i.mask)
	var f fault
	switch {
	case errors.As(err, &f):
		r.maskErr = err
	case err != nil:
		r.err = err
	default:
		r.sent = append(r.sent, s)
	}
	return r
}

// take counts an image and writes its line.
func (t *ImportTask) take(c *Counts, d *draft, r result) error {
	if r.err != nil {
		return t.problem(c, r.err)
	}
	img := r.image
	s := &subject{Image: img, key: r.file.key, width: img.Width, height: img.Height}
	if s.width == 0 || s.height == 0 {
		s.width, s.height = r.info.Width, r.info.Height
	}
	if img.Kind == exchange.Detection {
		if text := mismatch(img, r.info); text != "" {
			t.warn(c, "%s", text)
		}
	}
	if text := t.lost(img); text != "" {
		t.warn(c, "%s", text)
	}
	if r.mask != nil && r.maskErr == nil {
		s.mask = r.mask.key
	}
	if r.maskErr != nil {
		if err := t.problem(c, r.maskErr); err != nil {
			return err
		}
	}
	c.add(img, r.split, t.kept(s))
	m := d.of(r.split)
	m.line = d.liner.append(m.line[:0], s)
	return m.add(m.line)
}

// kept returns the labels of an image that its line has.
func (t *ImportTask) kept(s *subject) []string {
	if t.Service != fovea.Lookout {
		return labelsOf(s.Image)
	}
	class, _ := lookoutClass(s.Image)
	switch {
	case class == "":
		return nil
	case class == anomaly && s.mask != "":
		return labelsOf(s.Image)
	}
	return []string{class}
}
