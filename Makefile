# Linli. `make` alone says what there is.

PYTHON ?=
BIN := .venv/bin
REQUIREMENTS := provisioning/requirements
PACKAGES := provisioning/system/packages.sh
ENVIRONMENT := provisioning/system/environment.sh
STEP := provisioning/system/step.sh
ASSETS := provisioning/system/assets.sh
CATALOGUES := $(wildcard portal/translations/*/LC_MESSAGES/*.po)
COMPILED := $(CATALOGUES:.po=.mo)
NEEDS_SERVICES := broker or postgres or telemetry or browser or fault or system

MAKEFLAGS += --no-print-directory
export PYTHON

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
.PHONY: help env test-env run check test format format-check lint types imports contract \
  translations translations-check assets assets-check migrations quick-tests screenshots lock packages clean

help: ## what there is (this text)
	@printf 'Linli runs a residential community. Two commands: make run, then look at what it prints.\n\n'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' Makefile
	@printf '\nmake env PYTHON=/path/to/python3.12 builds with that Python; make lock UPGRADE=1 takes newest versions.\n'

# --- environment -----------------------------------------------------------------------------

env: .venv/run.stamp $(COMPILED) ## build .venv with .venv/bin/linli (a moment when it is there)
	@printf 'Ready: $(BIN)/linli\n'

test-env: .venv/test.stamp $(COMPILED) ## the same with what the checks and tests need

.venv/run.stamp: pyproject.toml $(REQUIREMENTS)/lock.txt $(REQUIREMENTS)/bootstrap.txt $(ENVIRONMENT)
	@printf 'Building .venv\n'
	@$(ENVIRONMENT) .venv $(REQUIREMENTS)/lock.txt
	@touch $@

.venv/test.stamp: pyproject.toml $(REQUIREMENTS)/lock-test.txt $(REQUIREMENTS)/bootstrap.txt $(ENVIRONMENT)
	@printf 'Building .venv with the test tools\n'
	@$(ENVIRONMENT) .venv $(REQUIREMENTS)/lock-test.txt
	@touch .venv/run.stamp $@

%.mo: %.po | .venv/run.stamp
	@$(BIN)/pybabel -q compile --statistics -i $< -o $@

packages: ## install the Debian packages that the tests need (root), or say which are missing
	@$(PACKAGES) install test

# --- run -------------------------------------------------------------------------------------

run: env ## start a whole demo community and print its addresses and sign-ins; Ctrl-C stops it
	@$(PACKAGES) offer run
	@$(BIN)/linli up --demo

# --- checks ----------------------------------------------------------------------------------

check: test-env ## fast checks and the tests that need no service, side by side, all faults at once
	@$(MAKE) -j2 --output-sync=target --keep-going SIDE_BY_SIDE=1 \
	  quick-tests types format-check lint imports contract translations-check

test: export LINLI_TEST_REQUIRE := 1
test: ## install what is needed, then every check and every test, on real services
	@$(STEP) 'system packages' $(PACKAGES) install test
	@$(STEP) 'environment' $(MAKE) test-env
	@$(MAKE) format-check lint types imports contract translations-check assets-check migrations
	@$(MAKE) quick-tests
	@$(STEP) 'tests on real services' $(BIN)/python -m pytest --durations=15 -m '$(NEEDS_SERVICES)'

format-check: | .venv/test.stamp
	@$(STEP) 'format' $(BIN)/ruff format --check --quiet .

lint: | .venv/test.stamp
	@$(STEP) 'lint' $(BIN)/ruff check --quiet .

types: | .venv/test.stamp
	@$(STEP) 'types' $(BIN)/mypy

imports: | .venv/test.stamp
	@$(STEP) 'import rules' $(BIN)/lint-imports

contract: | .venv/test.stamp
	@$(STEP) 'contract is generated' $(BIN)/linli contract generate --check

translations-check: | .venv/test.stamp
	@$(STEP) 'translations' $(BIN)/python -m provisioning.translations check
	@$(STEP) 'nothing said without translation' $(BIN)/python -m provisioning.literals

# Where Node.js or its packages cannot be had (exit code 3), it says so and the sums of the sources,
# which the tests compare without Node.js, have to do.
assets-check:
	@$(STEP) 'front-end files are built' sh -c '$(ASSETS) check || [ $$? -eq 3 ]'

migrations: | .venv/test.stamp
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export LINLI_DATA_DIR="$$folder" && \
	$(STEP) 'migrations up' $(BIN)/linli db upgrade && \
	$(STEP) 'models and migrations agree' $(BIN)/linli db check

quick-tests: | .venv/test.stamp
	@$(STEP) 'quick tests' $(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'not ($(NEEDS_SERVICES))'

SCREENS ?= .cache/screens

screenshots: test-env ## a picture of every page at 360, 768 and 1280 px in both languages, into .cache/screens
	@mkdir -p $(SCREENS)
	@rm -f $(SCREENS)/*.png
	@$(STEP) 'pictures of all pages' env LINLI_TEST_REQUIRE=1 SCREENS=$(abspath $(SCREENS)) \
	  $(BIN)/python -m pytest -q --timeout=0 tests/browser/test_every_page.py
	@printf 'Look at them: %s\n' '$(abspath $(SCREENS))'

# --- upkeep ----------------------------------------------------------------------------------

assets: ## build the portal's style sheets and scripts and copy its npm packages (needs Node.js)
	@$(ASSETS) build

format: .venv/test.stamp ## format the code and repair what ruff can
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

translations: .venv/test.stamp ## take new strings into the catalogues and compile them
	@$(BIN)/python -m provisioning.translations update
	@$(MAKE) env

UV_COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-annotate --no-header $(if $(UPGRADE),--upgrade) pyproject.toml

lock: .venv/bin/uv ## pin all packages anew after a change of pyproject.toml
	@$(UV_COMPILE) -o $(REQUIREMENTS)/lock.txt
	@$(UV_COMPILE) --extra test -c $(REQUIREMENTS)/lock.txt -o $(REQUIREMENTS)/lock-test.txt

# Not by the stamp: a lock that no longer fits must not stand in the way of its own renewal.
.venv/bin/uv:
	@$(ENVIRONMENT) .venv

clean: ## remove what was built; the data folder stays
	@rm -rf .venv .cache build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	@rm -f $(COMPILED)
