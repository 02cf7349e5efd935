# The commands of the book; `make` lists them.

PYTHON ?= python3
# Relative, so that no target holds a space even where the name of the folder does.
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
# One notebook, as in `make notebooks NAME=1_baseline`; without it, all.
NAME ?=

BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
STAMP := $(VENV)/.stamp
MODULES := src tests .ci

# Settings of the person and the machine stay out: the book opens and is tested the same everywhere.
unexport PYTHONPATH PYTHONSTARTUP JUPYTER_PATH JUPYTER_CONFIG_PATH
# Where someone else has made the environment, the private folders are in the home of the reader.
SHARED := $(shell test -d $(VENV) && ! test -w $(VENV) && echo yes)
WHERE := $(if $(filter /%,$(VENV)),,$(CURDIR)/)$(VENV)
PRIVATE := $(if $(SHARED),$(HOME)/.cache/bnnotes,$(WHERE)/private)
export PYTHONNOUSERSITE := 1
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_CONFIG_DIR := $(PRIVATE)/jupyter
export JUPYTER_DATA_DIR := $(PRIVATE)/jupyter-data
export JUPYTER_RUNTIME_DIR := $(PRIVATE)/jupyter-runtime
export IPYTHONDIR := $(PRIVATE)/ipython
export MPLCONFIGDIR := $(PRIVATE)/matplotlib

.PHONY: help help-all read test vary fire test-oldest test-newest test-lax properties test-browser site test-site lite test-lite bench-latency lint notebooks adopt format bench constraints clean

# Two # mark what a reader or an author uses, three the rest.
help: ## list the commands
	@awk -F ':.* ## ' '/^[a-z-]+:.* ## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

help-all: help ### list the checks that take longer, and the chores, too
	@echo
	@awk -F ':.* ### ' '/^[a-z-]+:.* ### / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

read: $(STAMP)-book ## open the book in JupyterLab, in copies of your own (bnnotes-book/)
	@$(BIN)/python -m bnnotes $(if $(SHARED),$(HOME)/bnnotes-book)

