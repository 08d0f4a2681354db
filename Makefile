# Two commands do everything: `make run` and `make test`.  Only Python (3.10 or newer)
# and make have to be there.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
JOBS ?= auto --maxprocesses 4
MADE_OF := setup.cfg pyproject.toml

help:
	@echo 'make run     serve a demonstration on 127.0.0.1 (IMAP_PORT=1143 IMAPS_PORT=1993 IMAPD_HOME=var)'
	@echo 'make test    run every test (ARGS=tests/auth runs some, JOBS=0 one after the other)'
	@echo 'make check   lint, formatting, types, layers'
	@echo 'make fuzz    search for input that breaks the parsers, until Ctrl-C'
	@echo 'make drill   kill -9 the server under load, hundreds of times (ARGS="--rounds 50 --seed 1")'
	@echo 'make bench   measure; make clean removes what these made, but no mail'

run: $(VENV)/installed
	$(BIN)/imapd demo $(if $(IMAP_PORT),--imap-port $(IMAP_PORT)) $(if $(IMAPS_PORT),--imaps-port $(IMAPS_PORT)) $(ARGS)

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: lint types layers

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

layers: $(VENV)/installed-test
	$(BIN)/python -m pytest -q tests/test_layers.py

fuzz: $(VENV)/installed-fuzz
	$(BIN)/python -m tests.fuzz $(ARGS)

drill: $(VENV)/installed-test
	$(BIN)/python -m tests.drills $(ARGS)

bench: $(VENV)/installed-test
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/interop/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment, and in it this tree; anew when what it depends on has changed.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("imapd needs Python 3.10 or newer: make PYTHON=python3.12" if sys.version_info < (3, 10) else 0)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo 'no virtual environment: on Debian and Ubuntu, apt-get install python3-venv' >&2; exit 1; }

$(VENV)/installed: $(MADE_OF) | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-%: $(MADE_OF) | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@ $(VENV)/installed

.PHONY: help run test check lint types layers fuzz drill bench clean
