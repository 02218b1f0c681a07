package conformance_test

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"fovea"
	"fovea/internal/awsjson"
	"fovea/internal/awsjson/conformance"
	lookout "fovea/internal/lookout/api"
	rekognition "fovea/internal/rekognition/api"
)

// TestCases sends every case of both APIs to tables in which nothing is built,
// so that what passes the checks is answered 501.
func TestCases(t *testing.T) {
	for _, tt := range []struct {
		description *awsjson.Description
		operations  int
		least       int // a walker that yields nothing would always succeed
	}{
		{rekognition.Description, 23, 600},
		{lookout.Description, 22, 600},
	} {
		names := make(map[fovea.Kind]string)
		for k := fovea.Internal; k < fovea.Unsupported; k++ {
			names[k] = "InternalServerError"
		}
		a := awsjson.New(awsjson.Config{Description: tt.description, Errors: names, Log: slog.New(slog.DiscardHandler)})
		seen, total, refused := make(map[string]bool), 0, 0
		for c := range conformance.Cases(tt.description) {
			r, err := c.Request("http://localhost")
			if err != nil {
				t.Errorf("%v: %v", c, err)
				continue
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if err := c.Check(w.Result()); err != nil {
				t.Errorf("%v: %v", c, err)
			}
			if c.Accepted && w.Code != 501 {
				t.Errorf("%v: %d %s", c, w.Code, w.Body)
			}
			seen[c.Operation] = true
			total++
			if !c.Accepted {
				refused++
			}
		}
		t.Logf("%s: %d cases, %d of them refused", tt.description.Service, total, refused)
		if len(seen) != tt.operations || total < tt.least || refused < total/3 {
			t.Errorf("%s: %d cases of %d operations, %d refused", tt.description.Service, total, len(seen), refused)
		}
	}
}
