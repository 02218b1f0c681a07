package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// sdkModule has the API descriptions; go.mod pins its version.
const sdkModule = "github.com/aws/aws-sdk-go"

// errNoModule says that the module with the descriptions is not on this
// machine and could not be brought here.
var errNoModule = errors.New("module " + sdkModule + " not found: run go mod download " + sdkModule)

// sdkDir returns the folder of the module in the module cache, after
// downloading it if it must. Root is where go.mod is.
func sdkDir(root string) (string, error) {
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", sdkModule)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return "", fmt.Errorf("%w (go list: %v)", errNoModule, err)
	}
	if dir := strings.TrimSpace(string(out)); dir != "" {
		return dir, nil
	}
	download := exec.Command("go", "mod", "download", "-json", sdkModule)
	download.Dir = root
	if out, err = download.Output(); err != nil {
		return "", fmt.Errorf("%w (go mod download: %v)", errNoModule, err)
	}
	var module struct{ Dir string }
	if err := json.NewDecoder(bytes.NewReader(out)).Decode(&module); err != nil || module.Dir == "" {
		return "", errNoModule
	}
	return module.Dir, nil
}
