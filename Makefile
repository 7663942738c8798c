# Needs only python3 (3.11 or later) and make; what else is needed goes into .venv.
#
#   make run        install, load the example fleet, serve it and print the addresses
#   make test       install what the tests need, run them all
#   make check      lint, formatting, types
#   make campaign   every benchmark and seeded campaign at full count -> benchmarks/results/
#
# ARGS is handed on: make run ARGS=--no-serve, make test ARGS='-k roundtrip', make campaign ARGS='--seed 7'

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check --no-input
ARGS ?=

.PHONY: run test check campaign install debian clean
.DELETE_ON_ERROR:

run: $(VENV)/.run
	$(BIN)/battpass demo $(ARGS)

test: $(VENV)/.test debian
	$(BIN)/python -m pytest -n auto $(ARGS)

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p battpass

campaign: $(VENV)/.test
	$(BIN)/python -m benchmarks $(ARGS)

install: $(VENV)/.test

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "BattPass needs Python 3.11 or later, and $(PYTHON) is not. Name one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) comes without venv and ensurepip. On Debian and Ubuntu: apt-get install python3-venv;" \
	       "or name another Python: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The package alone, in place: what it takes to run.
$(VENV)/.run: pyproject.toml | $(VENV)/.python
	@echo "Installing battpass into $(VENV) (about half a minute)"
	@$(PIP) install --editable .
	@touch $@

# The same with everything that the tests and checks use.
$(VENV)/.test: pyproject.toml | $(VENV)/.python
	@echo "Installing battpass and what its tests use into $(VENV) (about a minute)"
	@$(PIP) install --editable '.[test]'
	@touch $@ $(VENV)/.run

# Page tests drive a Chromium. Where it is missing and cannot be installed here, those tests say so and skip.
debian:
	@if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  echo "Installing chromium for the page tests"; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -qq -y --no-install-recommends chromium; } </dev/null >/dev/null 2>&1 \
	  || echo "chromium could not be installed; the page tests will skip" >&2; fi

clean:
	rm -rf $(VENV) build dist
