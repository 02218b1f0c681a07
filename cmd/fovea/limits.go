package main

import (
	"fmt"
	"maps"
	"math"
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
		if err := setLimit(&l, fovea.Service(service), limit, c.Limit[name]); err != nil {
			return nil, fmt.Errorf("--limit %s=%s: %w", name, c.Limit[name], err)
		}
		limits[fovea.Service(service)] = l
	}
	return map[fovea.Service]fovea.Profile{
		fovea.CustomLabels: rekognition.Profile(limits[fovea.CustomLabels]),
		fovea.Lookout:      lookout.Profile(limits[fovea.Lookout]),
	}, nil
}

// elsewhere are the limits that one service has and the other does not.
var elsewhere = map[string]fovea.Service{
	"boxes": fovea.CustomLabels, "drop-share": fovea.CustomLabels, "mask-labels": fovea.Lookout,
	"copies": fovea.CustomLabels, "mask-train": fovea.Lookout, "mask-test": fovea.Lookout,
}

// numbers returns the limits that are whole numbers by their names on the
// command line: an *int or *int64 each.
func numbers(l *fovea.Limits) map[string]any {
	return map[string]any{
		"projects":       &l.Projects,
		"changes":        &l.Changes,
		"manifest-bytes": &l.ManifestBytes,
		"train-entries":  &l.TrainEntries,
		"test-entries":   &l.TestEntries,
		"line-chars":     &l.LineChars,
		"labels":         &l.Labels,
		"project-labels": &l.ProjectLabels,
		"mask-labels":    &l.MaskLabels,
		"mask-train":     &l.MaskTrain,
		"mask-test":      &l.MaskTest,
		"boxes":          &l.Boxes,
		"models":         &l.Models,
		"trainings":      &l.Trainings,
		"copies":         &l.Copies,
		"running":        &l.Running,
		"units":          &l.Units,
		"image-bytes":    &l.Image.Bytes,
		"image-min-side": &l.Image.MinSide,
		"image-max-side": &l.Image.MaxSide,
		"image-aspect":   &l.Image.Aspect,
	}
}

// limitNames returns the names of all limits of a service, sorted.
func limitNames(service fovea.Service) []string {
	names := append(slices.Collect(maps.Keys(numbers(&fovea.Limits{}))), "drop-share")
	names = slices.DeleteFunc(names, func(n string) bool { return elsewhere[n] != "" && elsewhere[n] != service })
	slices.Sort(names)
	return names
}

// setLimit sets one limit of a service by its name on the command line.
func setLimit(l *fovea.Limits, service fovea.Service, name, value string) error {
	if names := limitNames(service); !slices.Contains(names, name) {
		return fmt.Errorf("the limits of %s are %s", service, strings.Join(names, ", "))
	}
	if name == "drop-share" {
		share, err := strconv.ParseFloat(value, 64)
		if err != nil || !(share >= 0 && share <= 1) {
			return fmt.Errorf("a share is a number from 0 to 1")
		}
		l.DropShare = share
		return nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil || n < 0:
		return fmt.Errorf("a limit is a whole number, and 0 is none")
	case name == "line-chars" && (n == 0 || n > 1_000_000):
		return fmt.Errorf("it bounds memory: 1 to 1000000")
	}
	switch to := numbers(l)[name].(type) {
	case *int:
		*to = int(min(n, math.MaxInt32))
	case *int64:
		*to = n
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
