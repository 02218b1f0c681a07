package dataset

import (
	"time"

	"fovea"
)

// revision returns the outcome as a dataset's first revision.
func (s *scan) revision(out *outcome, job fovea.ImportJob, now time.Time) *fovea.Revision {
	r := &fovea.Revision{
		Dataset: job.Dataset,
		Number:  1,
		Created: now,
		Cause:   "import " + s.manifest.Ref.String(),
		Caller:  job.Caller,
		Stats:   out.stats,
		Labels:  out.labels,
		Bucket:  out.bucket,
		NextSeq: s.manifest.Size,
		Report:  reportName(job.Dataset, false),
	}
	for _, p := range out.parts {
		if p.Segment.Rows > p.Segment.Masked {
			r.Segments = append(r.Segments, p.Segment)
		}
	}
	return r
}
