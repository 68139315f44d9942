# make setup          install everything into this checkout (needs the network the first time)
# make bundle         one archive in dist/ that installs without network: see docs/operation.md
# make release        tests, tag, archive, and the next version begins: NEXT=0.3.0
# make demo           database, simulated data-taking, manager, real processing, live status
#                     RUNS=3 EXIT=1: take three runs, wait for them, exit 0 if all are done
#                     CONFIG=examples/paddles/paddles.toml: with another detector, see docs/your-experiment.md
# make demo-slurm     a backlog on a real Slurm beside one event builder; ends with where each run was processed
# make check          lint, types and the tests that start no process: under two minutes on two quiet cores
# make test           all checks and tests that CI holds: at most 25 minutes on two quiet cores
# make test-nightly   what searches long: more seeds, every crash point, chaos, other time zones; hours
# make test-bundle    of `make test` the one that installs the bundle without network, and takes runs with it
# make test-zones     every test in two other time zones
# make lint           the checks alone
# make simulation     ten thousand simulated nights of a small fleet; SEED=7: that one, with all that happens in it
# make chaos          kills and stops everything at random; SECONDS=600 SEED=7
# make pairs          two managers of any kinds meet, killed and stopped at random; ROUNDS=200 SEED=7
# make mutation       change the decisions and the database updates, one spot at a time: the tests must notice
# make pictures       takes the pictures of docs/pictures: a small fleet at work, each page light and dark, wide and narrow
# make bench-<name>   a table and one JSON line; the names are the files in bench/

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup build bundle release demo demo-slurm check test test-nightly test-bundle test-zones test-tools lint eslint prettier arrows unused \
	check-protocol typecheck python-lint unit-test python-units python-test node-test bundle-after-python zone-test \
	chaos pairs simulation mutation pictures clean

RUNS ?= 3
EXIT ?=
# Configuration of the demo; that of config/demo.toml by default.
CONFIG ?=
# Length of the chaos and what its faults follow from; without a seed a random one.
SECONDS ?= 60
# Rounds of two managers; their seeds are SEED and the numbers after it.
ROUNDS ?= 20
SEED ?=
# The version that begins after a release.
NEXT ?=
# Further options of `bootstrax demo` or of a benchmark.
ARGS ?=

# One west of Greenwich with summer time, one east of it that is not a whole number of hours away.
ZONES := America/Chicago Asia/Kathmandu
# Python tests that start no process.
PYTHON_UNITS := $(addprefix worker/tests/test_,worker_units.py simulator_live_data.py) client/tests

# Beside the package of the worker.
OTHER_PYTHON := client examples scripts tests

PYTHON := .venv/bin/python
SOURCES := $(shell find src web -type f)

setup:
	@scripts/setup.sh

build: setup dist/bootstrax.mjs

dist/bootstrax.mjs: $(SOURCES) scripts/build.mjs package-lock.json | setup
	node scripts/build.mjs

# Two minutes on a quiet machine; as root, since it runs what it installs as other users.
test-bundle: build
	npx --no-install vitest run --config vitest.bundle.config.ts

bundle: build
	@scripts/bundle.sh

release: setup
	@node scripts/release.mjs "$(NEXT)"

demo: build
	@bin/bootstrax $(if $(CONFIG),--config $(CONFIG)) demo --runs $(RUNS) $(if $(EXIT),--exit) $(ARGS)

demo-slurm: build
	@node scripts/bench.mjs slurm-demo $(ARGS)

lint: eslint typecheck prettier arrows unused check-protocol python-lint

eslint: build
	npx --no-install eslint .

prettier: setup
	npx --no-install prettier --check .

arrows: setup
	npx --no-install depcruise --config .dependency-cruiser.cjs src

# Files, exports and packages that nothing uses.
unused: setup
	npx --no-install knip

typecheck: setup
	npx --no-install tsc --noEmit
	npx --no-install tsc --noEmit -p web
	npx --no-install tsc --noEmit -p tests/browser
	npx --no-install tsc --noEmit -p tests/components
	npx --no-install tsc --noEmit -p bench

check-protocol: setup
	@scripts/check-protocol.sh

python-lint: setup
	$(PYTHON) -m ruff check worker
	$(PYTHON) -m ruff format --check worker
	$(PYTHON) -m ruff check --config worker/pyproject.toml $(OTHER_PYTHON)
	$(PYTHON) -m ruff format --check --config worker/pyproject.toml $(OTHER_PYTHON)

python-test: setup
	PYTHONPATH=worker:client $(PYTHON) -m pytest -q worker/tests client/tests

python-units: setup
	TZ=$(lastword $(ZONES)) PYTHONPATH=worker:client $(PYTHON) -m pytest -q $(PYTHON_UNITS)

# In another zone than that of the other tests, which costs nothing.
unit-test: setup
	TZ=$(firstword $(ZONES)) npx --no-install vitest run --project units --project components

# All but the units, which `check` has run.
node-test: build test-tools
	npx --no-install vitest run --project together --project timed

test-tools: setup
	@scripts/test-tools.sh

zone-test: setup test-tools
	@for zone in $(ZONES); do \
		echo "Unit tests in the time zone $$zone"; \
		TZ=$$zone PYTHONPATH=worker:client $(PYTHON) -m pytest -q $(PYTHON_UNITS); \
		TZ=$$zone npx --no-install vitest run tests/unit; \
	done

test-zones:
	@for zone in $(ZONES); do \
		echo "All tests in the time zone $$zone"; \
		TZ=$$zone $(MAKE) --no-print-directory python-test node-test; \
	done
	@$(MAKE) --no-print-directory zone-test

# Two at a time; the longest first.
check: build
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target eslint unit-test typecheck prettier arrows unused \
		check-protocol python-lint python-units

bundle-after-python: python-test
	@$(MAKE) --no-print-directory test-bundle

# Two at a time: each of them waits more than it computes. What measures times comes last in
# node-test, when the other has long ended.
test: test-tools
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory --jobs=2 node-test bundle-after-python
	@echo "All checks and tests have passed."

test-nightly: export TEST_TIER := nightly
test-nightly: test-tools
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory --jobs=2 node-test bundle-after-python
	@$(MAKE) --no-print-directory test-zones TEST_TIER=daily
	@$(MAKE) --no-print-directory simulation
	@$(MAKE) --no-print-directory chaos SECONDS=600
	@$(MAKE) --no-print-directory pairs ROUNDS=200
	@echo "All checks and tests of the night have passed."

simulation: setup
	@node scripts/simulate.mjs $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos: build
	@node scripts/chaos.mjs --seconds "$(SECONDS)" --seed "$(SEED)"

pairs: build
	@node scripts/pairs.mjs --rounds "$(ROUNDS)" --seed "$(SEED)"

mutation: setup
	node scripts/mutation.mjs $(ARGS)

pictures: build test-tools
	@node scripts/pictures.mjs

bench-%: build
	@node scripts/bench.mjs $* $(ARGS)

clean:
	rm -rf dist .bundle .demo .bench .mutation coverage
