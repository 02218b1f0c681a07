package rekognition

import (
	"fovea"
	"fovea/internal/manifest"
)

// Limits returns the quotas of Custom Labels at AWS (CL 12). The account quotas
// that AWS does not publish are those of CL-12.27.
func Limits() fovea.Limits {
	return fovea.Limits{
		Projects:      100,
		Models:        1000, // CL-12.27
		Trainings:     2,
		Copies:        5,
		Running:       10,
		Units:         5,       // CL-12.22
		ManifestBytes: 1 << 30, // CL-12.1
		TrainEntries:  250_000, // CL-12.3, CL-12.4
		TestEntries:   250_000,
		LineChars:     100_000,                                                                    // CL-12.2
		Labels:        250,                                                                        // CL-12.6
		Boxes:         50,                                                                         // CL-12.10
		DropShare:     0.2,                                                                        // CL-5.67, CL-12.25
		Image:         fovea.ImageLimits{Bytes: 15 << 20, MinSide: 64, MaxSide: 4096, Aspect: 20}, // CL-12.12 to CL-12.15
	}
}

// Profile tells the shared code what Custom Labels allows, with those limits:
// Limits, or Limits().Lifted() for none.
func Profile(limits fovea.Limits) fovea.Profile {
	return fovea.Profile{
		Service:    fovea.CustomLabels,
		Limits:     limits,
		NewChecker: func() manifest.Checker { return newChecker(limits) },
		FaultText:  faultText,
		ImageOf:    imageOf,
		BlankLines: true,
		StopFrom:   []fovea.ModelStatus{fovea.Running, fovea.StartFailed}, // CL-4.3
	}
}
