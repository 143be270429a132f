# On a machine with python3 (3.10 or newer, with venv) and make; `make` alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

LARVAWORLD := .venv-larvaworld
# Larvaworld runs on Python 3.10 to 3.12: the first of these that is there.
LARVAWORLD_PYTHON ?= $(shell for python in $(PYTHON) python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$python && break; done)

OLDEST_PYTHON ?= python3.10
PYTHONS ?= 3.10 3.11 3.12 3.13
WHEEL_PYTHONS ?= 3.10 3.13

.DEFAULT_GOAL := help
.PHONY: help dist test-wheel test-oldest test-pythons test-deploy pre-commit setup demo test long long-larvaworld larvaworld test-larvaworld test-larvaworld-2.4 test-pages test-slurm live-film larvaworld-models notebooks preference reproduce check judge-larval bench bench-cuda bench-larvaworld bench-plugin bench-server bench-live bench-cluster bench-sweeps soak docs lock clean

help:  ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9.-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

##@ Kenyon itself

setup: $(VENV)/core  ## install Kenyon as users get it

$(VENV)/core: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --editable .
	touch $@

$(VENV)/dev: $(VENV)/core
	$(INSTALL) --editable '.[brian,metrics,sweep,dev]'
	touch $@

demo: $(VENV)/core  ## train thirty larvae beside their controls; see demo/learning.png
	$(BIN)/kenyon train paired unpaired reinforcement-alone --stimulus 40 --pause 20 --out demo --overwrite

larvaworld: $(LARVAWORLD)/ready  ## Kenyon and Larvaworld together, in .venv-larvaworld

# Larvaworld brings Jupyter along. Where there is no Python for it, the tutorials that need none open all the same.
notebooks: $(if $(LARVAWORLD_PYTHON),$(LARVAWORLD)/jupyter,$(VENV)/jupyter)  ## the tutorials in Jupyter: right-click one, Open With, Notebook
	$(if $(LARVAWORLD_PYTHON),$(LARVAWORLD),$(VENV))/bin/jupyter lab docs/tutorials

$(LARVAWORLD)/jupyter: $(LARVAWORLD)/ready
	$(LARVAWORLD)/bin/python -m pip install --quiet --disable-pip-version-check 'jupytext>=1.16'
	$(LARVAWORLD)/bin/python -m ipykernel install --sys-prefix --name larvaworld --display-name Larvaworld
	touch $@

$(VENV)/jupyter: $(VENV)/core
	$(INSTALL) 'jupyterlab>=4,<5' 'jupytext>=1.16'
	touch $@

##@ Tests

test: $(VENV)/dev  ## every test that needs no Larvaworld
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --ignore tests/compat

long: $(VENV)/dev  ## the claims that take minutes to count: damage, kills, interrupts, nonsense
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --ignore tests/compat -m long

long-larvaworld: $(LARVAWORLD)/ready  ## the same beside the Larvaworld wheel
	$(LARVAWORLD)/bin/python -m pytest --numprocesses 2 --dist worksteal tests/compat -m long

$(LARVAWORLD)/ready: pyproject.toml requirements-larvaworld.lock tests/compat/requirements.txt
	@test -n "$(LARVAWORLD_PYTHON)" || { echo "Larvaworld needs Python 3.10 to 3.12; set LARVAWORLD_PYTHON"; exit 1; }
	$(LARVAWORLD_PYTHON) -m venv $(LARVAWORLD)
	$(LARVAWORLD)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint requirements-larvaworld.lock --editable . --requirement tests/compat/requirements.txt
	@echo "Larvaworld builds its registry when it is first used, which two processes at once would spoil: two minutes"
	SDL_AUDIODRIVER=dummy SDL_VIDEODRIVER=dummy $(LARVAWORLD)/bin/python -W ignore -c \
		'from larvaworld.lib import reg; from larvaworld.lib.sim import ExpRun; assert reg.conf.Exp.confIDs' >/dev/null
	touch $@

# What is another thing beside the host's versions of numpy, pandas and param: options, states, copies, files. All else
# that is said of memories, such as what Ctrl-C does to them, `make test` has said.
HOSTED := checkpoint clones mushroom_body_memory options overriding own_odors reference_page reinforcement rl_population

