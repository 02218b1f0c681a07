package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A target is one api package.
type target struct {
	dir        string   // of the package, from the root
	model      string   // folder of the description in the module's models/apis
	operations []string // nil for all
	botocore   string   // folder for the service model of a client that botocore has lost; "" for none
	overlay    overlay
}

// An overlay is what the description does not say, or says in a form that Go
// cannot use.
type overlay struct {
	// always lists response members that are sent even when they are empty:
	// "Shape.Member", or "Shape.*" for all.
	always []string
	// zeroAbsent lists number members whose zero is not worth sending, so
	// that they need no pointer.
	zeroAbsent []string
	// patterns gives, for a pattern that RE2 refuses, one that it takes.
	patterns map[string]pattern
	// fold lists enumerations that are accepted in any letter case.
	fold []string
	// greedy lists path labels that also take the rest of an unescaped path.
	greedy []string

	// Names of errors: of a violated constraint, of a page size out of its
	// range, of a body that cannot be read.
	invalid, invalidPage, malformed string
	unknownStatus                   int // HTTP status of an unknown operation

	tokenScope string // what client tokens are remembered under
}

// A pattern replaces one that RE2 refuses. The length of the text is a
// constraint of its own, so a repetition that is longer than RE2 allows may
// become an unbounded one.
type pattern struct {
	expr      string
	notPrefix string // what the text must not begin with, in place of a look-ahead
}

// customLabels are the operations of Rekognition that are Custom Labels
// (CL-2.1).
var customLabels = strings.Fields(`
	CreateProject DeleteProject DescribeProjects
	CreateDataset DeleteDataset DescribeDataset
	ListDatasetEntries ListDatasetLabels UpdateDatasetEntries DistributeDatasetEntries
	CreateProjectVersion DeleteProjectVersion DescribeProjectVersions
	StartProjectVersion StopProjectVersion DetectCustomLabels CopyProjectVersion
	PutProjectPolicy ListProjectPolicies DeleteProjectPolicy
	TagResource UntagResource ListTagsForResource`)

