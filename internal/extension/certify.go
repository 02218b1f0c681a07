package extension

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"fovea"
	"fovea/internal/certificate"
)

// A claim is what the server checks of a statement before it signs it: what it
// says of the server's own datasets. Of the rest, what the source was above
// all, the signature says that the holder of the root key has said it.
type claim struct {
	Certificate string        `json:"certificate"` // form and version
	Service     fovea.Service `json:"service"`
	Project     string        `json:"project"`
	Datasets    []struct {
		Split       fovea.Split `json:"split"`
		Destination struct {
			Revision int64 `json:"revision"`
			Entries  int64 `json:"entries"`
		} `json:"destination"`
	} `json:"datasets"`
}

// migrationForm is the only kind of statement that is signed.
const migrationForm = "fovea.migration/1"

// publicKey answers the key that certificates are checked with.
func (s *Server) publicKey(r *http.Request) (any, error) {
	public := s.Key.Public().(ed25519.PublicKey)
	return map[string]string{
		"algorithm": certificate.Algorithm, "key": base64.StdEncoding.EncodeToString(public), "key_id": certificate.KeyID(public),
	}, nil
}

// certify signs a statement and answers the signature.
func (s *Server) certify(r *http.Request) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, certificate.MaxStatement))
	if err != nil {
		return nil, fovea.Errorf(fovea.Invalid, "The body could not be read, or has more than %d bytes: %w.", certificate.MaxStatement, err)
	}
	statement, err := certificate.Canonical(body)
	if err != nil {
		return nil, fovea.Errorf(fovea.Invalid, "The body is not a statement: %v.", err)
	}
	var c claim
	if err := json.Unmarshal(statement, &c); err != nil || c.Certificate != migrationForm {
		return nil, fovea.Errorf(fovea.Invalid, "The statement is not one of %s.", migrationForm)
	}
	if err := s.checkClaim(r, c); err != nil {
		return nil, err
	}
	return certificate.Sign(s.Key, statement, time.Now())
}

// checkClaim reports a statement that the server's own datasets contradict.
func (s *Server) checkClaim(r *http.Request, c claim) error {
	for _, d := range c.Datasets {
		v, err := s.datasetNamed(r.Context(), c.Service, c.Project, d.Split)
		if err != nil {
			return err
		}
		commit, err := s.Datasets.Commit(r.Context(), v, d.Destination.Revision)
		if err != nil {
			return err
		}
		if !commit.Current || commit.Stats.Entries != d.Destination.Entries {
			return fovea.Errorf(fovea.NotReady, "The dataset %s/%s has %d entries at revision %d, which is the current one: %t. The statement says %d entries.",
				c.Project, d.Split, commit.Stats.Entries, commit.Number, commit.Current, d.Destination.Entries)
		}
	}
	return nil
}

// answer returns a handler that answers what fn returns as JSON.
func (s *Server) answer(fn func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, err := fn(r)
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.sendJSON(w, r, answer)
	}
}
