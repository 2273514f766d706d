# `make` explains; `make demo` and `make test` are all that a fresh machine needs: python3, pip and this file.
VENV ?= .venv
PYTHON ?= python3
PLUGINS := $(sort $(wildcard plugins/ganzoo-*))
BIN := $(VENV)/bin
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt
TEST := -m pytest -n auto --dist loadgroup --durations=10

.PHONY: help setup demo test test-all lint bench zoo zoo-status zoo-adopt gpu docs site dist dist-check clean

help:
	@echo "make setup       the virtual environment $(VENV): the core, every plugin and the test tools"
	@echo "make demo        train a GAN on real digits for a minute, sample it, and say where the pictures are"
	@echo "make test        the test suite, on all cores"
	@echo "make test-all    the same with the slow tests: every family in processes of its own"
	@echo "make lint        ruff and mypy"
	@echo "make bench       benchmarks: ratios against plain PyTorch, and what the command line costs"
	@echo "make zoo         train what zoo.toml wants to ship, in the background, from a clone of COMMIT (HEAD)"
	@echo "make zoo-status  how far that is; make zoo-adopt ID=... takes in a model whose sheet you have looked at"
	@echo "make gpu OUT=DIR MINUTES=9   on a machine with a card, with nothing installed: measure, test and train there"
	@echo "make docs        write the generated parts of docs/ anew"
	@echo "make site OUT=DIR    the documents as a site, read without a network; wants the extra site (mkdocs-material)"
	@echo "make dist        wheels and sdists of the core and every plugin, in dist/"
	@echo "make dist-check  install some of dist/ into a clean environment and run the demo there"
	@echo "make clean       remove the environments, dist/ and what the demo made"

setup: $(VENV)/ready

# hatchling first, then everything in one go, so that the plugins find the core of this checkout.
define environment
$(PYTHON) -m venv $(@D)
$(@D)/bin/python $(PIP) hatchling editables
$(@D)/bin/python $(PIP) --no-build-isolation $(addprefix -e ,$(1))
$(@D)/bin/python -m compileall -q ganzoo_core plugins
@touch $@
endef

# A comma would end an argument of `call`.
CORE := '.[test,onnx]'

$(VENV)/ready: pyproject.toml constraints.txt $(PLUGINS:%=%/pyproject.toml)
	$(call environment,$(CORE) $(PLUGINS) 'plugins/ganzoo-metrics[lite0]')

# The demo needs one plugin. Where `make setup` has been already, its environment will do.
DEMO := $(if $(wildcard $(VENV)/ready),$(VENV),$(VENV)-demo)

$(VENV)-demo/ready: pyproject.toml constraints.txt plugins/ganzoo-dcgan/pyproject.toml
	$(call environment,. plugins/ganzoo-dcgan)

demo: $(DEMO)/ready
	$(DEMO)/bin/python docs/demo.py

test: setup
	$(BIN)/python $(TEST)

# gradio and a driver for Debian's chromium: only the studio's own tests want them.
$(VENV)/studio: $(VENV)/ready
	$(BIN)/python $(PIP) --no-build-isolation -e 'plugins/ganzoo-studio[gradio]' playwright || echo "no gradio: its tests are left out"
	@touch $@

test-all: $(VENV)/studio
	$(BIN)/python $(TEST) -m "slow or not slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: setup
	$(BIN)/python tests/benchmarks/bench_cli.py
	$(BIN)/python tests/benchmarks/bench_dcgan.py
	$(BIN)/python tests/benchmarks/bench_metrics.py

COMMIT ?= HEAD
zoo: setup
	$(BIN)/python -m zoo start --commit $(COMMIT)

zoo-status: setup
	@$(BIN)/python -m zoo status

zoo-adopt: setup
	$(BIN)/python -m zoo adopt $(ID)

# Nothing is installed on a machine that is lent for minutes: its Python has torch, and finds our packages where they lie.
MINUTES ?= 9
gpu:
	mkdir -p $(OUT)
	PYTHONPATH="$$($(PYTHON) zoo/uninstalled.py $(OUT)/.packages)" \
	  $(PYTHON) -m zoo gpu --minutes $(MINUTES) --out $(OUT) $(if $(DRY),--dry); rm -rf $(OUT)/.packages

docs: setup
	$(BIN)/python docs/generate.py

site: OUT ?= site
site: setup
	$(BIN)/python $(PIP) --no-build-isolation -e '.[site]'
	$(BIN)/python docs/site.py $(OUT)
	$(BIN)/python -m pytest -q tests/test_lecture.py -m slow

# Each wheel is built from its sdist, so the sdists are tried too.
dist: setup
	$(BIN)/python $(PIP) --no-build-isolation -e '.[dist]'
	rm -rf dist
	set -e; for each in . $(PLUGINS); do $(BIN)/python -m build --quiet --no-isolation --outdir dist $$each; done
	$(BIN)/twine check --strict dist/*

dist-check:
	$(PYTHON) docs/try_dist.py

clean:
	rm -rf $(VENV) $(VENV)-demo demo dist
