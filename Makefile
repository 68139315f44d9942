# make setup          install everything into this checkout (needs the network the first time)
# make bundle         one archive in dist/ that installs without network: see docs/operation.md
# make demo           database, simulated data-taking, manager, real processing, live status
#                     RUNS=3 EXIT=1: take three runs, wait for them, exit 0 if all are done
#                     CONFIG=examples/paddles/paddles.toml: with another detector, see docs/your-experiment.md
# make test           all checks and tests
# make test-bundle    of these the one that installs the bundle without network, and takes runs with it
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
.PHONY: setup build bundle demo test test-bundle lint check-protocol typecheck python-lint python-test node-test test-tools zone-test test-zones \
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
# Further options of `bootstrax demo` or of a benchmark.
ARGS ?=

# One west of Greenwich with summer time, one east of it that is not a whole number of hours away.
ZONES := America/Chicago Asia/Kathmandu
# Python tests that start no process.
PYTHON_UNITS := $(addprefix worker/tests/test_,worker_units.py simulator_live_data.py)

# Beside the package of the worker.
OTHER_PYTHON := examples scripts tests

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

bundle: setup
	@scripts/bundle.sh

demo: build
	@bin/bootstrax $(if $(CONFIG),--config $(CONFIG)) demo --runs $(RUNS) $(if $(EXIT),--exit) $(ARGS)

lint: build typecheck check-protocol python-lint
	npx --no-install eslint .
	npx --no-install prettier --check .
	npx --no-install depcruise --config .dependency-cruiser.cjs src

typecheck: setup
	npx --no-install tsc --noEmit
	npx --no-install tsc --noEmit -p web
	npx --no-install tsc --noEmit -p tests/browser
	npx --no-install tsc --noEmit -p bench

check-protocol: setup
	@scripts/check-protocol.sh

python-lint: setup
	$(PYTHON) -m ruff check worker
	$(PYTHON) -m ruff format --check worker
	$(PYTHON) -m ruff check --config worker/pyproject.toml $(OTHER_PYTHON)
	$(PYTHON) -m ruff format --check --config worker/pyproject.toml $(OTHER_PYTHON)

python-test: setup
	PYTHONPATH=worker $(PYTHON) -m pytest -q worker/tests

node-test: build test-tools
	@scripts/node-test.sh

test-tools:
	@scripts/test-tools.sh

zone-test: setup test-tools
	@for zone in $(ZONES); do \
		echo "Unit tests in the time zone $$zone"; \
		TZ=$$zone PYTHONPATH=worker $(PYTHON) -m pytest -q $(PYTHON_UNITS); \
		TZ=$$zone npx --no-install vitest run tests/unit; \
	done

test-zones:
	@for zone in $(ZONES); do \
		echo "All tests in the time zone $$zone"; \
		TZ=$$zone SIMULATION_SEEDS=500 $(MAKE) --no-print-directory python-test node-test; \
	done

# Two at a time: each of them waits more than it computes. What measures times comes last in
# node-test, when python-test has long ended.
test:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory --jobs=2 python-test node-test
	@$(MAKE) --no-print-directory --jobs=2 zone-test test-bundle
	@echo "All checks and tests have passed."

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
