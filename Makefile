# The two commands of the README are `make up` and `make test`. Everything they need is installed by them.
STACK ?= local
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
QHUB := $(VENV)/bin/qhub
TIMES ?= 1

.PHONY: help up down clean test browser check format snapshots reference corpus bench pins image-pins

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

up: $(VENV)/.up ## bring STACK (default: local) up: tools, embedded cluster, pulumi up; NODES=simulated runs no container
	@$(QHUB) up --stack $(STACK) $(if $(NODES),--nodes $(NODES))

down: $(VENV)/.up ## destroy STACK and stop its embedded cluster
	@$(QHUB) down --stack $(STACK)

test: $(VENV)/.test check ## run every test, about 40 minutes; the first time tools and images are built too (20 more)
	@$(QHUB) toolchain build
	@$(QHUB) images build
	@echo "Running every test, in two halves side by side: about 40 minutes on two cores"
	@$(VENV)/bin/python -m tests

browser: $(VENV)/.test ## run the browser tests; TIMES=20: those of the platform so often, on one that is brought up once
	@$(VENV)/bin/pytest tests/browser --times $(TIMES)

check: $(VENV)/.test ## formatting, lint and types
	@$(VENV)/bin/ruff format --check --quiet .
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ty check --quiet qhub stacks tests

format: $(VENV)/.test ## mend formatting and what lint can mend itself
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

snapshots: $(VENV)/.test ## renew the snapshots of the resource graphs and show what changed, for review
	@QHUB_UPDATE_SNAPSHOTS=1 $(VENV)/bin/pytest --quiet tests/graph/test_snapshots.py
	@git diff --stat -- tests/graph/snapshots
	@git diff --unified=2 -- tests/graph/snapshots

reference: $(VENV)/.test ## renew what is written from the models: docs/settings.md and the JSON Schemas for editors
	@$(QHUB) explain --markdown > docs/settings.md
	@$(QHUB) schema > docs/stack.schema.json
	@$(QHUB) schema --part > docs/stack-part.schema.json

corpus: $(VENV)/.test ## renew the expected messages of the corpus of wrong files and show what changed, for review
	@QHUB_UPDATE_CORPUS=1 $(VENV)/bin/pytest --quiet tests/unit/config/test_corpus.py
	@git diff --unified=1 -- tests/unit/config/corpus

bench: $(VENV)/.test ## measure; prints ratios and writes build/bench.json; ONLY="at work" takes those so called
	@$(VENV)/bin/python -m tests.bench $(ONLY)

clean: ## stop every embedded cluster of this checkout; remove all that was made or cached
	@if [ -x $(QHUB) ]; then $(QHUB) clean; fi
	@rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

pins: $(VENV)/.test ## renew the hashed pins from pyproject.toml
	@$(call pin,up,rehearsal)
	@$(call pin,test,dev)

image-pins: $(VENV)/.test ## renew the hashed pins of images/, and their Dockerfile
	@for image in hub gateway notebook ssh; do $(call pin_image,$$image) || exit 1; done
	@cd images/proxy && npm update --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --silent
	@$(QHUB) images dockerfile

$(VENV)/.up: requirements/up.txt pyproject.toml
	@$(call install,up,about 1 minute)

$(VENV)/.test: requirements/test.txt pyproject.toml
	@$(call install,test,about 1 minute)
	@touch $(VENV)/.up

# Hashes are checked, and nothing but the pins is installed: the build backend is pinned with the rest.
define install
	test -n "$(PYTHON)" || { echo "QHub needs Python 3.11 or newer: none is on PATH" >&2; exit 1; }; \
	"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "QHub needs Python 3.11 or newer: $(PYTHON) is $$("$(PYTHON)" --version). Set PYTHON=..." >&2; exit 1; }; \
	echo "Installing the Python packages of requirements/$(1).txt ($(2))"; \
	test -x $(VENV)/bin/python || "$(PYTHON)" -m venv $(VENV) || exit 1; \
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$(1).txt && \
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . && \
	touch $(VENV)/.$(1)
endef

# The pins name no registry, so that any mirror serves them.
define pin
	$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-annotate --custom-compile-command "make pins" --extra $(2) --group build \
		--output-file requirements/$(1).txt pyproject.toml
endef

# For the Python and the C library of Debian 12; the hashes are those of every processor's wheels.
define pin_image
	$(VENV)/bin/uv pip compile --quiet --upgrade --python-version 3.11 --python-platform x86_64-manylinux_2_36 \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make image-pins" \
		--only-binary :all: --output-file images/$(1)/requirements.txt images/$(1)/requirements.in
endef
