# Two commands matter: `make demo` and `make test`. Everything else serves them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
WEB := src/farolito/console/web
CHROMIUM ?= /usr/bin/chromium
PORT ?= 8700

help: ## What there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP)/python $(WEB)/index.html $(STAMP)/locator $(STAMP)/encoder ## Install everything a node needs; the command is .venv/bin/farolito

demo: setup ## The practice metro at http://localhost:8700
	$(BIN)/farolito demo --port $(PORT)

test: setup $(STAMP)/dev $(STAMP)/provider $(CHROMIUM) ## Set up and pass every test
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder
	cd console-web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent test

check: setup $(STAMP)/dev ## Style, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd console-web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check

web: ## Build the front end anew
	rm -rf $(WEB)
	$(MAKE) $(WEB)/index.html

COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 --no-header pyproject.toml

lock: | $(BIN)/python ## Renew the hashed requirement files
	$(BIN)/pip install --quiet uv
	$(COMPILE) --extra dev -o requirements/dev.txt
	$(COMPILE) --extra build --extra bench -c requirements/dev.txt -o requirements/run.txt

clean: ## Remove what was built
	rm -rf $(VENV) $(WEB) console-web/node_modules

# Debian keeps venv apart from Python; as root we fetch it, others are told.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Farolito needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv; } || { echo "install python3-venv first"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(STAMP)/python: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p $(STAMP) && touch $@

$(STAMP)/dev: requirements/dev.txt $(STAMP)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@mkdir -p $(STAMP) && touch $@

# Loops are compiled once and kept beside their files, not when the first shot falls. A kept loop does not notice that one of another file, which it calls, has changed: all go.
$(STAMP)/locator: $(wildcard src/farolito/acoustics/*.py) src/farolito/kernel.py $(STAMP)/python
	rm -f src/farolito/acoustics/__pycache__/*.nb?
	$(BIN)/python -m farolito locator --compile
	@touch $@

$(STAMP)/encoder: $(wildcard src/farolito/codec/encoder*.py) src/farolito/kernel.py $(STAMP)/python
	rm -f src/farolito/codec/__pycache__/encoder*.nb?
	$(BIN)/python -m farolito simulate-cameras --compile
	@touch $@

FRONT := $(shell find console-web -path '*/node_modules' -prune -o -type f -print 2>/dev/null)

# Node.js comes as a Python wheel, so nobody installs it.
$(WEB)/index.html: $(FRONT) $(STAMP)/python
	cd console-web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	cd console-web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build
	@touch $@

# The identity provider that sign-in is tried against; `tests/identity/provider` has its lock file.
$(STAMP)/provider: tests/identity/provider/package-lock.json $(STAMP)/dev
	cd tests/identity/provider && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(CHROMIUM):
	@[ "$$(id -u)" = 0 ] || { echo "install Debian's chromium first: sudo apt-get install chromium"; exit 1; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium

.PHONY: help setup demo test check web lock clean
