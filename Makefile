# Two commands on a machine with python3 (3.10 to 3.13, with venv) and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.PHONY: setup demo test check bench docs lock clean

setup: $(VENV)/core  ## install Kenyon as users get it

$(VENV)/core: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

$(VENV)/dev: $(VENV)/core
	$(INSTALL) --editable '.[brian,dev]'
	touch $@

demo: $(VENV)/core  ## train thirty larvae beside their controls; see demo/learning.png
	$(BIN)/kenyon train paired unpaired reinforcement-alone --stimulus 40 --pause 20 --out demo --overwrite

test: $(VENV)/dev  ## every test
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

check: $(VENV)/dev  ## format, lint, types, imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

bench: $(VENV)/dev  ## Brian2 and the kernel side by side
	$(BIN)/python benchmarks/engines.py

docs: $(VENV)/dev  ## reference pages from the code: docs/reference, and the API as HTML in docs/_build
	$(BIN)/python docs/generate.py
	$(BIN)/pdoc kenyon -o docs/_build

lock: $(VENV)/dev  ## resolve every dependency anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --no-annotate --no-header \
		--upgrade --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) demo docs/_build
