# Every target installs what it needs into .venv; nothing else has to be run first.

PYTHON ?= $(firstword $(foreach v,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(v) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help test test-wheel bench bench-service timing fuzz lint format coverage demo demo-nginx bench-report clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable ".[all]" --group dev
	@touch $@

# One more than small machines have cores: tests wait for servers as much as they compute.
JOBS ?= 3
PYTEST = pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test: $(VENV)/.installed ## run all tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m $(PYTEST) $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory coverage

# Programs around the gate: much of them runs in processes of their own, tested there.
APART := edgeauth/service/*,edgeauth/edge/*,edgeauth/cli/*,edgeauth/report/*,edgeauth/upkeep/*

coverage:
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	@echo "The core and the adapters, all of them and every branch:"
	$(BIN)/coverage report --omit='$(APART)' --fail-under=100

bench: $(VENV)/.installed ## edgeauth beside its peers; writes benchmarks/RESULTS.md
	$(BIN)/python benchmarks/bench.py

timing: $(VENV)/.installed ## does the time of a refusal tell how much of a signature was right?
	$(BIN)/python benchmarks/timing.py

FUZZ_SECONDS ?= 20

fuzz: $(VENV)/.installed ## coverage-guided fuzzing, FUZZ_SECONDS a target
	$(BIN)/pip install --quiet --group fuzz
	for target in $(notdir $(wildcard fuzz/corpus/*)); do \
	    $(BIN)/python fuzz/run.py $$target -max_total_time=$(FUZZ_SECONDS) -max_len=512 -verbosity=0 -print_final_stats=1 || exit 1; \
	done

test-wheel: $(VENV)/.installed ## the tests against the built wheel, on every Python there is
	$(BIN)/python tools/test_wheel.py

.PHONY: edge-tools test-edge
edge-tools: ## install the simulators of the edge; Viceroy compiles for 10 to 20 minutes
	tools/install-edge-tools.sh
	-tools/install-falco.sh

test-edge: $(VENV)/.installed edge-tools ## the edge code in falco, Viceroy, cargo and a browser
	$(BIN)/python -m $(PYTEST) tests/edge

lint: $(VENV)/.installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Only what the demo needs, so that it is there soon; `make test` adds the rest.
$(VENV)/.demo-installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable ".[starlette,flask]" uvicorn gunicorn
	@touch $@

demo: $(VENV)/.demo-installed ## show the gate on real sockets
	@$(BIN)/python example_apps/demo.py

bench-report: $(VENV)/.installed ## time and peak memory of edgeauth report on a million decisions
	PYTHONPATH=tests $(BIN)/python benchmarks/million_decisions.py

format: $(VENV)/.installed ## let ruff rewrite the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

demo-nginx: $(VENV)/.installed ## nginx, the decision service and a static site, asked in all the ways
	PYTHONPATH=tests $(BIN)/python integrations/nginx/demo.py

bench-service: $(VENV)/.installed ## requests per second through nginx with the service and its alternatives
	PYTHONPATH=tests $(BIN)/python benchmarks/service.py

clean: ## remove everything that the targets made
	rm -rf $(VENV) dist .coverage* .mypy_cache .ruff_cache .pytest_cache
