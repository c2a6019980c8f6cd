# make demo     convert the digit classifier and run it on MicroPython
# make test     everything that is tested, in an environment of its own
# make natmods  build the native modules for boards (fetches MicroPython's source)
# make help     the rest

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CACHE := .cache
MPY_DIR ?= $(abspath $(CACHE)/micropython)
ARCHS := x64

# What an installed package depends on besides Python files, which an editable install reads in place.
NATIVE_SOURCES := $(wildcard native_modules/core/*.[ch] native_modules/cpython/*.c)

.PHONY: help demo test lint format generate natmods check-natmods bench clean

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo "make lint     check style; make format applies it"
	@echo "make generate write what is generated from host/midge_host/spec.py"
	@echo "make bench    compare speed on this PC with TensorFlow Lite Micro"
	@echo "make clean    remove what was built here"

# One environment; each level of extras leaves a stamp.
$(VENV)/.demo: pyproject.toml setup.py $(NATIVE_SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[demo]"
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@

demo: $(VENV)/.demo
	@$(BIN)/midge demo

test: $(VENV)/.test
	@[ -e "$(MPY_DIR)/py/dynruntime.mk" ] || native_modules/fetch_micropython.sh $(CACHE) || true
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MPY_DIR=$(MPY_DIR) $(BIN)/pytest -n auto $(PYTEST_ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/.demo
	$(BIN)/python -m midge_host.generate

bench: $(VENV)/.test
	$(BIN)/python tests/bench_pc.py

# MicroPython's source, for py/dynruntime.mk and tools/mpy_ld.py. MPY_DIR=... uses a copy you have.
$(CACHE)/micropython/py/dynruntime.mk:
	native_modules/fetch_micropython.sh $(CACHE)

NATMOD_DEPENDS := $(if $(filter $(abspath $(CACHE)/micropython),$(MPY_DIR)),$(CACHE)/micropython/py/dynruntime.mk)

natmods: $(VENV)/.test $(NATMOD_DEPENDS)
	$(BIN)/python native_modules/build.py --micropython $(MPY_DIR) --output native_modules/prebuilt $(ARCHS)

check-natmods: $(VENV)/.test $(NATMOD_DEPENDS)
	$(BIN)/python native_modules/build.py --micropython $(MPY_DIR) --output native_modules/prebuilt --check $(ARCHS)

clean:
	rm -rf $(VENV) build dist *.egg-info *.so .pytest_cache .ruff_cache .hypothesis
	rm -rf native_modules/midge_native/build
