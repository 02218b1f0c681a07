# Everything a developer and CI need. Each goal works on a fresh machine with
# Go and apt: what else it needs, it installs.

FUZZTIME ?= 3s
BENCH ?=
GOFLAGS_TEST ?= -timeout 60m

.PHONY: build test unit integration fuzz check gen bench bench-kernels bench-vision tools clean

build:
	go build -trimpath -o fovea ./cmd/fovea

# Everything CI runs. The runner's lines come last.
test: tools build
	go vet ./...
	.ci/fuzz $(FUZZTIME)
	FOVEA_TEST_ALL=1 go test $(GOFLAGS_TEST) ./...

unit:
	go test $$(go list ./... | grep -v '/integration')

integration: tools
	FOVEA_TEST_ALL=1 go test $(GOFLAGS_TEST) -count=1 -v ./integration/...

# Longer: make fuzz FUZZTIME=10m
fuzz:
	.ci/fuzz $(FUZZTIME)

check:
	.ci/check

gen:
	go generate ./...

# Some lines only: make bench BENCH='-only import -lines 100000'; one section anew: BENCH='-only models -update'
bench: build
	.ci/install bench
	go run ./bench $(BENCH)

# Kernels beside OpenBLAS, gonum and ONNX Runtime, a core each: docs/design/kernels.md
bench-kernels:
	.ci/install kernels
	go run ./bench/kernels $(BENCH)

# Models on real photographs: make bench-vision BENCH='-only classification -seeds 1'
bench-vision:
	go run ./bench/vision $(BENCH)

tools:
	.ci/install

clean:
	rm -rf fovea bench/out
