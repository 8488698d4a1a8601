# Everything happens in .venv; the only requirements are Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: demo test test-all lint docs matrix release

# Tests and demo share .venv: an extra is added to what is there.
demo: .venv/.studies
	$(BIN)/relujax demo

# What guards most, in minutes; `make test-all` has the rest.
test: .venv/.test
	$(PYTEST) -m "not slow"

test-all: .venv/.test
	$(PYTEST)

# Warnings are errors; links between pages are checked. The notices are about MkDocs 2.
docs: .venv/.docs
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# The core alone, and the lowest to the newest versions, in fresh environments.
matrix:
	$(PYTHON) tests/matrix

# What would be published: built, checked, installed and run outside the clone.
release: .venv/.release
	rm -rf dist build/release
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	test -z "$$(find dist -name '*.whl' -size +1024k)"
	$(PYTHON) -m venv build/release
	build/release/bin/python -m pip install --quiet --disable-pip-version-check \
	  "$$(echo dist/relujax-*.whl)[studies]"
	cd build/release && bin/relujax --version && bin/relujax demo && \
	  bin/relujax new study tried && bin/relujax run tried.py

.venv/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install -e '.[$*]'
	@touch $@
