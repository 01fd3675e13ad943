# Every target installs what it needs into .venv; nothing else has to be run first.

PYTHON ?= $(firstword $(foreach v,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(v) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help check count options lock lock-check audit reproducible sbom test test-wheel bench figures bench-service timing soak fuzz mutation lint format coverage demo demo-nginx bench-report bench-reading clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

# From the lock alone: nothing is resolved, every file has the hash that was committed, and no
# code of a package runs to install it. uv does in seconds what takes pip a minute and more; pip
# follows where uv finds no index, since uv does not read pip's settings. Not isolated, the project is built by the locked
# hatchling; an isolated build would fetch and run the newest one, whatever its hash.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL_LOCKED := $(INSTALL) --require-hashes --only-binary :all: --requirement
INSTALL_PROJECT := $(INSTALL) --no-deps --no-build-isolation --editable .

$(VENV)/.installed: pyproject.toml requirements/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL_LOCKED) requirements/installer.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all: \
	    --requirements requirements/dev.txt || $(INSTALL_LOCKED) requirements/dev.txt
	$(INSTALL_PROJECT)
	@touch $@

lock: $(VENV)/.installed ## resolve anew what pyproject.toml asks for; UPGRADE=1 takes the newest of all
	$(BIN)/python tools/lock.py make $(if $(UPGRADE),--upgrade)

lock-check: $(VENV)/.installed ## does the lock have what pyproject.toml asks for?
	$(BIN)/python tools/lock.py check

# Twice what small machines have of cores: tests wait for servers as much as they compute.
JOBS ?= 4
PYTEST = pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder
# A test that hangs says where, and fails alone; the slowest takes two minutes on a busy machine.
PYTEST += -o faulthandler_timeout=600 -o faulthandler_exit_on_timeout=true

# Unit tests that start one program after another, or wait for one; `make test` runs them.
STARTS_PROGRAMS := test_decision_streams test_ahead test_completion test_other_systems test_progress test_command_line_page test_console_script test_example_apps test_faults doctor/test_app

check: $(VENV)/.installed ## the loop while you work: lint, types, unit tests, every adapter in process; under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/$(PYTEST) -q tests/unit tests/differential/test_in_process.py $(STARTS_PROGRAMS:%='--ignore-glob=*%*')

test: $(VENV)/.installed ## run all tests
	$(BIN)/coverage erase
	$(BIN)/coverage run -m $(PYTEST) $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory coverage

# Programs around the gate: much of them runs in processes of their own, tested there.
APART := edgeauth/service/*,edgeauth/ops/*

coverage:
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	@echo "The core and the adapters, all of them and every branch:"
	$(BIN)/coverage report --omit='$(APART)' --fail-under=100

bench: $(VENV)/.installed ## edgeauth beside its peers; writes benchmarks/RESULTS.md; BENCH=quick does not
	PYTHONPATH=tests $(BIN)/python benchmarks/bench.py

figures: $(VENV)/.installed ## write the figures that README.md and docs/ quote anew from RESULTS.md
	$(BIN)/python benchmarks/figures.py

timing: $(VENV)/.installed ## does the time of a refusal tell how much of a signature was right?
	$(BIN)/python benchmarks/timing.py

SOAK_SECONDS ?= 240

soak: $(VENV)/.installed ## app and service under hostile load and faults: do all counts agree? writes reports/soak.md
	PYTHONPATH=tests $(BIN)/python -m soak --seconds $(SOAK_SECONDS)

FUZZ_SECONDS ?= 20

fuzz: $(VENV)/.installed ## coverage-guided fuzzing, FUZZ_SECONDS a target, two at a time
	$(INSTALL_LOCKED) requirements/fuzz.txt
	printf '%s\n' $(notdir $(wildcard fuzz/corpus/*)) | PYTHONPATH=tests xargs -P 2 -I TARGET \
	    $(BIN)/python fuzz/run.py TARGET -max_total_time=$(FUZZ_SECONDS) -max_len=512 -verbosity=0 -print_final_stats=1

# Of each file's mutants as many; none means all. FILES names some of the files, CHANGED=1 those
# that the page is not about yet. A run that was stopped goes on.
SAMPLE ?=
CHANGED ?=

mutation: $(VENV)/.installed ## small mistakes in the trust base: does a test see each?
	$(INSTALL_LOCKED) requirements/mutation.txt
	$(BIN)/python mutation/run.py $(FILES) $(SAMPLE:%=--sample %) $(CHANGED:%=--changed) $(if $(filter command,$(origin JOBS)),--jobs $(JOBS))

CASES ?= 5000
SERVED ?= 10000
PROXIED ?= 2000
SEED ?=

.PHONY: differential
differential: $(VENV)/.installed ## raw requests, by SEED: CASES through every adapter here, SERVED to servers, PROXIED through proxies
	PYTHONPATH=tests $(BIN)/python -m differential.run --cases $(CASES) $(SEED:%=--seed %)
	PYTHONPATH=tests $(BIN)/python -m differential.over_sockets --cases $$(($(SERVED) / 100)) $(SEED:%=--seed %)
	PYTHONPATH=tests $(BIN)/python -m differential.kinds.run --cases $(CASES) --served $$(($(SERVED) / 3)) $(SEED:%=--seed %)
	PYTHONPATH=tests $(BIN)/python -m differential.routes.run --cases $(SERVED) $(SEED:%=--seed %)
	PYTHONPATH=tests $(BIN)/python -m differential.through_proxies --cases $(PROXIED) $(SEED:%=--seed %)

test-wheel: $(VENV)/.installed ## the tests against the built wheel (or WHEEL=), on every Python there is
	$(BIN)/python tools/test_wheel.py $(WHEEL_FLAGS) $(WHEEL)

.PHONY: edge-tools test-edge kubernetes-tools
edge-tools: ## install the simulators of the edge; Viceroy compiles for 10 to 20 minutes
	tools/install-edge-tools.sh
	-tools/install-falco.sh

kubernetes-tools: $(VENV)/.installed ## install Helm and build the image; the image on Debian 12 as root
	tools/install-helm.sh
	@if grep -qs '^VERSION_CODENAME=bookworm$$' /etc/os-release; then PYTHON=$(BIN)/python tools/build-image.sh; \
	else echo "The image was not built: it is of Debian 12, and is made there."; fi

test-edge: $(VENV)/.installed edge-tools ## the edge code in falco, Viceroy, cargo and a browser
	$(BIN)/python -m $(PYTEST) tests/edge

count: ## the lines of code of each shelf of ARCHITECTURE.md
	$(PYTHON) tools/count_lines.py

options: $(VENV)/.installed ## write what the code says of options and commands into docs/
	$(BIN)/python tools/option_tables.py
	$(BIN)/python tools/command_tables.py

# A warning is an error: a link that leads nowhere, an anchor that is none, a name without an entry.
.PHONY: docs
docs: $(VENV)/.installed ## the site of docs/, into build/docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky docs build/docs
	@echo "build/docs/index.html"

.PHONY: test-docs
test-docs: $(VENV)/.installed ## the site: links, reference, and a look at it in a browser
	$(BIN)/$(PYTEST) -q tests/docs

lint: $(VENV)/.installed lock-check ## ruff, mypy, the lock and the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --quiet --offline .github
	@if command -v go >/dev/null; then go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12; \
	else echo "actionlint was not run: it needs Go (go.dev/dl)"; fi

AUDIT_FLAGS ?=

audit: $(VENV)/.installed ## known vulnerabilities of the locked packages; asks a service
	$(BIN)/python tools/audit.py $(AUDIT_FLAGS)

reproducible: $(VENV)/.installed ## build the last commit twice into dist/ and compare the bytes
	$(BIN)/python tools/reproducible.py

sbom: $(VENV)/.installed ## what the wheel in dist/ runs with, extra by extra, as CycloneDX
	$(BIN)/python tools/sbom.py

# Only what the demo needs, so that it is there soon; `make test` adds the rest.
$(VENV)/.demo-installed: pyproject.toml requirements/demo.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL_LOCKED) requirements/demo.txt
	$(INSTALL_PROJECT)
	@touch $@

demo: $(VENV)/.demo-installed ## show the gate on real sockets
	@$(BIN)/python example_apps/demo.py

bench-report: $(VENV)/.installed ## time and peak memory of edgeauth report on a million decisions
	PYTHONPATH=tests $(BIN)/python benchmarks/million_decisions.py

bench-reading: $(VENV)/.installed ## how long a request waits when a long list of addresses changes
	PYTHONPATH=tests $(BIN)/python benchmarks/reading.py

format: $(VENV)/.installed ## let ruff rewrite the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

demo-nginx: $(VENV)/.installed ## nginx, the decision service and a static site, asked in all the ways
	PYTHONPATH=tests $(BIN)/python integrations/nginx/demo.py

bench-service: $(VENV)/.installed ## requests per second through nginx with the service and its alternatives
	PYTHONPATH=tests $(BIN)/python benchmarks/service.py

clean: ## remove everything that the targets made
	rm -rf $(VENV) build dist .coverage* .mypy_cache .ruff_cache .pytest_cache
