# Every command stands alone on a machine that has Python >= 3.11 with venv, and make:
# it makes .venv, installs what it needs into it, and runs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test wheel-test lint format typecheck docs bench notebooks oracle cuda-compiler clean distclean

help:
	@echo 'make demo       train a small ConvNet on handwritten digits (ARGS="--epochs 3" and so on)'
	@echo 'make test       run the tests (ARGS="-m \"not slow\"" leaves out the long ones; WORKERS=1 in one process)'
	@echo 'make wheel-test build the wheel and run the tests against it, in a clean environment outside of the sources'
	@echo 'make lint       ruff: rules and formatting'
	@echo 'make format     ruff: format, and fix what it can'
	@echo 'make typecheck  mypy'
	@echo 'make docs       build the documentation into build/site, warnings being errors'
	@echo 'make bench      time neurojit beside its peers (installs them, PyTorch too)'
	@echo 'make notebooks  run the notebooks at full size and write their outputs into them (ARGS=notebooks/01*.ipynb: one)'
	@echo 'make oracle     install PyTorch and gensim, second opinions in the tests'
	@echo 'make cuda-compiler  install what compiles CUDA kernels without a GPU, for the tests'
	@echo 'make clean      remove builds and caches (make distclean: and .venv)'
	@echo 'PYTHON=python3.12 chooses the interpreter that .venv is made with.'

demo: $(VENV)/installed
	$(BIN)/neurojit demo $(ARGS)

# Most of the time goes into compiling kernels, which a process does on one core: a worker for each. Their threads are
# more than the cores then, so those that wait must not spin.
test: $(VENV)/installed-test
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

wheel-test:
	PYTHON=$(PYTHON) WORKERS=$(WORKERS) .ci/wheel-test $(ARGS)

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/installed-dev
	$(BIN)/mypy

docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx -q --fail-on-warning --keep-going --jobs auto -b html docs build/site
	@echo 'built build/site/index.html'

bench: $(VENV)/installed-bench
	$(BIN)/python -m benchmarks $(ARGS)

notebooks: $(VENV)/installed-notebooks
	$(BIN)/python notebooks/execute.py $(ARGS)

oracle: $(VENV)/installed-oracle

cuda-compiler: $(VENV)/installed-cuda-test

clean:
	rm -rf build dist docs/api/generated docs/notebooks docs/plots .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'neurojit: got $(PYTHON) =' "$$($(PYTHON) --version 2>&1)", wanted Python 3.11 or later: make $(MAKECMDGOALS) PYTHON=python3.12; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)

# The package itself is installed in place, so only new requirements call for a new install.
$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-%: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
