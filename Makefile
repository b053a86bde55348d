# What people type. `make help` lists it; deploy/needs names what a machine lacks for each target.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

ARGS     ?=
# The tag of this commit, else the newest release of the changelog with the commit behind it: v0.1.0+1a2b3c4.
VERSION  := $(shell git describe --tags --exact-match --dirty 2>/dev/null || \
	echo "v$$(sed -n 's/^.. .\([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)+$$(git describe --always --dirty --exclude '*' 2>/dev/null || echo unknown)")
# When this commit was made: a clock before it is wrong.
BUILT    := $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS  := -s -w -X retorno/deploy/command.version=$(VERSION) -X retorno/deploy/command.built=$(BUILT)
RELEASED := schemas/events/released/v1.binpb

# Everything is built with the release of Go that go.mod names, even where Go is set not to fetch another one.
export GOTOOLCHAIN := $(shell sed -n 's/^toolchain //p' go.mod)+auto

# Programs, tests and linters are compiled in one way, so that each package is compiled once; the race detector alone needs another.
export CGO_ENABLED := 0
export GOFLAGS := $(GOFLAGS) -trimpath

# Cache folders that cannot be written to are replaced by folders of the project's own.
ifeq ($(filter help clean,$(MAKECMDGOALS)),)
$(foreach setting,$(shell deploy/caches),$(eval export $(setting)))
endif

# Tools are pinned in module files of their own, so that go.mod lists only what the product uses. Buf comes as its makers compiled it:
# to compile it takes two minutes.
GOLANGCI := go tool -modfile=deploy/tools/golangci-lint.mod golangci-lint
BUF      := npx --yes --ignore-scripts @bufbuild/buf@1.75.0
GREMLINS := go tool -modfile=deploy/tools/gremlins.mod gremlins

PLATFORMS ?= linux/amd64 linux/arm64

# The packages whose tests are tried with mutants.
MUTANTS ?= consumers/counting/reconcile consumers/counting/processor consumers/counting/store consumers/dissemination/release

# Packages whose goroutines share memory: make test runs them under the race detector.
RACE := consumers/counting/stream consumers/counting/processor consumers/counting/store consumers/counting/deadletter consumers/dissemination/vintages producers/producer \
	deploy/ops deploy/lab/brokersuite

# Tests of the commands in which the parts of a process share memory: make test runs them under the race detector alone. The other tests of that
# package ask a running system from outside, and run without it: under it they take as long as all others together.
RACE_COMMAND := TestPipelineOnBothBrokers|TestDemoStaysUpAndEndsInOrder|TestAnImportThatWasCutOffIsCompleted

# Packages whose tests take the longest. They begin first, so that the others fill the time in which these wait.
LONGEST := ./deploy/command ./deploy/lab/clients ./deploy/lab/torture ./consumers/counting/verify ./consumers/dissemination/release

# Packages whose tests need neither ClickHouse nor Kafka, and end within seconds.
PURE := ./consumers/counting/reconcile ./consumers/counting/ledger ./consumers/counting/store/column ./consumers/dissemination/disclosure/... ./consumers/dissemination/bundle ./consumers/dissemination/response ./consumers/dissemination/report \
	./producers/identity ./producers/importer ./schemas/codelists/... ./schemas/dictionary/... ./schemas/events ./schemas/tables ./schemas/kafka/compression ./deploy/docs ./deploy/command/settings ./deploy/command/screen

# Tests of these that are smaller under the race detector: make test runs them in full, too.
FULL := TestAnyOrderAnyBatchesAnySplit|TestManyFactsOfOnePerson

.PHONY: help build demo quick test race torture torture-bugs mutants bench benchmarks lint audit generate generated release clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

build: ## bin/retorno
	@deploy/needs build
	go build -ldflags '$(LDFLAGS)' -o bin/retorno .

demo: build ## the whole system on this machine; make demo ARGS="--exit" stops after the table
	bin/retorno demo $(ARGS)

quick: ## a change, within a minute: linters on what it touches, tests that need neither ClickHouse nor Kafka
	@deploy/needs lint
	deploy/quick $(PURE)

test: build ## every test, on the embedded engine and on a real Apache Kafka
	@deploy/needs test
	go vet ./...
	go run ./deploy/fetch
	go test -p 4 -timeout 60m -skip '^($(RACE_COMMAND))$$' $(LONGEST) $$(go list ./... | grep -vxF "$$(printf 'retorno/%s\n' $(RACE))")
	go test -timeout 30m -run '$(FULL)' ./consumers/counting/processor
	$(MAKE) --no-print-directory race

race: ## the packages whose goroutines share memory, under the race detector
	CGO_ENABLED=1 go test -race -p 3 -timeout 30m $(addprefix ./,$(RACE))
	CGO_ENABLED=1 go test -race -timeout 30m -run '^($(RACE_COMMAND))$$' ./deploy/command

torture: build ## the whole system under load and faults; make torture ARGS="--for=10m --seed=7"
	bin/retorno torture $(ARGS)

torture-bugs: ## deliberate bugs, built in one at a time: the torture or a named test must catch each (some minutes)
	@deploy/needs test
	go run ./deploy/fetch
	go test -tags torturebugs -count=1 -timeout 40m -run TestBugsAreCaught -v ./deploy/lab/torture

mutants: ## small mistakes, one at a time, that the tests of a package should notice (hours); make mutants MUTANTS=consumers/counting/reconcile ARGS="-sample=40"
	@deploy/needs test
	go run ./deploy/fetch
	for p in $(MUTANTS); do $(GREMLINS) unleash --workers 1 --timeout-coefficient 20 --output-statuses l \
		--invert-logical --invert-loopctrl --invert-assignments --remove-self-assignments ./$$p; done
	go run ./deploy/lab/mutants $(ARGS) $(MUTANTS)

bench: build ## performance, with limit and peer in the same run; also as JSON in bench.json
	@deploy/needs bench
	bin/retorno bench --json=bench.json $(ARGS)

benchmarks: ## Go benchmarks of every package that has them, as benchstat reads them
	@deploy/needs bench
	go test -run '^$$' -bench . -benchmem -timeout 30m $$(git grep -lE '^func Benchmark' -- '*_test.go' | xargs -r -n1 dirname | sort -u | sed 's,^,./,')

lint: generated ## formatting, linters, schema lint and compatibility
	@deploy/needs lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'not formatted: run gofmt -w on these'; exit 1; }
	go vet ./...
	$(GOLANGCI) run --allow-parallel-runners ./...
	$(BUF) lint
	$(BUF) breaking --against $(RELEASED)

audit: ## known vulnerabilities that the program reaches; asks the module proxy and nothing else
	@deploy/needs build
	go run ./deploy/audit

generate: ## what follows from the data dictionary: the event schema, its Go code, constants
	go generate ./schemas/dictionary
	$(BUF) generate

generated: # fails when committed generated code is not what the schema generates
	@new=$$(mktemp -d); trap 'rm -rf "$$new"' EXIT; $(BUF) generate -o "$$new"; \
	for f in $$(cd "$$new" && find . -type f); do diff -u "$$f" "$$new/$$f" || { echo "$$f is not what the schema generates: run make generate"; exit 1; }; done

release: ## archives of the program without its laboratory, for PLATFORMS, in dist: the same bytes from the same commit
	@deploy/needs build
	deploy/release/release.sh dist '$(VERSION)' "$$(git log -1 --format=%ct)" $(PLATFORMS)

clean: ## removes what was built
	rm -rf bin dist bench.json
