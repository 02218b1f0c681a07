// Apigen writes the api packages of the two protocols, and the service model
// that gives AWS's Python clients their lookoutvision client back, from the
// API descriptions inside the module github.com/aws/aws-sdk-go. Run it at the
// root of the repository:
//
//	go run ./internal/apigen
//
// What it writes are facts: names, types, constraints, paths, statuses. No
// documentation text is read or copied. What the descriptions do not say, such
// as which empty list must be sent, is in overlay.go, each line with the fact
// of the specification that it comes from.
//
// It fails where it does not understand something, because a constraint that
// is skipped is a request that a handler does not expect.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

//go:generate go run -C ../.. ./internal/apigen

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

// run writes all generated files below the repository root.
func run(root string) error {
	dir, err := sdkDir(root)
	if err != nil {
		return err
	}
	files, err := generate(dir)
	if err != nil {
		return err
	}
	for name, text := range files {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the generated files by their names relative to the
// repository root. Sdk is the folder of the module with the descriptions.
func generate(sdk string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	for _, t := range targets {
		m, err := readModel(modelFile(sdk, t.model), t.operations)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.model, err)
		}
		if err := m.apply(t.overlay); err != nil {
			return nil, fmt.Errorf("%s: %w", t.model, err)
		}
		types, err := goSource(t.dir+"/types.go", writeTypes(m))
		if err != nil {
			return nil, err
		}
		description, err := goSource(t.dir+"/description.go", writeDescription(m))
		if err != nil {
			return nil, err
		}
		files[t.dir+"/types.go"] = types
		files[t.dir+"/description.go"] = description
		if t.botocore != "" {
			if err := writeBotocore(files, t.botocore, m); err != nil {
				return nil, err
			}
		}
	}
	return files, nil
}

// modelFile returns the file of an API's description.
func modelFile(sdk, model string) string {
	return filepath.Join(sdk, "models", "apis", filepath.FromSlash(model), "api-2.json")
}
