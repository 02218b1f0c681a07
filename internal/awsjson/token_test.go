package awsjson_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fovea"
	"fovea/internal/awsjson"
	lookout "fovea/internal/lookout/api"

	"github.com/google/go-cmp/cmp"
)

// A tokenStore is a store of nothing but client tokens.
type tokenStore struct {
	fovea.Store
	fovea.Tx
	tokens map[fovea.TokenKey]*fovea.Token
}

func (s *tokenStore) Update(_ context.Context, fn func(fovea.Tx) error) error { return fn(s) }

func (s *tokenStore) Token(key fovea.TokenKey) (*fovea.Token, error) {
	if t := s.tokens[key]; t != nil {
		return t, nil
	}
	return nil, fovea.Errorf(fovea.NotFound, "no token")
}

func (s *tokenStore) PutToken(t *fovea.Token) error {
	s.tokens[t.Key] = t
	return nil
}

// count runs once for each client token and returns how often it ran.
func (s *tokenStore) count(ctx context.Context, n *int) (string, error) {
	var out int
	err := s.Update(ctx, func(tx fovea.Tx) error {
		return fovea.Once(ctx, tx, time.Now(), &out, func() error {
			*n++
			out = *n
			return nil
		})
	})
	text, _ := json.Marshal(out)
	return string(text), err
}

// TestTokens checks LV-4.8 and LV-4.13: which requests are the same one.
func TestTokens(t *testing.T) {
	store, n := &tokenStore{tokens: make(map[fovea.TokenKey]*fovea.Token)}, 0
	a := lookoutAPI(map[string]awsjson.Op{
		"UpdateDatasetEntries": awsjson.Call(func(ctx context.Context, _ *lookout.UpdateDatasetEntriesRequest) (*lookout.UpdateDatasetEntriesResponse, error) {
			out, err := store.count(ctx, &n)
			return &lookout.UpdateDatasetEntriesResponse{Status: lookout.DatasetStatus(out)}, err
		}),
		"CreateDataset": awsjson.Call(func(ctx context.Context, _ *lookout.CreateDatasetRequest) (*lookout.CreateDatasetResponse, error) {
			out, err := store.count(ctx, &n)
			return &lookout.CreateDatasetResponse{DatasetMetadata: &lookout.DatasetMetadata{StatusMessage: out}}, err
		}),
	})
	const train, source = "/projects/p/datasets", `"DatasetSource":{"GroundTruthManifest":{"S3Object":{"Bucket":"bkt","Key":"k"}}}`
	const entries = "/projects/p/datasets/train/entries"
	us, eu := fovea.Caller{Account: "1", Region: "us"}, fovea.Caller{Account: "1", Region: "eu"}
	for _, tt := range []struct {
		name           string
		caller         fovea.Caller
		method, target string
		body, token    string
		want           string // how many calls ran, or the error
	}{
		{"the first", us, "POST", train, `{"DatasetType":"train",` + source + `}`, "a", "1"},
		{"the same again", us, "POST", train, `{"DatasetType":"train",` + source + `}`, "a", "1"},
		{"another order and white space", us, "POST", train, `{ ` + source + ` , "DatasetType":"tr\u0061in"}`, "a", "1"},
		{"null and unknown members", us, "POST", train, `{"DatasetType":"train",` + source + `,"X":1,"ProjectName":null}`, "a", "1"},
		{"other parameters", us, "POST", train, `{"DatasetType":"test",` + source + `}`, "a", "ValidationException"},
		{"fewer parameters", us, "POST", train, `{"DatasetType":"train"}`, "a", "ValidationException"},
		{"another key", us, "POST", train, `{"DatasetType":"train",` + strings.Replace(source, `"k"`, `"l"`, 1) + `}`, "a", "ValidationException"},
		{"another project", us, "POST", "/projects/q/datasets", `{"DatasetType":"train",` + source + `}`, "a", "ValidationException"},
		{"another token", us, "POST", train, `{"DatasetType":"train",` + source + `}`, "b", "2"},
		{"another region", eu, "POST", train, `{"DatasetType":"train",` + source + `}`, "a", "3"},
		{"another account", fovea.Caller{Account: "2", Region: "us"}, "POST", train, `{"DatasetType":"train",` + source + `}`, "a", "4"},
		{"another operation", us, "PATCH", entries, `{"Changes":"e30="}`, "a", "5"},
		{"escaped changes", us, "PATCH", entries, `{"Changes":"\u0065\u00330="}`, "a", "5"},
		{"other changes", us, "PATCH", entries, `{"Changes":"e30K"}`, "a", "ValidationException"},
		{"no token", us, "PATCH", entries, `{"Changes":"e30="}`, "", "6"},
		{"LV-4.2 a malformed token", us, "PATCH", entries, `{"Changes":"e30="}`, "a b", "ValidationException"},
		{"a token too long", us, "PATCH", entries, `{"Changes":"e30="}`, strings.Repeat("a", 65), "ValidationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, version+tt.target, strings.NewReader(tt.body))
			r = r.WithContext(fovea.WithCaller(r.Context(), tt.caller))
			if tt.token != "" {
				r.Header.Set("X-Amzn-Client-Token", tt.token)
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if got := w.Header().Get("X-Amzn-ErrorType"); got != "" && got != tt.want {
				t.Errorf("%d %s, want %s", w.Code, w.Body, tt.want)
			}
			if w.Code == 202 && !strings.Contains(w.Body.String(), `"`+tt.want+`"`) {
				t.Errorf("%s, want %s", w.Body, tt.want)
			}
		})
	}
	want := fovea.TokenKey{Account: "1", Region: "us", Operation: "lookout.CreateDataset", Value: "a"}
	if store.tokens[want] == nil || len(store.tokens) != 5 {
		t.Errorf("%d tokens, want %v among them", len(store.tokens), want)
	}
}

// TestEmptyToken checks that a header without a value is a malformed token and
// not an absent one.
func TestEmptyToken(t *testing.T) {
	w := rest(lookoutAPI(nil), "POST", "/projects", `{"ProjectName":"p"}`, "X-Amzn-Client-Token", "")
	if diff := cmp.Diff(400, w.Code); diff != "" {
		t.Errorf("%s", w.Body)
	}
}
