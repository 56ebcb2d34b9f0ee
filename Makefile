# Two commands for a new machine: `make demo` and `make test`. Both set up everything in .venv first.
# All that is needed is Python 3.11 or newer (PYTHON=python3.13 picks another one), pip and make.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# The tests start Python hundreds of times: what it compiles is kept, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
PIP := $(RUN) pip --disable-pip-version-check --quiet
# The locks are complete: pip has nothing to choose. Where it resolves, an older one takes the newest release
# for a package that is wanted with an extra, and then misses that one's hash.
LOCKED := $(PIP) install --no-deps --require-hashes
SOURCES := $(shell find bot queue config -name '*.py' -o -name '*.j2' -o -name '*.txt' -o -name '*.env' -o -name '*.toml' -o -name '*.po' -o -path 'bot/web/*/*' | sort)

.PHONY: help install develop demo browser test fuzz check bench fleet soak languages messages lock docs release release-test clean

help:  ## show what can be made
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@echo "setting up $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Threadcast needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv "$(VENV)"

# The editable install is a tree of links to our files: it is made again when a file comes or goes,
# and not when one is edited.
.PHONY: force
force:
build/sources: force
	@mkdir -p build
	@printf '%s\n' $(SOURCES) | cmp -s - "$@" || printf '%s\n' $(SOURCES) > "$@"

$(VENV)/runtime.stamp: requirements.lock | $(BIN)/python
	@echo "installing what Threadcast runs on (a minute, once) …"
	@$(LOCKED) -r requirements.lock
	@touch "$@"

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/runtime.stamp
	@echo "installing what the tests need (a minute, once) …"
	@$(LOCKED) -r requirements-dev.lock
	@touch "$@"

$(VENV)/package.stamp: pyproject.toml build/sources $(VENV)/runtime.stamp
	@$(PIP) install --no-index --no-deps --no-build-isolation --config-settings editable_mode=strict -e .
	@touch "$@"

install: $(VENV)/package.stamp  ## set up .venv to run Threadcast

develop: $(VENV)/dev.stamp $(VENV)/package.stamp  ## set up .venv to work on Threadcast

demo: install  ## publish the sample threads on two local channels and show the page
	@$(BIN)/python -m threadcast.bot demo

# The rooms that decide are pure, and no branch of them goes untested.
PURE := */queue/text/*,*/queue/compose/*,*/queue/states.py,*/config/schedule/*,*/bot/chat/views/*

# Four processes on two cores: the tests wait about as long as they compute. One that is done takes over
# what others have still before them.
PYTEST := $(RUN) pytest -n $(shell echo $$(( $$(nproc) * 2 ))) --dist worksteal

test: develop  ## run every test, with coverage (ARGS="-k parse" runs a part, without it)
ifdef ARGS
	@$(PYTEST) $(ARGS)
else
	@mkdir -p build && $(RUN) coverage erase
	@$(PYTEST) --durations=20 --durations-min=3 --cov --cov-report= | tee build/test.log
	@$(RUN) coverage report --skip-covered --fail-under=95
	@$(RUN) coverage report --include='$(PURE)' --fail-under=100
	@tail -n 1 build/test.log
endif

AXE := 4.10.3
build/axe.min.js:
	@mkdir -p build/axe
	@cd build/axe && npm pack --silent axe-core@$(AXE) > packed && tar -xzf "$$(cat packed)"
	@cp build/axe/package/axe.min.js "$@"

browser: build/axe.min.js  ## set up what the page is tested with: Chromium (as root) and axe-core
	@command -v chromium > /dev/null || { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium > /dev/null; }

bench: develop  ## measure how fast it is: one table, twenty minutes (ARGS="--json", ARGS="chains queue")
	@$(RUN) pytest -q -m slow tests/benchmarks
	@$(RUN) tests.benchmarks $(ARGS)

fleet: develop  ## publish 300 chains on three services with one PostgreSQL, and kill one in the middle
	@$(RUN) tests.benchmarks.fleet $(ARGS)

soak: develop  ## kill the service a thousand times and count what came of it (TIME=5 minutes, FLEET=3 machines)
	@$(RUN) tests.faults $(if $(TIME),--minutes $(TIME)) $(if $(FLEET),--fleet $(FLEET)) $(ARGS)

fuzz: develop  ## throw 100,000 bad files, settings, answers and commands at it: one table (ARGS="20000 commands")
	@nice $(RUN) tests.faults.fuzz $(ARGS)

check: develop  ## lint, types, layers, docs
	@$(RUN) ruff format --check --quiet .
	@$(RUN) ruff check --quiet .
	@$(RUN) mypy -p threadcast.bot -p threadcast.queue -p threadcast.config
	@$(RUN) mypy tests release/build.py docs/generated.py docs/diagrams.py
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command as c; c()'
	@$(MAKE) --no-print-directory docs
	@echo "check: all well"

docs: develop  ## build the documentation into docs/_build
	@$(BIN)/python docs/generated.py
	@$(RUN) sphinx -q -W --keep-going -b html docs docs/_build
	@echo "the documentation: docs/_build/index.html"

# Of what git has at HEAD; the Debian package for the Python and the architecture of this machine.
release: develop  ## make wheel, sdist, Debian package, list of components and sums in build/release
	@$(BIN)/python release/build.py $(ARGS)

release-test: develop  ## make a release twice, install and run each of it, on every Python there is (minutes)
	@RELEASE=1 $(PYTEST) tests/release $(ARGS)

languages: develop  ## play every transcript in every language (in each run of the tests: in one)
	@EVERY_LANGUAGE=1 $(PYTEST) tests/bot/chat/test_transcripts.py

messages: develop  ## put the sentences of the code into every catalogue of bot/languages/po
	@$(RUN) tests.bot.languages.messages

lock:  ## choose versions anew and lock them with hashes
	@$(RUN) uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 pyproject.toml --group build -o requirements.lock
	@$(RUN) uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-emit-index-url \
		--python-version 3.11 pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

clean:  ## remove what was made, the environment included
	@rm -rf "$(VENV)" build docs/_build .demo .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache
