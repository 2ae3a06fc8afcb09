# Both main commands need Python >= 3.11 and nothing else: they make .venv and install into it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test processes: `make test WORKERS=4`. One that has nothing left takes over half of what another has.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test lint slow clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(VENV)/.play  ## from nothing to sound steered by a gesture and a coverage report, in demo-out/
	$(BIN)/gesturemap demo --out demo-out

test: $(VENV)/.dev  ## the tests, in WORKERS=2 processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/.dev  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: $(VENV)/.dev  ## the longer tests
	$(BIN)/python -m pytest -m slow

clean:  ## remove .venv and what the demo made
	rm -rf $(VENV) demo-out

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python {v.major}.{v.minor} found, 3.11 or newer needed: make PYTHON=/path/to/python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# Silenced: setuptools warns of every editable install that is not a src/ layout.
INSTALL := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable

$(VENV)/.play: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) '.[train]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) '.[all,dev]'
	@touch $@
