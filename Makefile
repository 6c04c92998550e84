# Everything one does here. All it needs is Python 3.11 or later; Node 20, too, for `make graphiql` and
# `make federation`, and for the tests of client libraries and routers, which are skipped without.

VENV := .venv
PYTHON := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A name on the PATH may be an empty promise, so each is tried.
FIND_PYTHON = for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$python; exit; }; done; \
	echo "Python 3.11 or later with venv is needed (on Debian: apt install python3-venv)." >&2; exit 1

.PHONY: help serve test federation bench fuzz lock schema schemas graphiql clean-data

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

serve: $(VENV)/installed  ## the directory, with its data, on http://127.0.0.1:8000/graphql
	@exec $(PYTHON) server.py serve

test: $(VENV)/installed-dev  ## what has to pass before a commit is merged
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest --numprocesses=2 --dist=loadscope --no-loadscope-reorder --durations=30

federation: $(VENV)/installed  ## four subgraphs and a router on http://127.0.0.1:4000/graphql
	@exec $(PYTHON) -m federation

bench: $(VENV)/installed-dev  ## this server beside others, in a table
	$(PYTHON) -m tests.benchmarks

fuzz: $(VENV)/installed-dev  ## many more generated operations than `make test` runs
	HYPOTHESIS_PROFILE=fuzz $(PYTHON) -m pytest -k generated

schema: $(VENV)/installed  ## prints the schema
	@$(PYTHON) server.py schema

SUBGRAPHS = institutions visiting programs providers

schemas: $(VENV)/installed  ## prints it, and those of the subgraphs, into schema/sdl/
	$(PYTHON) server.py schema > schema/sdl/directory.graphql
	for name in $(SUBGRAPHS); do \
		$(PYTHON) server.py schema --subgraph $$name > schema/sdl/$$name.graphql || exit; done

clean-data: $(VENV)/installed  ## drops the embedded Postgres and all that is in it
	@$(PYTHON) server.py clean-data

graphiql:  ## builds the GraphiQL page from its npm packages
	cd web/graphiql && npm ci --ignore-scripts --no-audit --no-fund && npm run build

lock: $(VENV)/installed-dev  ## pins the newest versions that pyproject.toml allows, with their hashes
	$(PYTHON) -m pip install --quiet pip-tools
	$(LOCK) --output-file requirements.txt pyproject.toml
	$(LOCK) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml

LOCK = $(PYTHON) -m piptools compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --annotation-style line --no-emit-index-url --no-emit-find-links

$(VENV)/installed: requirements.txt
	@test -x $(PYTHON) || { python=$$($(FIND_PYTHON)) && $$python -m venv $(VENV); }
	$(PYTHON) -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	$(PYTHON) -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@