var targets = []target{{
	dir:        "internal/rekognition/api",
	model:      "rekognition/2016-06-27",
	operations: customLabels,
	overlay: overlay{
		always: []string{
			"DescribeProjectsResponse.ProjectDescriptions",               // CL-2.4
			"DescribeProjectVersionsResponse.ProjectVersionDescriptions", // CL-2.4
			"ListDatasetEntriesResponse.DatasetEntries",                  // CL-2.4
			"ListDatasetLabelsResponse.DatasetLabelDescriptions",         // CL-2.4
			"ListProjectPoliciesResponse.ProjectPolicies",                // CL-2.4
			"ProjectDescription.Datasets",                                // CL-2.30
			"DatasetMetadata.StatusMessage",                              // CL-2.31
			"DatasetMetadata.StatusMessageCode",                          // CL-2.31
			"DatasetDescription.StatusMessage",                           // CL-2.71
			"DatasetDescription.StatusMessageCode",                       // CL-2.71
			"DatasetDescription.DatasetStats",                            // CL-2.71
			"DatasetStats.*",                                             // CL-2.71
			"DatasetLabelDescription.LabelStats",                         // CL-7.41
			"DatasetLabelStats.EntryCount",                               // CL-7.41
			"ProjectVersionDescription.StatusMessage",                    // CL-2.14
			"OutputConfig.S3KeyPrefix",                                   // CL 15.2: scripts index it
			"EvaluationResult.F1Score",                                   // CL-9.47
			"DetectCustomLabelsResponse.CustomLabels",                    // CL-10.20
			"CustomLabel.Confidence",                                     // CL-10.22
			"BoundingBox.*",                                              // CL-10.23
			"Point.*",                                                    // CL-10.24
			"ListTagsForResourceResponse.Tags",                           // CL-11.44
		},
		zeroAbsent: []string{"DatasetLabelStats.BoundingBoxCount"}, // CL-7.41
		patterns: map[string]pattern{
			"KmsKeyId":              {expr: `^[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]*$`},
			"ProjectPolicyDocument": {expr: `[\x09\x0A\x0D\x20-\x{FF}]+`},
			"TagKey":                {expr: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, notPrefix: "aws:"}, // CL-11.42
		},
		fold:          []string{"DatasetType"}, // CL-2.51
		invalid:       "InvalidParameterException",
		invalidPage:   "ValidationException", // CL-1.41
		malformed:     "SerializationException",
		unknownStatus: 400,
	},
}, {
	dir:      "internal/lookout/api",
	model:    "lookoutvision/2020-11-20",
	botocore: "internal/sdkmodel/lookoutvision/2020-11-20",
	overlay: overlay{
		always: []string{
			"ListProjectsResponse.Projects",                     // LV-1.30
			"ListModelsResponse.Models",                         // LV-1.30
			"ProjectDescription.Datasets",                       // LV-1.30, LV-2.7
			"ListDatasetEntriesResponse.DatasetEntries",         // LV-1.30, LV-2.48
			"ListTagsForResourceResponse.Tags",                  // LV-1.30, LV-2.98
			"ListModelPackagingJobsResponse.ModelPackagingJobs", // LV-1.30
			"DatasetMetadata.StatusMessage",                     // LV-2.34
			"DatasetDescription.StatusMessage",                  // LV-2.34
			"DatasetDescription.ImageStats",                     // LV-2.33
			"DatasetImageStats.*",                               // LV-2.33
			"S3Location.Prefix",                                 // LV-2.69
			"ModelPerformance.*",                                // LV-2.74
			"DetectAnomalyResult.IsAnomalous",                   // LV-7.37
			"DetectAnomalyResult.Confidence",                    // LV-7.37
			"PixelAnomaly.TotalPercentageArea",                  // LV-7.34
		},
		patterns: map[string]pattern{
			"KmsKeyId":        {expr: `^[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]*$`},
			"PaginationToken": {expr: `^[a-zA-Z0-9\/\+\=]*$`},
		},
		greedy:        []string{"resourceArn"}, // LV-1.14
		invalid:       "ValidationException",
		invalidPage:   "ValidationException",
		malformed:     "ValidationException", // LV-1.41: no operation lists another
		unknownStatus: 404,                   // LV-1.39
		tokenScope:    "lookout",
	},
}}

// apply checks the overlay against the model and keeps it with the model.
func (m *model) apply(o overlay) error {
	m.overlay = o
	for _, name := range slices.Concat(o.always, o.zeroAbsent) {
		shape, member, _ := strings.Cut(name, ".")
		if s := m.find(shape); s == nil || member != "*" && !s.has(member) {
			return fmt.Errorf("overlay names %s, which the description does not have", name)
		}
	}
	for _, name := range o.fold {
		if s := m.find(name); s == nil || len(s.Enum) == 0 {
			return fmt.Errorf("overlay folds %s, which is no enumeration", name)
		}
	}
	for name := range o.patterns {
		if m.find(name) == nil {
			return fmt.Errorf("overlay has a pattern for %s, which the description does not have", name)
		}
	}
	for _, s := range m.Shapes {
		if err := m.checkPattern(s); err != nil {
			return err
		}
	}
	return nil
}

// checkPattern fails for a pattern that Go cannot compile and for an override
// that is not needed.
func (m *model) checkPattern(s *shape) error {
	_, err := regexp.Compile(`\A(?:` + s.Pattern + `)\z`)
	override, ok := m.overlay.patterns[s.Name]
	switch {
	case !ok && err != nil:
		return fmt.Errorf("shape %s: the overlay needs a pattern that Go takes: %w", s.Name, err)
	case ok && err == nil:
		return fmt.Errorf("shape %s: the pattern compiles, so the overlay must not replace it", s.Name)
	case ok:
		if _, err := regexp.Compile(override.expr); err != nil {
			return fmt.Errorf("shape %s: pattern of the overlay: %w", s.Name, err)
		}
	}
	return nil
}

// always reports whether a member is sent even when it is empty.
func (m *model) always(shape, member string) bool {
	return slices.Contains(m.overlay.always, shape+"."+member) || slices.Contains(m.overlay.always, shape+".*")
}

func (s *shape) has(member string) bool {
	for _, m := range s.Members {
		if m.Name == member {
			return true
		}
	}
	return false
}
