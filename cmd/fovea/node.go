package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"fovea"
	"fovea/internal/blob/disk"
	blobs3 "fovea/internal/blob/s3"
	"fovea/internal/console"
	"fovea/internal/dataset"
	"fovea/internal/extension"
	"fovea/internal/hosting"
	"fovea/internal/jobs"
	"fovea/internal/lookout"
	"fovea/internal/model"
	objects3 "fovea/internal/objects/s3"
	"fovea/internal/project"
	"fovea/internal/rekognition"
	"fovea/internal/s3api"
	"fovea/internal/segment"
	"fovea/internal/server"
	"fovea/internal/sigv4"
	"fovea/internal/sqlstore"
)

// A node is one running server: everything that a config opens.
type node struct {
	config   *config
	key      keyPair
	log      *slog.Logger
	readOnly bool // what is stored is only looked at

	store     *sqlstore.Store
	blobs     fovea.Blobs
	objects   fovea.Objects
	s3        *s3api.Store // nil with an external S3
	runner    *jobs.Runner
	backbones *hosting.Backbones
	host      *hosting.Host
	handler   *server.Server
	probe     probe
	close     []func() error // in the order of opening
}

// openNode opens the data of a server and wires its parts. It must be closed,
// also after an error.
func openNode(ctx context.Context, c *config, log *slog.Logger) (n *node, err error) {
	n = &node{config: c, log: log}
	if err := c.validate(); err != nil {
		return n, err
	}
	if err := disk.MakeFolder(c.Data); err != nil {
		return n, fmt.Errorf("create the data folder: %w", err)
	}
	for _, open := range []func(context.Context) error{n.openStore, n.openKey, n.openBlobs, n.pair, n.openObjects, n.openBackbones, n.wire} {
		if err := open(ctx); err != nil {
			return n, err
		}
	}
	return n, nil
}

