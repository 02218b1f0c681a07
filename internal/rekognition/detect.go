package rekognition

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"fovea"
	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/ml/classify"
	"fovea/internal/ml/detect"
	"fovea/internal/ml/head"
	"fovea/internal/model"
	"fovea/internal/rekognition/api"
)

// A predictor is a trained model, in memory: a classifier of images, or a
// detector of objects.
type predictor struct {
	Labels     []string
	Thresholds []float64 // the assumed ones, 0 to 1, by label (CL-9.62)

	classifier *classify.Model
	detector   *detect.Model
	size       int64 // bytes of the weights

	learnt   *classify.Report // of a classifier, after its training only
	searched *detect.Report   // of a detector, likewise
}

// Bytes implements hosting.Predictor: the weights, and what they become in
// memory, about.
func (p *predictor) Bytes() int64 { return 3 * p.size }

// The parts of the weights of a model.
const (
	settingsPart   = "settings"
	classifierPart = "classifier"
	detectorPart   = "detector"
)

// weights returns the model as it is stored.
func (p *predictor) weights() ([]byte, error) {
	settings, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	name, marshal := detectorPart, func() ([]byte, error) { return p.detector.Marshal() }
	if p.classifier != nil {
		name, marshal = classifierPart, func() ([]byte, error) { return p.classifier.Marshal() }
	}
	data, err := marshal()
	return model.JoinParts(model.Part{Name: settingsPart, Data: settings}, model.Part{Name: name, Data: data}), err
}

// Load returns a model of Custom Labels from its weights, for a Host. It looks
// through the backbone that it was trained with, and is NotReady where there is
// none of these.
func Load(weights []byte, backbones *hosting.Backbones) (hosting.Predictor, error) {
	parts, err := model.SplitParts(weights)
	if err != nil {
		return nil, err
	}
	p := &predictor{size: int64(len(weights))}
	if err := json.Unmarshal(parts[settingsPart], p); err != nil {
		return nil, fmt.Errorf("the settings of the model: %w", err)
	}
	known := 0
	if data, ok := parts[detectorPart]; ok {
		if p.detector, err = detect.Unmarshal(data); err != nil {
			return nil, fmt.Errorf("the detector of the model: %w", err)
		}
		known = len(p.detector.Classes())
	} else {
		if p.classifier, err = classify.Unmarshal(parts[classifierPart], backbones.Find); err != nil {
			return nil, fmt.Errorf("The classifier of the model cannot be loaded: %w", err)
		}
		known = len(p.classifier.Classes)
	}
	if known != len(p.Labels) || known != len(p.Thresholds) {
		return nil, fmt.Errorf("the model knows %d labels and not %d", known, len(p.Labels))
	}
	return p, nil
}

// A finding is a label of an image, or of a part of it.
type finding struct {
	label int
	score float32 // 0 to 1
	box   *head.Box
}

// find returns the findings of an image, which is upright: a classifier's for
// every label, a detector's as far as they are candidates.
func (p *predictor) find(img *imaging.Image) (list []finding, err error) {
	if p.classifier != nil {
		out, err := p.classifier.Predict(img)
		for i, s := range out.Scores {
			list = append(list, finding{label: i, score: s})
		}
		return list, err
	}
	objects, err := p.detector.Detect(img)
	for _, o := range objects {
		list = append(list, finding{o.Class, o.Score, clip(o.Box, img)})
	}
	return list, err
}

// The most bytes of an image in a request, and where no limit bounds those in
// S3 (CL-10.10).
const (
	maxBytes  = 4 << 20
	maxObject = 64 << 20
)

func (s *Server) detectCustomLabels(ctx context.Context, in *api.DetectCustomLabelsRequest) (*api.DetectCustomLabelsResponse, error) {
	if err := checkImageMembers(in.Image); err != nil {
		return nil, err
	}
	ref, err := s.version(ctx, in.ProjectVersionArn)
	if err != nil {
		return nil, err
	}
	v, err := s.Models.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if v.Model.Status != fovea.Running { // CL-10.19
		return nil, fovea.Errorf(fovea.NotReady, "The model %s is %s. Start it, and wait until it runs.", v.Model.Name, v.Model.Status)
	}
	data, release, err := s.imageBytes(ctx, in.Image)
	if err != nil {
		return nil, err
	}
	defer release()
	out := &api.DetectCustomLabelsResponse{CustomLabels: []api.CustomLabel{}}
	err = s.Host.Detect(ctx, v.Model, func(loaded hosting.Predictor) error {
		p := loaded.(*predictor).with(v.Model)
		img, err := s.decode(ctx, data)
		if err != nil {
			return err
		}
		found, err := p.find(img)
		if err == nil {
			out.CustomLabels = append(out.CustomLabels, p.choose(found, in.MinConfidence, in.MaxResults, img)...)
		}
		return err
	})
	return out, err
}

// checkImageMembers reports neither or both of the ways to give an image
// (CL-10.16).
func checkImageMembers(in *api.Image) error {
	switch o := in.S3Object; {
	case len(in.Bytes) > 0 && o != nil:
		return fovea.Errorf(fovea.Invalid, "Image has Bytes and an S3Object. Give one of them.")
	case len(in.Bytes) == 0 && o == nil:
		return fovea.Errorf(fovea.Invalid, "Image has neither Bytes nor an S3Object.")
	case o != nil && (o.Bucket == "" || o.Name == ""):
		return fovea.Errorf(fovea.Invalid, "The S3Object of Image has no Bucket or no Name.")
	}
	return nil
}

