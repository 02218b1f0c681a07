package lookout

import (
	"fovea"
	"fovea/internal/manifest"
)

// Limits returns the quotas of Lookout for Vision at AWS (LV 9). Those whose
// values AWS did not publish are lifted (LV-9.28).
func Limits() fovea.Limits {
	return fovea.Limits{
		ManifestBytes: 1 << 30, // LV-9.6
		TrainEntries:  16_000,  // LV-9.9
		TestEntries:   4_000,   // LV-9.10
		LineChars:     8192,    // LV-9.7
		ProjectLabels: 100,     // LV-9.16
		MaskLabels:    20,
		Minima:        true,
		MaskTrain:     8000, // LV-9.12
		MaskTest:      800,
		Trainings:     2,                                                             // LV-9.22
		Units:         5,                                                             // LV-9.21
		DropShare:     1,                                                             // one dropped line fails the import
		Image:         fovea.ImageLimits{Bytes: 8 << 20, MinSide: 64, MaxSide: 4096}, // LV-9.2 to LV-9.4
	}
}

// Profile tells the shared code what Lookout for Vision allows, with those
// limits: Limits, or Limits().Lifted() for none.
func Profile(limits fovea.Limits) fovea.Profile {
	return fovea.Profile{
		Service:    fovea.Lookout,
		Limits:     limits,
		NewChecker: func() manifest.Checker { return newChecker(limits) },
		FaultText:  faultText,
		ImageOf:    imageOf,
		KeepLast:   true, // LV-5.52, LV-14.15
		Strict:     true, // LV-5.89
		SameSize:   true, // LV-5.51

		StopFrom:     []fovea.ModelStatus{fovea.Running, fovea.Starting}, // LV-2.89
		OutputAtOnce: true,                                               // LV 6.2
	}
}
