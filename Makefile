# Everything that is done with a checkout. `make` alone lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help build serve test test-python test-fuzz bench bench-adapt bench-compare load soak wheel lint format docs clean

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
NPM := scripts/npm.sh run --silent

# Hundreds of processes start: what the first has compiled of the Python code is kept for the others.
unexport PYTHONDONTWRITEBYTECODE

# $(call halves,MARKS): pytest in two halves. The first shares all cores, with one process more than there are, for some
# tests only wait; the second, what measures time or drives browsers (the marker "alone"), has them for itself. Both run,
# whatever comes of the first; either may fail the whole.
TOGETHER := -n $(shell expr $$(nproc) + 1) --maxprocesses 8 --dist loadfile --no-loadscope-reorder
halves = @failed=0; \
	$(PYTEST) $(TOGETHER) -m "not alone$(1)" || failed=$$?; \
	$(PYTEST) -m "alone$(1)" || failed=$$?; \
	exit $$failed

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

build: ## make .venv/bin/simplestchat ready to run: Debian packages, .venv, browser client, native core (release)
	@scripts/bootstrap.sh build

serve: build ## build, then run the server; takes SIMPLESTCHAT_* settings, e.g. SIMPLESTCHAT_PORT=9000 make serve
	@exec $(BIN)/simplestchat serve

test: lint ## run everything that must pass: lint, the browser client's tests, then pytest with real browsers
	@$(NPM) test
	$(call halves)

test-python: .tools ## run pytest without real browsers
	$(call halves, and not e2e)

test-fuzz: .tools ## run the fuzz targets
	@$(PYTEST) tests/fuzz

bench: .yardstick ## run the benchmarks; writes bench-output/bench.json with the machine's description
	@mkdir -p bench-output
	@$(PYTEST) bench --benchmark-json=bench-output/bench.json

bench-compare: .tools ## say whether this tree is more than 5 % slower than revision REV, e.g. make bench-compare REV=main
	@PYTHONPATH=bench $(BIN)/python -P -m compare $(or $(REV),HEAD)

bench-adapt: .tools ## say whether media adapts as it should: congestion, loss, sharing, a conference, its cost, Chromium; 20 minutes
	@PYTHONPATH=bench:tests $(BIN)/python -P -m adapt

load: .tools ## run the load suite: every scenario, a thousand users, the capacity search; reports go to load-reports/
	@scripts/load.sh

soak: .tools ## run the soak scenario: two hours
	@$(BIN)/simplestchat load scenarios/soak.toml

wheel: .tools ## build source distribution and wheel, pack its libraries in, install and try it: dist/, wheelhouse/
	@scripts/wheel.sh

lint: .tools ## run ruff, mypy and the browser client's type check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(NPM) check

format: .tools ## format the Python code and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: .tools ## write the generated pages of docs/ anew
	@$(BIN)/python -m simplestchat.signaling.docs
	@$(BIN)/python -m simplestchat.load.docs
	@$(BIN)/python -m simplestchat.config.docs > docs/settings.md
	@$(BIN)/python scripts/tables.py
	@$(BIN)/python scripts/licenses.py

clean: ## remove what was built, but for .venv
	rm -rf build dist wheelhouse bench-output test-output *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf simplestchat/static simplestchat/load/assets simplestchat/web/node_modules
	find simplestchat bench tests scripts -name __pycache__ -prune -exec rm -rf {} +
	find simplestchat/_native -name '*.so' -delete
	find _native \( -name '*.c' -o -name '*.html' \) -delete

.PHONY: .tools .yardstick
.tools:
	@scripts/bootstrap.sh test

.yardstick:
	@scripts/bootstrap.sh bench
