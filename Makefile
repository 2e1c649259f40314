# Everything runs in .venv, made from requirements.lock; CI calls the same targets.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
RUNS := $(or $(QAT_RUNS),runs)
SCALE ?= quick
# If Python may not write byte code, each start would compile all libraries again: compile them now.
COMPILE := $(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode)
DEMO := demo_float,demo_w8a8_static,demo_w4a4_qat,demo_w2a2_static

.DEFAULT_GOAL := help
.PHONY: help run test test-slow test-gpu test-real lint types docs format setup setup-real lock smoke table reproduce gallery tensorboard bench tutorials clean

help:  ## Show this help
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

run: setup  ## The demonstration: float, W8A8, W4A4 (trained) and W2A2 on the embedded images
	$(BIN)/qat run -m experiment=$(DEMO)

# One thread for each process, because the processes share the cores. The tests of a file stay in one
# process and share their fixtures. Byte code is written, or every process would compile the project
# and rewrite the assertions of all tests again; `make clean` removes it.
test: setup  ## Run the quick tests, as CI does
	OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile

test-slow: setup  ## Run the long tests
	$(BIN)/pytest -q -m slow

test-gpu: setup  ## Run the tests that need an NVIDIA GPU; without one, list them by name
	$(BIN)/pytest -q -rs -m gpu tests/gpu

test-real: setup-real  ## Tests of optional tools (SLURM, Ray, Optuna, ...); skips missing tools by name
	$(BIN)/pytest -q -rs -m "slurm or ray or optuna or browser or latex or mlflow or timm"

setup-real: setup
	@if uv --version >/dev/null 2>&1; then uv=uv; else uv=$(BIN)/uv; fi; \
	$$uv pip install -q --python $(BIN)/python -c requirements.lock -e '.[dev,timm,slurm,ray,optuna,mlflow]'

lint: setup  ## Check the style of code and YAML, and the spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/yamllint -s conf
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md .github conf docs qat tests bench

types: setup  ## Check types
	$(BIN)/mypy

docs: $(VENV)/.docs  ## Build the documentation site (offline; warnings are errors): build/site/index.html
	$(BIN)/sphinx-build -q -W --keep-going -j 2 docs build/site
	$(BIN)/python -m docs._generate.site_links build/site

format: setup  ## Fix the style of code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

setup: $(VENV)/.ready  ## Create the environment from requirements.lock

# Install other packages from the lock (exact versions, verified hashes), then this checkout, editable.
$(VENV)/.ready: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or make PYTHON=/path/to/python"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if uv --version >/dev/null 2>&1; then uv=uv; else \
		sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.lock && \
		$(BIN)/python -m pip install -q --no-deps -r $(VENV)/uv.lock && uv=$(BIN)/uv; fi; \
	$$uv pip install -q $(COMPILE) --python $(BIN)/python -c requirements.lock -e '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.ready
	@if uv --version >/dev/null 2>&1; then uv=uv; else uv=$(BIN)/uv; fi; \
	$$uv pip install -q $(COMPILE) --python $(BIN)/python -c requirements.lock -e '.[docs]'
	@touch $@

lock:  ## Write requirements.lock again, with the newest versions
	uv pip compile --universal --generate-hashes --all-extras --no-annotate --no-header \
		--no-emit-index-url --python-version 3.11 --upgrade -o requirements.lock pyproject.toml -q
	sed -i '1i # Every third party of every extra, for all platforms: make lock. Used as hashed constraints.' requirements.lock

smoke: setup  ## One run of each mode on synthetic images, and their table
	@folder=$$(mktemp -d) && trap "rm -rf $$folder" EXIT && export QAT_RUNS=$$folder/runs QAT_CACHE=$$folder/cache && \
	$(BIN)/qat run -m mode=float,static,dynamic,qat data=synthetic float=smoke trainer=smoke && \
	$(BIN)/qat table $$folder/runs --format csv

table: setup  ## Print the table of all runs
	$(BIN)/qat table

reproduce: setup  ## Run a study and write its table and figures: make reproduce STUDY=bitwidth SCALE=quick
	@test -n "$(STUDY)" || { echo "name a study: make reproduce STUDY=bitwidth (qat list studies shows them)"; exit 2; }
	$(BIN)/qat run -m experiment=$(STUDY) scale=$(SCALE) $(WITH)
	$(BIN)/qat table $(STUDY) --scale $(SCALE) --into $(or $(INTO),$(RUNS)/.tables/$(STUDY)-$(SCALE))

# The points of a figure by layer or of a training are in run folders: only figures of points.csv are drawn.
gallery: setup  ## Draw the figures of experiments/ again from their committed points; build the site
	@for points in experiments/*/points.csv experiments/*/*/points.csv; do \
		folder=$$(dirname $$points) && $(BIN)/qat table $$folder --into $$folder || exit 1; done
	$(MAKE) docs

tensorboard: setup  ## Compare runs in the browser (TensorBoard)
	$(BIN)/tensorboard --logdir "$$($(BIN)/python -m qat.report.all_view $(RUNS))"

bench: setup  ## Run all benchmarks and say what moved: make bench [WITH="step --quick"]
	$(BIN)/python -m bench $(WITH)

tutorials: setup  ## Run the tutorials again and write their output: make tutorials [NAMES="first"]
	$(BIN)/python -m docs._generate.tutorials $(NAMES)

clean:  ## Remove caches of tools; runs and logs stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build docs/generated
	find qat tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
