package sqlstore_test

import (
	"path/filepath"
	"testing"

	"fovea"
	"fovea/internal/sqlstore"
	"fovea/internal/storetest"
)

func open(t *testing.T, path string, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), "sqlite:"+path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) fovea.Store {
		return open(t, filepath.Join(t.TempDir(), "fovea.db"), sqlstore.Options{})
	})
}
