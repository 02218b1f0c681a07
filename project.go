package fovea

import "time"

// A Service is one of the two services that fovea speaks.
type Service string

// The services.
const (
	CustomLabels Service = "custom-labels" // Amazon Rekognition Custom Labels
	Lookout      Service = "lookout"       // Amazon Lookout for Vision
)

// A Project holds at most one dataset of each split, and models. Its name is
// unique among the live projects of a service, account and region, without
// folding case (CL-2.11, CL-2.13, LV-2.3, LV-2.4).
type Project struct {
	ID      ProjectID
	Service Service
	Account string
	Region  string
	Name    string
	Created time.Time // whole milliseconds; unique for a name (CL-3.9)
}

// A ProjectKey is what names a project.
type ProjectKey struct {
	Service Service
	Account string
	Region  string
	Name    string
}

// Key returns what names the project.
func (p *Project) Key() ProjectKey {
	return ProjectKey{p.Service, p.Account, p.Region, p.Name}
}
