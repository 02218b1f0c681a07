package extension_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fovea"
	"fovea/internal/certificate"
)

func post(h http.Handler, path, body string) (int, string) {
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r = r.WithContext(fovea.WithCaller(r.Context(), fovea.Caller{Account: "123456789012", Region: "us-east-1", KeyID: "k", RequestID: "id"}))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// statement returns what says that the dataset of the history site has so many
// entries at a revision.
func statement(form, project string, revision, entries int) string {
	return fmt.Sprintf(`{ "certificate":%q,"service":"custom-labels","project":%q,"datasets":[{"split":"train","source":{"entries":9},"destination":{"revision":%d,"entries":%d}}]}`,
		form, project, revision, entries)
}

// TestCertify: what is true is signed with the key that the server tells, and
// what the server knows to be wrong is not.
func TestCertify(t *testing.T) {
	h := newHistorySite(t)
	resp := get(h, "GET", "/fovea/v1/signing-key", "us-east-1")
	var public struct {
		Algorithm, Key string
		KeyID          string `json:"key_id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&public); err != nil || public.Algorithm != "Ed25519" {
		t.Fatal(public, err)
	}
	key, err := certificate.ParseKey(public.Key)
	if err != nil || public.KeyID != certificate.KeyID(key) {
		t.Fatal(public, err)
	}
	const form = "fovea.migration/1"
	good := statement(form, "parts", 3, 3)
	status, body := post(h, "/fovea/v1/certificates", good)
	var s certificate.Signature
	if err := json.Unmarshal([]byte(body), &s); status != 200 || err != nil {
		t.Fatal(status, body, err)
	}
	if err := s.Check(key, []byte(good)); err != nil {
		t.Error(err)
	}
	for name, tt := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"more entries":        {statement(form, "parts", 3, 4), 409, "3 entries"},
		"an older revision":   {statement(form, "parts", 1, 2), 409, "revision 1"},
		"no such revision":    {statement(form, "parts", 9, 2), 404, "revision 9"},
		"no such project":     {statement(form, "other", 3, 3), 404, "other"},
		"another form":        {statement("fovea.certificate/1", "parts", 3, 2), 400, form},
		"not JSON":            {"x", 400, "not a statement"},
		"nothing":             {"", 400, "not a statement"},
		"wrong types":         {`{"certificate":"fovea.migration/1","datasets":3}`, 400, form},
		"another split":       {strings.Replace(good, "train", "both", 1), 400, "both"},
		"more than is signed": {`{"a":"` + strings.Repeat("x", certificate.MaxStatement) + `"}`, 400, "bytes"},
	} {
		if status, body := post(h, "/fovea/v1/certificates", tt.body); status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

var testSigningKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
