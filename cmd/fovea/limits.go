package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"fovea"
	"fovea/internal/lookout"
	"fovea/internal/rekognition"
)

// profiles returns what each service allows, with the limits of the config.
func (c *config) profiles() (map[fovea.Service]fovea.Profile, error) {
	limits := map[fovea.Service]fovea.Limits{
		fovea.CustomLabels: rekognition.Limits(),
		fovea.Lookout:      lookout.Limits(),
	}
	switch c.Limits {
	case "aws":
	case "none":
		for s, l := range limits {
			limits[s] = l.Lifted()
		}
	default:
		return nil, fmt.Errorf("--limits %s: it is aws or none", c.Limits)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Limit)) {
		service, limit, _ := strings.Cut(name, ".")
		l, ok := limits[fovea.Service(service)]
		if !ok {
			return nil, fmt.Errorf("--limit %s: it begins with custom-labels. or lookout. and goes on with the name of a limit", name)
		}
		if err := setLimit(&l, limit, c.Limit[name]); err != nil {
			return nil, fmt.Errorf("--limit %s=%s: %w", name, c.Limit[name], err)
		}
		limits[fovea.Service(service)] = l
	}
	return map[fovea.Service]fovea.Profile{
		fovea.CustomLabels: rekognition.Profile(limits[fovea.CustomLabels]),
		fovea.Lookout:      lookout.Profile(limits[fovea.Lookout]),
	}, nil
}

// setLimit sets one limit by its name on the command line.
func setLimit(l *fovea.Limits, name, value string) error {
	if name == "drop-share" {
		share, err := strconv.ParseFloat(value, 64)
		if err != nil || share < 0 || share > 1 {
			return fmt.Errorf("a share is a number from 0 to 1")
		}
		l.DropShare = share
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("a limit is a whole number, and 0 is none")
	}
	switch name {
	case "projects":
		l.Projects = int(n)
	case "manifest-bytes":
		l.ManifestBytes = n
	case "train-entries":
		l.TrainEntries = n
	case "test-entries":
		l.TestEntries = n
	case "labels":
		l.Labels = int(n)
	case "project-labels":
		l.ProjectLabels = int(n)
	case "line-chars":
		if n == 0 || n > 1_000_000 {
			return fmt.Errorf("it bounds memory: 1 to 1000000")
		}
		l.LineChars = n
	default:
		return fmt.Errorf("the limits are projects, manifest-bytes, train-entries, test-entries, line-chars, labels, project-labels and drop-share")
	}
	return nil
}

// signingNames are the names under which requests to the services are signed.
var signingNames = map[fovea.Service]string{fovea.CustomLabels: "rekognition", fovea.Lookout: "lookoutvision"}

// rates returns the requests a second that the config allows, by signing name.
func (c *config) rates() (map[string]float64, error) {
	rates := map[string]float64{}
	for service, text := range c.RateLimits {
		name, ok := signingNames[fovea.Service(service)]
		if !ok {
			return nil, fmt.Errorf("--rate-limits %s: the services are custom-labels and lookout", service)
		}
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil || !(rate >= 0) {
			return nil, fmt.Errorf("--rate-limits %s=%s: it is a number of requests a second, and 0 is no limit", service, text)
		}
		rates[name] = rate
	}
	return rates, nil
}
