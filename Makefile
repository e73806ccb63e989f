# One command from a fresh machine: `make demo`. Everything below sets itself up first, and only once.
#
# PYTHON=python3.12 make demo     another Python (3.11 or newer) for the virtual environment
# KANSPICE_NGSPICE=/path make …   another ngspice than the one on PATH
# KANSPICE_SECOND_NGSPICE=/path … the one that `make test-second` tests with; Debian's 44.2, unpacked in out/, without it
# KANSPICE_BROWSER=/path make …   the Chromium or Chrome that tests open reports in; without one they are skipped
# PIP_EXTRA_INDEX_URL=…           where pip also looks, for example PyTorch's index of CPU builds:
#                                 the default build for Linux brings gigabytes of GPU packages

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.installed
DEV    := $(VENV)/.installed-dev
SITE   := $(VENV)/.installed-docs
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

# Two test workers, one thread each: more threads than cores make everything slower. Each takes a half in order, so that
# what a module's tests share is made once, and who is done first takes over from the other.
# Python files are compiled once, whatever the environment says, not by each of the processes that tests start.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

SECOND := $(abspath $(or $(KANSPICE_SECOND_NGSPICE),out/ngspice-44/ngspice))

.DEFAULT_GOAL := help
.PHONY: help demo quick test test-second check docs tutorials bench bench-mnist bench-engines bench-agreement bench-agreement-vacask bench-sizes bench-draws bench-sweeps bench-gradients bench-tune bench-identify bench-calibrate bench-energy papers papers-quick clean ngspice

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(RUN) ngspice ## measure the shipped digits network in typical parts; the page goes to out/demo.html
	$(BIN)/kanspice demo -o out/demo.html

quick: $(DEV) ngspice ## unit tests and one path from end to end per family, a minute and a half: at every step
	$(PYTEST) -m "not slow"

test: $(DEV) ngspice ## run every test
	$(PYTEST)

test-second: $(DEV) $(SECOND) ## the tests that need ngspice, with another version of it beside the system's
	KANSPICE_NGSPICE=$(SECOND) $(PYTEST) -m ngspice

check: $(DEV) ngspice ## what CI runs: style, types, then every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

docs: $(SITE) ## build the documentation site in out/site, strictly; minutes, for the pages of the examples
	$(BIN)/python tools/site/gallery.py out/gallery
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/python -m mkdocs build --strict

tutorials: $(SITE) ## run the notebooks of docs/tutorials and keep what they print; minutes
	$(BIN)/python tools/site/tutorials.py

bench: $(DEV) ngspice ## measure time and error of the engines
	$(BIN)/python -m benchmarks.kanalogue

bench-engines: $(DEV) ngspice ## measure the batched engine beside simulators, torchdiffeq and badcrossbar; ten minutes
	$(BIN)/python -m benchmarks.judges
	$(BIN)/python -m benchmarks.targets
	$(BIN)/python -m benchmarks.scaling

bench-agreement: $(DEV) ngspice ## how far the batched engine is from ngspice on every example; an hour
	$(BIN)/python -m benchmarks.agreement

bench-agreement-vacask: $(DEV) ## the same with VACASK, which has to be installed (kanspice[vacask]); minutes
	$(BIN)/python -m benchmarks.agreement --judge vacask --large

bench-sizes: $(DEV) ngspice ## large crossbars in ngspice: time, memory and error of a first sample
	$(BIN)/python -m benchmarks.sizes

bench-draws: $(DEV) ngspice ## 10,000 specimens of crossbars for MNIST; half an hour
	$(BIN)/python -m benchmarks.draws

bench-sweeps: $(DEV) ## sweep every imperfection of crossbars over a decade: does the gap grow with it?
	$(BIN)/python -m benchmarks.sweeps

bench-gradients: $(DEV) ## what gradients of circuits cost beside answers; needs the reference data
	$(BIN)/python -m benchmarks.gradients

bench-tune: $(DEV) ngspice ## tune networks through their circuits, beside plain training and noise; hours
	$(BIN)/python -m benchmarks.tune

bench-identify: $(DEV) ngspice ## chips that ngspice simulated, found again by kanspice identify; an hour
	$(BIN)/python -m benchmarks.identify

bench-calibrate: $(DEV) ngspice ## calibrate chips from 20, 50 and 200 measured samples; half an hour
	$(BIN)/python -m benchmarks.calibrate

papers: $(DEV) ngspice ## the papers' tables and figures, as circuits: train, measure, write docs/papers.md; many hours
	@sh tools/fetch_fashion_mnist.sh
	$(BIN)/python -m benchmarks.papers

papers-quick: $(DEV) ngspice ## a tenth of the same, into out/papers-quick; an hour at most, by estimate
	@sh tools/fetch_fashion_mnist.sh
	$(BIN)/python -m benchmarks.papers --quick

bench-energy: $(DEV) ## what an inference of the examples costs, as a circuit and digitally; minutes
	$(BIN)/python -m benchmarks.energy

bench-mnist: $(DEV) ngspice ## measure the published MNIST KirchhoffNet in ngspice; minutes
	$(BIN)/python -m benchmarks.kirchhoffnet_mnist

clean: ## remove the virtual environment, build outputs, reports and caches
	rm -rf $(VENV) build dist out .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ngspice:
	@sh tools/install_ngspice.sh

$(abspath out/ngspice-44/ngspice):
	@sh tools/unpack_ngspice.sh out/ngspice-44

# The stamps are newer than what they were made from, so a second run costs nothing.
$(BIN)/python:
	@echo "making $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kanspice needs Python 3.11 or newer: make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV)

$(RUN): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing kanspice into $(VENV) (the first time takes a few minutes)"
	@$(PIP) -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing kanspice and its development tools into $(VENV) (the first time takes a few minutes)"
	@$(PIP) -e '.[dev]'
	@touch $@ $(RUN)

$(SITE): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing kanspice and what builds its site into $(VENV) (the first time takes a few minutes)"
	@$(PIP) -e '.[docs]'
	@touch $@ $(RUN)