// imageBytes returns the image of a request, and what gives back the room in
// memory that it takes.
func (s *Server) imageBytes(ctx context.Context, in *api.Image) (data []byte, release func(), err error) {
	if in.S3Object != nil {
		return s.readObject(ctx, fovea.ObjectRef{Bucket: in.S3Object.Bucket, Key: in.S3Object.Name, Version: in.S3Object.Version})
	}
	if len(in.Bytes) > maxBytes {
		return nil, nil, tooLarge("It has %d bytes; in a request it may have %d. Put it into S3, or scale it down.", len(in.Bytes), maxBytes)
	}
	return in.Bytes, func() {}, nil
}

// readObject returns an image from S3, read when there is room for it, and what
// gives the room back.
func (s *Server) readObject(ctx context.Context, ref fovea.ObjectRef) (data []byte, release func(), err error) {
	most := s.Models.Profiles[fovea.CustomLabels].Limits.Image.Bytes
	if most == 0 || most > maxObject {
		most = maxObject
	}
	info, err := s.Objects.Stat(ctx, ref)
	switch {
	case err != nil && fovea.KindOf(err) == fovea.Denied:
		return nil, nil, fovea.Errorf(fovea.BadObject, "The image %s may not be read. %w", ref, err)
	case err != nil:
		return nil, nil, err
	case info.Size > most:
		return nil, nil, tooLarge("%s has %d bytes, more than %d.", ref, info.Size, most)
	}
	if release, err = s.reserve(ctx, info.Size); err != nil {
		return nil, nil, err
	}
	data = make([]byte, info.Size)
	if n, err := fovea.ObjectReader(ctx, s.Objects, info).ReadAt(data, 0); n < len(data) { // of the state that there is room for
		release()
		return nil, nil, fmt.Errorf("read %s: %w", ref, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return data, release, nil
}

func tooLarge(format string, args ...any) error {
	return fovea.Errorf(fovea.TooLarge, "Image size is too large. "+format, args...)
}

// decode returns an image upright (CL-10.40), if its size is allowed (CL-10.12
// to CL-10.14).
func (s *Server) decode(ctx context.Context, data []byte) (*imaging.Image, error) {
	info, err := imaging.Probe(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, imageError(err)
	}
	l := s.Models.Profiles[fovea.CustomLabels].Limits.Image
	short, long := min(info.Width, info.Height), max(info.Width, info.Height)
	switch {
	case l.MinSide > 0 && short < l.MinSide:
		return nil, fovea.Errorf(fovea.Invalid, "The image has %d x %d pixels; each side must have at least %d.", info.Width, info.Height, l.MinSide)
	case l.MaxSide > 0 && long > l.MaxSide:
		return nil, tooLarge("It has %d x %d pixels; each side may have %d.", info.Width, info.Height, l.MaxSide)
	case l.Aspect > 0 && long > l.Aspect*short:
		return nil, fovea.Errorf(fovea.Invalid, "The image has %d x %d pixels; the longer side may be %d times the shorter one.", info.Width, info.Height, l.Aspect)
	}
	img, err := imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{})
	if err != nil {
		return nil, imageError(err)
	}
	return img, nil
}

func imageError(err error) error {
	var bad *imaging.Error
	if errors.As(err, &bad) {
		return fovea.Errorf(fovea.BadImage, "Request has invalid image format. %s It must be a PNG or JPEG file.", bad.Text)
	}
	return fmt.Errorf("decode an image: %w", err)
}

// choose returns the findings that are told, the most confident first
// (CL 10.4): those of the assumed threshold of their label, or of least, in per
// cent, if it is given; no more than most, if that is.
func (p *predictor) choose(found []finding, least *float32, most *int, img *imaging.Image) []api.CustomLabel {
	slices.SortStableFunc(found, func(a, b finding) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return a.label - b.label
	})
	var list []api.CustomLabel
	for _, f := range found {
		confidence := f.score * 100
		enough := float64(f.score) >= p.Thresholds[f.label]
		if least != nil {
			enough = confidence >= *least // as the caller compares them (CL-10.33)
		}
		if !enough || most != nil && len(list) == *most {
			continue
		}
		label := api.CustomLabel{Name: p.Labels[f.label], Confidence: confidence}
		if f.box != nil {
			label.Geometry = &api.Geometry{BoundingBox: &api.BoundingBox{
				Width: float32(f.box.Width) / float32(img.W), Height: float32(f.box.Height) / float32(img.H),
				Left: float32(f.box.Left) / float32(img.W), Top: float32(f.box.Top) / float32(img.H),
			}}
		}
		list = append(list, label)
	}
	return list
}

// clip returns the part of a box that is within the image (CL-10.26).
func clip(b head.Box, img *imaging.Image) *head.Box {
	left, top := max(b.Left, 0), max(b.Top, 0)
	right, bottom := min(b.Left+b.Width, float64(img.W)), min(b.Top+b.Height, float64(img.H))
	return &head.Box{Left: left, Top: top, Width: max(right-left, 0), Height: max(bottom-top, 0)}
}
