package integration

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"fovea/integration/process"
)

// detectLabels calls DetectCustomLabels with an image, and takes what is answered
// into out.
func detectLabels(t *testing.T, server *process.Server, version string, image []byte, out any) error {
	t.Helper()
	in := map[string]any{"ProjectVersionArn": version, "MinConfidence": 0, "Image": map[string]any{"Bytes": base64.StdEncoding.EncodeToString(image)}}
	return server.Rekognition(t.Context(), "DetectCustomLabels", in, out)
}

// detectAnomalies calls DetectAnomalies of model 1 of a project with an image,
// and takes what is answered into out.
func detectAnomalies(t *testing.T, server *process.Server, project, contentType string, image []byte, out any) error {
	t.Helper()
	path := "/2020-11-20/projects/" + project + "/models/1/detect"
	resp, err := server.Do(t.Context(), "lookoutvision", "POST", path, map[string][]string{"Content-Type": {contentType}}, image)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &process.AnswerError{Status: resp.StatusCode, Header: resp.Header, Body: text}
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}