# As many workers as processors, so one thread of numpy's each.
test: export OPENBLAS_NUM_THREADS ?= 1
test: lint ## lint, run the tests, run every notebook and compare its outputs
	$(BIN)/python -m pytest --numprocesses=auto --dist=worksteal
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile \
	    --nbval --nbval-current-env --nbval-cell-timeout=60 book/*.ipynb

# ONLY="-k 6_training" takes one notebook, SEED=7 other seeds than those that start at 1.
vary: $(STAMP) ### run notebooks and explorers with other parameters, settings, folders and rights
	SEED=$(or $(SEED),1) $(BIN)/python -m pytest -m '' tests/vary tests/test_state.py tests/test_settings.py $(ONLY)

# STATES=200 takes fewer, ONLY="geometry sample_space" some of the explorers.
fire: $(STAMP) ### move every explorer to 10,000 random states; takes an hour
	STATES=$(or $(STATES),10000) OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -u tests/fire.py $(ONLY)

# The two ends of what pyproject.toml allows, each in an environment of its own.
test-oldest: ### run tests and notebooks with the oldest versions that pyproject.toml allows
	@mkdir -p build
	$(PYTHON) .ci/oldest.py > build/oldest.txt
	@$(MAKE) --no-print-directory test-lax VENV=$(VENV)-oldest CONSTRAINTS=build/oldest.txt

test-newest: ### run tests and notebooks with the newest versions, whatever constraints.txt says
	@mkdir -p build
	@: > build/newest.txt
	@$(MAKE) --no-print-directory test VENV=$(VENV)-newest CONSTRAINTS=build/newest.txt

# Old packages warn, and some print a number or a table in another way.
test-lax: $(STAMP)
	$(BIN)/python -m pytest -W default
	$(BIN)/python -m pytest -W default --nbval-lax --nbval-current-env --nbval-cell-timeout=120 \
	    book/*.ipynb

properties: $(STAMP) ### try every identity of the ledger on a thousand random layers
	HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest tests/test_properties*.py

# CHROMIUM=/path/to/it names another browser than /usr/bin/chromium; WALK=5000 goes on for minutes,
# with so many moves at random in each notebook.
test-browser: $(STAMP)-browser ## open every notebook in Chromium and move every slider
	$(BIN)/python -m pytest -o addopts=--strict-markers --numprocesses=2 --dist=worksteal \
	    tests/browser $(ONLY)

site: $(STAMP)-site ## write the book as static pages, whose sliders need no kernel (build/site/html)
	$(BIN)/python src/site/build.py build/site

test-site: site $(STAMP)-browser ### open every page of the site in Chromium, with nothing from outside
	$(BIN)/python -m pytest -o addopts=--strict-markers --numprocesses=2 tests/site

# INSIDE=--inside puts Pyodide into the pages, which then ask for nothing outside.
lite: ## write the book as JupyterLite pages, whose Python runs in the browser (build/lite/html)
	@test -d $(VENV)-lite || $(PYTHON) -m venv $(VENV)-lite
	@$(VENV)-lite/bin/python -m pip install --quiet --constraint $(CONSTRAINTS) \
	    --constraint src/lite/constraints.txt --editable '.[lite]'
	$(VENV)-lite/bin/python src/lite/build.py build/lite $(INSIDE)

# Three notebooks; ALL=1 runs every one.
test-lite: $(STAMP)-browser ### run notebooks to their end in JupyterLite, with nothing from outside
	@$(MAKE) --no-print-directory lite INSIDE=--inside
	$(BIN)/python -m pytest -o addopts=--strict-markers tests/lite $(ONLY)

# BENCH="-k 2_batch" takes one notebook, MOVES=12 another number of moves than 60.
bench-latency: $(STAMP)-browser ### time each explorer from key press to changed pixels, beside others
	$(BIN)/python -m pytest -o addopts=--strict-markers --no-header -q tests/browser/bench_latency.py $(BENCH)

lint: $(STAMP) ### check the style and the floors of the modules
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/lint-imports --no-cache

notebooks: $(STAMP) ## run the texts in src/text and write the notebooks (NAME=... for one)
	$(BIN)/python .ci/notebooks.py rebuild $(NAME)

adopt: $(STAMP) ## take the edits made in a notebook into its text (NAME=...)
	$(BIN)/python .ci/notebooks.py adopt $(NAME)

format: $(STAMP) ## format the modules and the texts; `make notebooks` brings it into the notebooks
	$(BIN)/python -m ruff check --fix --exit-zero --quiet $(MODULES)
	$(BIN)/python -m ruff format $(MODULES)
	$(BIN)/python .ci/notebooks.py tidy $(NAME)

# The peers stay out of the environment of the book: they are large, and no reader needs them.
# Settings of OpenBLAS that slow a current numpy are left out, for all candidates alike.
bench: ## compare speed and accuracy with PyTorch, jax and autograd and write the page benchmarks
	@test -d $(VENV)-bench || $(PYTHON) -m venv $(VENV)-bench
	@echo "Installing the peers in $(VENV)-bench; the first time this takes some minutes."
	@$(VENV)-bench/bin/python -m pip install --quiet --constraint $(CONSTRAINTS) \
	    --constraint tests/benchmarks/constraints.txt --editable '.[book,test,bench]'
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(VENV)-bench/bin/python tests/benchmarks

# The stamp holds the folder that the environment was made in: moved elsewhere, it is made anew.
ifneq ($(shell cat $(STAMP)-book 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)-book
endif

$(STAMP)-book: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "bnnotes needs Python 3.11 or newer; '$(PYTHON)' is not." \
	        "Name one, as in: make $(MAKECMDGOALS) PYTHON=python3.13"; exit 1; }
	@echo "Preparing the environment in $(VENV); this takes a minute or two."
	@test "$$(cat $@ 2>/dev/null)" = "$(CURDIR)" || $(PYTHON) -m venv --clear $(VENV) || { \
	    echo "No environment can be made in $(VENV). Elsewhere, as in:" \
	        "make $(MAKECMDGOALS) VENV=$$HOME/bnnotes-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[book]'
	@# A kernel that finds no folder for its settings says so.
	@mkdir -p "$(PRIVATE)"
	@# Now, since a notebook that finds no list of fonts may say so in its output.
	@$(BIN)/python -c 'import matplotlib.font_manager'
	@# JupyterLab would open with a question of its own, and ask outside for news.
	@$(BIN)/python -m jupyterlab.labextensions disable --level=sys_prefix \
	    @jupyterlab/apputils-extension:announcements 2>/dev/null
	@printf '%s' "$(CURDIR)" > $@

$(STAMP): $(STAMP)-book
	@$(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[book,test]'
	@touch $@

# The tests have brought what builds the package: it is not fetched once more.
$(STAMP)-browser: $(STAMP) tests/browser/constraints.txt
	@$(BIN)/python -m pip install --quiet --no-build-isolation --constraint $(CONSTRAINTS) \
	    --constraint tests/browser/constraints.txt --editable '.[book,test,browser]'
	@touch $@

$(STAMP)-site: $(STAMP) src/site/constraints.txt
	@$(BIN)/python -m pip install --quiet --no-build-isolation --constraint $(CONSTRAINTS) \
	    --constraint src/site/constraints.txt --editable '.[book,test,site]'
	@touch $@

# From the oldest Python that the book runs on, so that the versions exist for the newer ones too.
constraints: ### write constraints.txt: the newest versions of everything
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	    echo "constraints.txt is made with Python 3.11; name one, as in:" \
	        "make constraints PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)-newest
	$(VENV)-newest/bin/python -m pip install --quiet --editable '.[book,test]'
	{ sed -n '/^#/p' constraints.txt; \
	  $(VENV)-newest/bin/python -m pip freeze --exclude-editable; } > $(VENV)-newest/new.txt
	mv $(VENV)-newest/new.txt constraints.txt
	rm -rf $(VENV)-newest

clean: ### remove the environment and all caches
	rm -rf $(VENV) .pytest_cache .ruff_cache build dist
	find . \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