test-larvaworld: $(LARVAWORLD)/ready  ## the memories beside the Larvaworld wheel, in an environment of its own
	$(LARVAWORLD)/bin/python -m pytest --numprocesses 2 --dist worksteal tests/compat $(HOSTED:%=tests/memory/test_%.py)

# The older release Kenyon knows, laid over the packages of the newer one, which differ in none that matters here.
$(LARVAWORLD)-2.4/ready: $(LARVAWORLD)/ready
	$(LARVAWORLD_PYTHON) -m venv $(LARVAWORLD)-2.4
	$(LARVAWORLD)/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
		> $$($(LARVAWORLD)-2.4/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/newer.pth
	echo $(CURDIR)/src > $$($(LARVAWORLD)-2.4/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')/own.pth
	$(LARVAWORLD)-2.4/bin/python -m pip install --quiet --disable-pip-version-check --no-deps larvaworld==2.4.0
	LARVAWORLD_SHOW_PROGRESS=0 SDL_AUDIODRIVER=dummy SDL_VIDEODRIVER=dummy $(LARVAWORLD)-2.4/bin/python -W ignore -c \
		'from larvaworld.lib import reg; from larvaworld.lib.sim import ExpRun; assert reg.conf.Exp.confIDs' >/dev/null
	touch $@

test-larvaworld-2.4: $(LARVAWORLD)-2.4/ready  ## the plug-in beside Larvaworld 2.4.0
	$(LARVAWORLD)-2.4/bin/python -m pytest tests/compat/test_registration.py tests/compat/test_experiment.py

test-pages: $(VENV)/dev  ## the live page in a headless Chromium, which must be on this machine
	$(INSTALL) --editable '.[pages]'
	$(BIN)/python -m pytest -m page tests/pages

test-slurm: $(VENV)/dev  ## sweeps under a SLURM of one node, whose programs must be on this machine: slurm-wlm, munge
	$(INSTALL) 'dask-jobqueue>=0.9'
	$(BIN)/python -m pytest -m slurm tests/cluster

# With the oldest version of each dependency that pyproject.toml claims, of all extras but `cuda` and `pages`.
$(VENV)-oldest/ready: pyproject.toml requirements-oldest.lock
	$(OLDEST_PYTHON) -m venv $(VENV)-oldest
	$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint requirements-oldest.lock --editable '.[brian,metrics,sweep,dev]'
	touch $@

test-oldest: $(VENV)-oldest/ready  ## the same with the oldest versions that are claimed, on Python 3.10
	$(VENV)-oldest/bin/python -m pytest --numprocesses 2 --dist worksteal --ignore tests/compat

test-pythons:  ## the same on Python 3.10 to 3.13, in a clean environment each; or PYTHONS='3.12 3.13'
	set -e; for version in $(PYTHONS); do rm -rf .venv-$$version; \
		$(MAKE) test PYTHON=python$$version VENV=.venv-$$version; done

##@ What the circuit and larvae do

reproduce: $(VENV)/core  ## what larvae do and what the circuit does with each set of constants: docs/explanation/larvae.md
	$(BIN)/python studies/reproduction.py

preference: $(LARVAWORLD)/ready  ## groups of larvae in Larvaworld, trained and tested; goes on after an interruption
	$(LARVAWORLD)/bin/python studies/larvaworld_preference.py

judge-larval: $(VENV)/dev  ## what larval does on larvae and odors its search has not seen; half an hour on two cores
	$(BIN)/python studies/larval_judgement.py --keep kenyon-results/larval-judgement

larvaworld-models: $(LARVAWORLD)/ready  ## every stored model of Larvaworld with a memory, run; writes their reference page
	$(LARVAWORLD)/bin/python studies/stored_models.py

live-film: $(LARVAWORLD)/ready  ## a run in which larvae learn, as the page shows it: docs/images/live.png and docs/images/live.webp
	$(LARVAWORLD)/bin/python -m pip install --quiet --disable-pip-version-check playwright
	$(LARVAWORLD)/bin/python studies/live_film.py

##@ Contributing

check: $(VENV)/dev  ## format, lint, types, imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python docs/generate.py --check

pre-commit: $(VENV)/dev  ## let git run the quick part of `make check` before each commit
	$(INSTALL) 'pre-commit>=4'
	$(BIN)/pre-commit install

lock: $(VENV)/dev  ## resolve every dependency anew
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --extra brian --extra metrics --extra sweep --extra docs --extra dev --no-annotate --no-header \
		--upgrade --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header \
		--upgrade --output-file requirements-larvaworld.lock pyproject.toml tests/compat/requirements.txt
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.10 --extra brian --extra metrics --extra sweep --extra dev \
		--no-annotate --no-header --constraint requirements-oldest.in --upgrade --output-file requirements-oldest.lock pyproject.toml

##@ How fast

bench: $(VENV)/dev  ## Brian2 and the kernel side by side
	$(BIN)/python benchmarks/engines.py

bench-cuda: $(VENV)/dev  ## a GPU beside the kernel; needs one
	$(BIN)/python -m pip install --quiet --editable '.[cuda]'
	$(BIN)/python benchmarks/gpu.py

bench-larvaworld: $(LARVAWORLD)/ready  ## Larvaworld's memories and ours side by side
	$(LARVAWORLD)/bin/python benchmarks/memories.py

bench-plugin: $(LARVAWORLD)/ready  ## Larvaworld without memory, with Q-learning, with a mushroom body here and on a server
	$(LARVAWORLD)/bin/python benchmarks/host_ticks.py

bench-server: $(LARVAWORLD)/ready  ## the model server: round trips, steps per second, beside hostile clients
	$(LARVAWORLD)/bin/python benchmarks/server.py

bench-live: $(LARVAWORLD)/ready  ## what a live page costs a run of Larvaworld
	$(LARVAWORLD)/bin/python benchmarks/live.py

bench-cluster: $(VENV)/dev  ## what dask's scheduler takes for a task, with a thousand workers that compute nothing
	$(BIN)/python benchmarks/many_workers.py

bench-sweeps: $(VENV)/core  ## sweeps beside the plain loop that uses all cores
	$(BIN)/python benchmarks/sweeps.py
	$(BIN)/python benchmarks/sweep_results.py

soak: $(VENV)/dev  ## the model server: 200,000 steps over 500 larvae, and what it holds meanwhile
	$(BIN)/python benchmarks/soak.py

##@ Pages and releases

# Tutorials in Larvaworld run beside it. Where there is no Python for it, their pages say that they were not run.
HOST_KERNEL := $(VENV)/share/jupyter/kernels/larvaworld/kernel.json

docs: $(VENV)/docs $(if $(LARVAWORLD_PYTHON),$(HOST_KERNEL))  ## reference pages from the code, then the site: docs/_build/html/index.html
	$(BIN)/python docs/generate.py
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build/html

$(VENV)/docs: $(VENV)/dev
	$(INSTALL) --editable '.[docs]'
	touch $@

$(HOST_KERNEL): $(VENV)/docs $(LARVAWORLD)/ready
	$(LARVAWORLD)/bin/python -m ipykernel install --prefix $(VENV) --name larvaworld --display-name Larvaworld \
		--env SDL_AUDIODRIVER dummy --env SDL_VIDEODRIVER dummy

dist: $(VENV)/core  ## source distribution and wheel of the commit, built twice and compared: dist/
	$(INSTALL) 'build>=1.2' 'twine>=6'
	$(BIN)/python release/build.py

test-wheel: dist  ## the wheel in clean environments of Python 3.10 and 3.13: train, verify, serve, ping, notices
	set -e; for version in $(WHEEL_PYTHONS); do python$$version release/try_wheel.py dist/*.whl; done

test-deploy: dist  ## what deploy/ says: the unit for systemd looked at, the steps of the Dockerfile run without a container
	$(PYTHON) release/try_deploy.py dist/*.whl

clean:  ## away with environments and what was built
	rm -rf .venv .venv-* demo dist docs/_build
