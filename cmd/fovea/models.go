package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"fovea"
	"fovea/internal/hosting"
	"fovea/internal/lookout"
	"fovea/internal/model"
	"fovea/internal/rekognition"
	"fovea/internal/segment"
)

// openModels returns the operations on models, and what hosts them.
func (n *node) openModels(profiles map[fovea.Service]fovea.Profile, pager *fovea.Pager, reader *segment.Reader) (*model.Ops, *hosting.Host) {
	c := n.config
	models := &model.Ops{
		Store: n.store, Blobs: n.blobs, Objects: n.objects, Reader: reader, Profiles: profiles, Pager: pager, Log: n.log,
		Trainers: map[fovea.Service]model.Trainer{
			fovea.CustomLabels: rekognition.Trainer{Partition: c.Partition, Backbones: n.backbones},
			fovea.Lookout:      lookout.Trainer{Partition: c.Partition, Backbones: n.backbones},
		},
		Backbones: n.backbones, Scratch: n.scratch(), Cores: c.TrainingCores, Longest: c.TrainingTime, Version: version(),
	}
	if c.sharesDatabase() {
		models.Leave = leaveStart
	}
	load := func(ctx context.Context, m *fovea.Model) (hosting.Predictor, error) {
		weights, err := models.ReadWeights(ctx, m)
		if err != nil {
			return nil, err
		}
		service, err := n.serviceOf(ctx, m.Project)
		if err != nil {
			return nil, err
		}
		loaded, err := loaders[service](weights, n.backbones)
		if err != nil && fovea.KindOf(err) == fovea.Internal {
			err = &model.Damage{Weights: m.Weights, Problem: err.Error()}
		}
		return loaded, err
	}
	host := &hosting.Host{Load: load, Memory: c.ModelMemory}
	models.Ready = host.Ready
	return models, host
}

// leaveStart is how long a node that lacks the backbone of a model leaves its
// start to others, which may be starting themselves.
const leaveStart = 90 * time.Second

// scratch returns the folder for what trainings keep for a while, without what
// one that was killed has left; "", that of the system, if there can be none.
func (n *node) scratch() string {
	folder := filepath.Join(n.config.Data, "training")
	if n.readOnly {
		return ""
	}
	err := os.RemoveAll(folder)
	if err == nil {
		err = os.Mkdir(folder, 0o700)
	}
	if err != nil {
		n.log.Warn("trainings use the folder of the system for temporary files", "error", err)
		return ""
	}
	return folder
}

// loaders make models of the weights that the trainers of the services store.
var loaders = map[fovea.Service]func([]byte, *hosting.Backbones) (hosting.Predictor, error){
	fovea.CustomLabels: rekognition.Load,
	fovea.Lookout:      lookout.Load,
}

// tidyEvery is how often models that nobody calls are looked for.
const tidyEvery = time.Minute

// tidyModels takes models that nobody calls out of memory, and tells other nodes
// which backbones there are, until ctx ends.
func (n *node) tidyModels(ctx context.Context) {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		n.announceBackbones(ctx)
		select {
		case <-tick.C:
			n.host.Tidy()
		case <-ctx.Done():
			return
		}
	}
}

// announceBackbones tells the nodes of the same database which backbones this one
// has beside that of the program.
func (n *node) announceBackbones(ctx context.Context) {
	if !n.config.sharesDatabase() {
		return
	}
	var hashes []string
	for _, own := range n.backbones.Own {
		hashes = append(hashes, own.Hash())
	}
	err := (&model.Ops{Store: n.store}).Announce(ctx, hashes)
	if err != nil && ctx.Err() == nil {
		n.log.Warn("other nodes cannot be told which backbones are here", "error", err)
	}
}

// serviceOf returns the service of a project.
func (n *node) serviceOf(ctx context.Context, id fovea.ProjectID) (service fovea.Service, err error) {
	err = n.store.View(ctx, func(tx fovea.Tx) error {
		p, err := tx.Project(id)
		if err == nil {
			service = p.Service
		}
		return err
	})
	return service, err
}

// speedOf returns what tells how fast the models of a host were.
func speedOf(host *hosting.Host) func(fovea.ModelID) (images int64, perSecond float64) {
	return func(id fovea.ModelID) (int64, float64) {
		v, _ := host.Speed(id)
		return v.Images, v.PerSecond
	}
}
