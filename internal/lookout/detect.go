package lookout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"fovea"
	"fovea/internal/hosting"
	"fovea/internal/imaging"
	"fovea/internal/lookout/api"
)

// Load returns a model of Lookout for Vision from its weights, for a Host.
func Load(weights []byte, backbones *hosting.Backbones) (hosting.Predictor, error) {
	return load(weights, backbones)
}

// maxImage bounds an image where no limit does, in bytes.
const maxImage = 64 << 20

func (s *Server) detectAnomalies(ctx context.Context, in *api.DetectAnomaliesRequest) (*api.DetectAnomaliesResponse, error) {
	if !isImage(in.ContentType) {
		return nil, fovea.Errorf(fovea.Invalid, "content-type must be one of the following. image/jpeg, image/png") // LV-7.20
	}
	v, err := s.findModel(ctx, in.ProjectName, in.ModelVersion)
	if err != nil {
		return nil, err
	}
	if v.Model.Status != fovea.Running {
		return nil, fovea.Errorf(fovea.NotReady, "The model %s of the project %s is not running. Start it, and wait until it is hosted.", v.Model.Name, v.Project.Name).
			About(fovea.ModelResource, v.Project.Name+"/"+v.Model.Name) // LV-7.27
	}
	data, err := s.readImage(in.Body)
	if err != nil {
		return nil, err
	}
	var out *api.DetectAnomalyResult
	err = s.Host.Detect(ctx, v.Model, func(loaded hosting.Predictor) (err error) {
		out, err = s.detect(ctx, loaded.(*predictor).with(v.Model), data)
		return err
	})
	return &api.DetectAnomaliesResponse{DetectAnomalyResult: out}, err
}

// isImage reports whether a content type is one that images may have, whatever
// its parameters (LV-7.20, LV-7.21).
func isImage(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return kind == "image/png" || kind == "image/jpeg"
}

// readImage reads the image of a call, no more of it than is allowed (LV-7.24).
func (s *Server) readImage(body io.Reader) ([]byte, error) {
	most := s.Models.Profiles[fovea.Lookout].Limits.Image.Bytes
	if most == 0 || most > maxImage {
		most = maxImage
	}
	data, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, fovea.Errorf(fovea.Invalid, "The image could not be read: %w", err)
	case int64(len(data)) > most:
		return nil, fovea.Errorf(fovea.Invalid, "The image has more than %d bytes.", most)
	case len(data) == 0:
		return nil, fovea.Errorf(fovea.Invalid, "The body has no image.")
	}
	return data, nil
}

// detect decodes an image, when it is its turn, and returns what the model says
// of it.
func (s *Server) detect(ctx context.Context, p *predictor, data []byte) (*api.DetectAnomalyResult, error) {
	img, err := decode(ctx, p, data)
	if err != nil {
		return nil, err
	}
	found, err := p.predict(img)
	if err != nil {
		return nil, err
	}
	out := &api.DetectAnomalyResult{Source: &api.ImageSource{Type: "direct"}, IsAnomalous: found.anomalous, Confidence: found.confidence}
	if found.labels == nil {
		return out, nil
	}
	for i, area := range p.areas(found.labels) {
		name, color := "background", "#FFFFFF" // LV-7.32
		if i > 0 {
			name, color = p.Labels[i-1].Name, p.Labels[i-1].Color
		}
		if i == 0 || area > 0 { // LV-7.33
			out.Anomalies = append(out.Anomalies, api.Anomaly{Name: name, PixelAnomaly: &api.PixelAnomaly{TotalPercentageArea: area, Color: color}})
		}
	}
	out.AnomalyMask, err = p.maskPNG(found.labels)
	return out, err
}

// decode returns an image of the size that the model takes.
func decode(ctx context.Context, p *predictor, data []byte) (*imaging.Image, error) {
	info, err := imaging.Probe(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, imageError(err)
	}
	if info.Width != p.Width || info.Height != p.Height { // LV-7.22; their sides are within LV-7.23, as those of the training images
		return nil, fovea.Errorf(fovea.Invalid, "The image has %d x %d pixels; the model was trained with images of %d x %d.", info.Width, info.Height, p.Width, p.Height)
	}
	img, err := imaging.Decode(ctx, bytes.NewReader(data), int64(len(data)), imaging.Decoding{Stored: true})
	if err != nil {
		return nil, imageError(err)
	}
	return img, nil
}

// imageError makes what is wrong with an image the caller's fault.
func imageError(err error) error {
	var bad *imaging.Error
	if errors.As(err, &bad) {
		return fovea.Errorf(fovea.Invalid, "The image cannot be used: %s It must be a PNG or JPEG file.", bad.Text)
	}
	return fmt.Errorf("decode an image: %w", err)
}