// What ARNs are made of: with other characters, no ARN of this server's would
// be taken back.
var (
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
	arnPart   = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// minImportRange is the smallest unit of work that is worth its files.
const minImportRange = 64 << 10

// validate reports what no server can run with.
func (c *config) validate() error {
	switch {
	case !accountID.MatchString(c.Account):
		return fmt.Errorf("--account %s: an account id has 12 digits", c.Account)
	case !arnPart.MatchString(c.Region):
		return fmt.Errorf("--region %q: a region has lower-case letters, digits and hyphens, such as us-east-1", c.Region)
	case !arnPart.MatchString(c.Partition):
		return fmt.Errorf("--partition %q: a partition has lower-case letters, digits and hyphens, such as aws", c.Partition)
	case c.Regions != "one" && c.Regions != "scope":
		return fmt.Errorf("--regions %s: it is one or scope", c.Regions)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case c.ImportRange < 0 || c.ImportWorkers < 0 || c.SegmentCache < 0 || c.TrainingCores < 0 || c.ModelMemory < 0 || c.TrainingTime < 0:
		return errors.New("--import-range, --import-workers, --segment-cache, --training-cores, --training-time and --model-memory are not negative")
	case c.KeepRevisions < 0 || c.KeepDays < 0 || c.KeepDays > maxKeepDays:
		return fmt.Errorf("--keep-revisions is 0 or more, and --keep-days from 0 to %d", maxKeepDays)
	case c.ImportRange > 0 && c.ImportRange < minImportRange:
		return fmt.Errorf("--import-range %d: a unit of work has %d bytes or more, because each costs files and memory", c.ImportRange, minImportRange)
	}
	return nil
}

func (n *node) onClose(fn func() error) { n.close = append(n.close, fn) }

// Close closes what is open, the last first.
func (n *node) Close() error {
	var errs []error
	for i := len(n.close) - 1; i >= 0; i-- {
		errs = append(errs, n.close[i]())
	}
	n.close = nil
	return errors.Join(errs...)
}

func (n *node) openStore(ctx context.Context) (err error) {
	if n.store, err = sqlstore.Open(ctx, n.config.databaseURL(), sqlstore.Options{}); err != nil {
		return err
	}
	n.onClose(n.store.Close)
	return nil
}

// databaseURL returns the URL of the database.
func (c *config) databaseURL() string {
	return cmp.Or(c.Database, "sqlite:"+filepath.Join(c.Data, "fovea.db"))
}

// openKey gets the root key pair: nodes over a database of their own have it in
// their data folder, others share it.
func (n *node) openKey(ctx context.Context) (err error) {
	if n.config.sharesDatabase() {
		n.key, err = n.config.sharedRootKey(ctx, n.store)
	} else {
		n.key, err = n.config.ensureRootKey()
	}
	if err != nil {
		return fmt.Errorf("the root key: %w", err)
	}
	if n.config.sharesDatabase() && (n.config.Blobs == "" || n.config.S3Endpoint == "") {
		n.log.Warn("segments or images are on this machine only: no second node can use this database; " +
			"for several give all of them --blobs and --s3-endpoint")
	}
	return nil
}

// sharesDatabase reports whether other nodes may use the database too.
func (c *config) sharesDatabase() bool { return strings.HasPrefix(c.Database, "postgres") }

func (n *node) openBlobs(ctx context.Context) error {
	c := n.config
	if c.Blobs == "" {
		open := disk.Open
		if n.readOnly {
			open = disk.OpenReadOnly
		}
		b, err := open(filepath.Join(c.Data, "blobs"))
		if err != nil {
			return err
		}
		n.blobs = b
		n.onClose(b.Close)
		return nil
	}
	b, err := blobs3.Open(ctx, blobs3.Config{
		URL: c.Blobs, Endpoint: c.externalS3(), Region: c.S3Region, KeyID: c.S3AccessKey, Secret: c.S3SecretKey, Session: c.S3Token,
	})
	n.blobs = b
	return err
}

// externalS3 returns the endpoint of the external S3, "" for Amazon's.
func (c *config) externalS3() string {
	if c.S3Endpoint == "aws" {
		return ""
	}
	return c.S3Endpoint
}

func (n *node) openObjects(context.Context) (err error) {
	c := n.config
	if c.S3Endpoint != "" {
		n.objects, err = c.openExternalS3()
		return err
	}
	if n.s3, err = s3api.Open(filepath.Join(c.Data, "s3"), s3api.Options{Region: c.Region, Log: n.log}); err != nil {
		return err
	}
	n.objects = n.s3
	n.onClose(n.s3.Close)
	return nil
}

// openExternalS3 returns the external S3 of the config.
func (c *config) openExternalS3() (fovea.Objects, error) {
	return objects3.New(objects3.Config{
		Endpoint: c.externalS3(), Region: c.S3Region, AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey, SessionToken: c.S3Token, PathStyle: c.S3PathStyle,
	})
}

// wire puts the parts together.
func (n *node) wire(ctx context.Context) error {
	c := n.config
	profiles, err := c.profiles()
	if err != nil {
		return err
	}
	rates, err := c.rates()
	if err != nil {
		return err
	}
	pageKey, err := n.pageKey(ctx)
	if err != nil {
		return fmt.Errorf("the key of page tokens: %w", err)
	}
	signingKey, err := n.signingKey(ctx)
	if err != nil {
		return fmt.Errorf("the key of certificates: %w", err)
	}
	pager := &fovea.Pager{Key: pageKey, Now: time.Now}
	projects := &project.Ops{Store: n.store, Profiles: profiles, Pager: pager}
	datasets := &dataset.Ops{
		Store: n.store, Blobs: n.blobs, Objects: n.objects, Profiles: profiles, Pager: pager, Log: n.log,
		Reader:      &segment.Reader{Blobs: n.blobs, CacheBytes: c.SegmentCache},
		ImportRange: c.ImportRange, Workers: c.ImportWorkers,
	}
	if c.CheckImages {
		datasets.Images = &dataset.ImageCheck{Objects: n.objects, Quality: true}
	}
	models, host := n.openModels(profiles, pager, datasets.Reader)
	n.host = host
	metrics := server.NewMetrics()
	metrics.Gauge("fovea_models_loaded", func() float64 { loaded, _ := host.Loaded(); return float64(loaded) })
	metrics.Gauge("fovea_models_loaded_bytes", func() float64 { _, bytes := host.Loaded(); return float64(bytes) })
	metrics.Gauge("fovea_model_calls_waiting", func() float64 { return float64(host.Waiting()) })
	metrics.Gauge("fovea_model_images_total", func() float64 { images, _ := host.Work(); return float64(images) })
	metrics.Gauge("fovea_model_seconds_total", func() float64 { _, seconds := host.Work(); return seconds })
	metrics.Gauge("fovea_trainings_running", func() float64 { return float64(models.Working().Running) })
	metrics.Gauge("fovea_training_progress", func() float64 { return models.Working().Progress })
	metrics.Gauge("fovea_training_seconds_left", func() float64 { return models.Working().Left.Seconds() })
	models.Observe = func(s fovea.Service, how model.Outcome) { metrics.Training(signingNames[s], string(how)) }
	n.runner = n.newRunner(datasets, models, metrics)
	verifier := &sigv4.Verifier{Secret: n.secret}
	customLabels := &rekognition.Server{Projects: projects, Datasets: datasets, Models: models, Host: host, Objects: n.objects, Partition: c.Partition, Log: n.log}
	vision := &lookout.Server{Projects: projects, Datasets: datasets, Models: models, Host: host, Partition: c.Partition, Log: n.log}
	own := &extension.Server{
		Datasets: datasets, Models: models, Speed: speedOf(host), Key: signingKey, WriteError: server.WriteError, Log: n.log,
		Heaters: map[fovea.Service]extension.Heater{fovea.CustomLabels: customLabels.Heat, fovea.Lookout: vision.Heat},
	}
	n.handler = &server.Server{
		Rekognition: customLabels.API(),
		Lookout:     vision.API(),
		Own:         own.Handler(),
		Console:     console.Handler(),
		Verifier:    verifier,
		Account:     c.Account, Region: c.Region, ScopeRegions: c.Regions == "scope",
		AllowOrigins: c.CORSOrigins, PublicPages: c.PublicPages,
		Limiter: server.Limiter{Rates: rates},
		Ready:   n.ready, Metrics: metrics, Log: n.log,
	}
	if n.s3 != nil {
		buckets := &s3api.Server{
			Store: n.s3, Verifier: verifier, Region: c.Region, Account: c.Account,
			Domains: c.S3Domains, AllowOrigins: c.CORSOrigins, Log: n.log,
		}
		n.handler.S3, n.handler.HostBucket = buckets, buckets.HostBucket
	}
	return nil
}

// secret returns the secret of an access key, "" if nobody has it.
func (n *node) secret(_ context.Context, id string) (string, error) {
	if id == n.key.ID {
		return n.key.Secret, nil
	}
	return "", nil
}

// The settings of the database that hold the secrets that all nodes share.
const (
	pageKeySetting    = "page_key"    // of page tokens
	signingKeySetting = "signing_key" // the seed of the key of certificates (Ed25519)
)

func (n *node) pageKey(ctx context.Context) ([]byte, error) {
	return n.secretSetting(ctx, pageKeySetting)
}

func (n *node) signingKey(ctx context.Context) (ed25519.PrivateKey, error) {
	seed, err := n.secretSetting(ctx, signingKeySetting)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// secretSetting returns 32 random bytes that all nodes share, and makes them
// at first start.
func (n *node) secretSetting(ctx context.Context, name string) (key []byte, err error) {
	err = n.store.Update(ctx, func(tx fovea.Tx) error {
		text, err := tx.Setting(name)
		if fovea.KindOf(err) == fovea.NotFound && err != nil {
			b := make([]byte, 32)
			rand.Read(b)
			text = base64.StdEncoding.EncodeToString(b)
			err = tx.PutSetting(name, text)
		}
		if err != nil {
			return err
		}
		if key, err = base64.StdEncoding.DecodeString(text); err == nil && len(key) != 32 {
			err = fmt.Errorf("the setting %s of the database is not 32 bytes", name)
		}
		return err
	})
	return key, err
}

// run serves HTTP with serve, and runs jobs, until ctx ends or one of them
// fails. serve is http.Server's Serve or ServeTLS with its listener.
func (n *node) run(ctx context.Context, serve func(*http.Server) error) error {
	srv := &http.Server{
		Handler:           n.handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelWarn),
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := serve(srv); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error { return n.runner.Run(gctx) })
	g.Go(func() error {
		n.tidyModels(gctx)
		return nil
	})
	g.Go(func() error {
		<-gctx.Done()
		n.log.Info("stopping: finishing what is under way")
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := srv.Shutdown(stop); err != nil {
			return errors.Join(err, srv.Close())
		}
		return nil
	})
	return g.Wait()
}
