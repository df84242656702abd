# python3 >= 3.10 and make are all this needs; everything else goes into .venv.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PAGES := README.md fake_server/README.md fake_server/DEVIATIONS.md
# Tests and benchmarks start hundreds of processes, each of which would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test check static covered audit dist soak bench fix serve cassettes clean

help: ## Show what there is to make
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/.runtime ## Ask about a photo, against the fake server
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: .venv/.dev tests/node/node_modules/.installed ## Run all tests
	$(BIN)/python -m pytest -n auto

check: static covered ## Everything that CI runs: format, lint, types, layers, README, tests, coverage

static: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog -I . --check $(PAGES)

covered: .venv/.dev tests/node/node_modules/.installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

audit: .venv/.dev ## Look whether a version that is used here was withdrawn; make check knows those with advisories
	$(BIN)/python .ci/withdrawn.py

dist: .venv/.dev ## Build the wheel and the sdist, and run the demo from the wheel alone
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
	$(BIN)/python -m venv dist/venv
	dist/venv/bin/python -m pip install --quiet "$$(echo dist/*.whl)[fake]"
	dist/venv/bin/python -m pip check
	@PATH="$(CURDIR)/dist/venv/bin:$$PATH" sh examples/demo.sh

soak: .venv/.dev .soak/.ready ## Hand a million made-up inputs to the fake and the plugin
	$(BIN)/python -m tests.soak 250000
	@rm -f .soak/url; $(BIN)/python -m fake_server > .soak/url & trap "kill $$!" EXIT; \
	until [ -s .soak/url ]; do sleep 0.1; done; \
	.soak/bin/schemathesis --config-file tests/schemathesis.toml run \
		"$$(sed 's,/v1$$,/openapi.json,' .soak/url)" --header 'Authorization: Bearer any'

bench: .venv/.dev .bench/.ready ## Measure the plugin and the fake against their peers
	@command -v wrk >/dev/null || { echo "make bench needs wrk, which Debian has." >&2; exit 1; }
	$(BIN)/python benchmarks/startup.py 21
	$(BIN)/python benchmarks/commands.py 11
	$(BIN)/python benchmarks/large_images.py 15
	$(BIN)/python benchmarks/streaming.py 5
	$(BIN)/python benchmarks/fake.py 5
	$(BIN)/python benchmarks/growth.py 9
	.bench/llm/bin/python benchmarks/fixture.py 21

fix: .venv/.dev ## Format, mend what can be mended, and write the tables of the pages
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/cog -I . -r $(PAGES)

serve: .venv/.runtime ## Run the fake server by hand
	$(BIN)/python -m fake_server

cassettes: .venv/.dev ## Record cassettes/fake again
	rm -f cassettes/fake/*.yaml
	RECORD_CASSETTES=1 $(BIN)/python -m pytest tests/test_cassettes.py

clean: ## Remove the virtual environment and what tools left behind
	rm -rf .venv .bench .soak .schemathesis dist tests/node/node_modules .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
		|| { echo "Python 3.10 or later is needed: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv \
		|| { echo "$(PYTHON) cannot make virtual environments (Debian: install python3-venv)"; exit 1; }

.venv/.runtime: pyproject.toml | .venv/bin/pip
	@echo "Setting up .venv: once, and again when pyproject.toml changes."
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable '.[fake]'
	@touch $@

# Where there is no Node, the tests of its clients say that they are skipped.
tests/node/node_modules/.installed: tests/node/package.json
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then cd tests/node && npm install --loglevel=error; fi
	@touch $@

# A program of its own: pytest would load its plugin in every run.
.soak/.ready: | .venv/bin/pip
	@$(BIN)/python -m venv .soak
	@.soak/bin/python -m pip install --quiet 'schemathesis==4.32.5'
	@touch $@

.bench/.ready: | .venv/bin/pip
	@$(BIN)/python -m venv .bench
	@.bench/bin/python -m pip install --quiet 'mockllm==0.0.8' 'pytest-httpserver==1.2.0'
	@$(BIN)/python -m venv .bench/llm
	@.bench/llm/bin/python -m pip install --quiet --editable '.[fake]' pytest 'pytest-httpserver==1.2.0' 'llm-grok==1.4.2' 'llm-gemini==0.35' 'llm-anthropic==0.30'
	@npm install --prefix .bench --no-package-lock --loglevel=error '@copilotkit/aimock@1.43.0' \
		'@stoplight/prism-cli@5.14.2' 'wiremock@3.13.2'
	@touch $@

.venv/.dev: .venv/.runtime
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@
