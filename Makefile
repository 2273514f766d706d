# `make` explains; `make demo` and `make test` are all that a fresh machine needs: python3, pip and this file.
VENV ?= .venv
PYTHON ?= python3
PLUGINS := $(sort $(wildcard plugins/ganzoo-*))
BIN := $(VENV)/bin

.PHONY: help setup demo test lint bench docs clean

help:
	@echo "make setup   the virtual environment $(VENV): the core, every plugin and the test tools"
	@echo "make demo    train a GAN on real digits for a minute, sample it, and say where the pictures are"
	@echo "make test    the test suite, on all cores"
	@echo "make lint    ruff and mypy"
	@echo "make bench   benchmarks: ratios against plain PyTorch, and what the command line costs"
	@echo "make docs    write the generated parts of docs/ anew"
	@echo "make clean   remove $(VENV) and what the demo made"

setup: $(VENV)/ready

# hatchling first, then everything in one go, so that the plugins find the core of this checkout.
$(VENV)/ready: pyproject.toml constraints.txt $(PLUGINS:%=%/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation -c constraints.txt \
	    -e '.[test]' $(PLUGINS:%=-e %)
	$(BIN)/python -m compileall -q ganzoo_core plugins
	@touch $@

demo: setup
	$(BIN)/python docs/demo.py

test: setup
	$(BIN)/python -m pytest -n auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python tests/benchmarks/bench_cli.py
	$(BIN)/python tests/benchmarks/bench_dcgan.py
	$(BIN)/python tests/benchmarks/bench_metrics.py

docs: setup
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) demo
