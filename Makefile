# make demo     convert the digit classifier and run it on MicroPython
# make test     everything that is tested, in an environment of its own
# make natmods  build the native modules for boards (fetches MicroPython's source)
# make help     the rest

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CACHE := .cache
MPY_DIR ?= $(abspath $(CACHE)/micropython)
ARCHS ?= x64 armv6m armv7emsp xtensawin rv32imc

# What an installed package depends on besides Python files, which an editable install reads in place.
NATIVE_SOURCES := $(wildcard native_modules/core/*.[ch] native_modules/core/extra/*.[ch] native_modules/cpython/*.c)

.PHONY: help demo test test-boards lint format generate toolchains natmods check-natmods boards boards-report bench bench-kernels fuzz fuzz-graphs clean

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo "make lint     check style; make format applies it"
	@echo "make generate write what is generated from host/midge_host/spec.py"
	@echo "make toolchains  install compilers and emulators for boards (Debian, as root)"
	@echo "make check-natmods  build the native modules anew and compare"
	@echo "make test-boards  build the emulated boards and run their tests"
	@echo "make boards   build the firmware of emulated boards"
	@echo "make boards-report  measure the models on them, for docs/boards.md"
	@echo "make bench    compare speed on this PC with TensorFlow Lite Micro"
	@echo "make bench-kernels  count the kernels' cycles, for docs/performance.md"
	@echo "make fuzz     look for files that harm, SECONDS=60 for each target"
	@echo "make fuzz-graphs  compare N=1000 random models with TensorFlow Lite Micro, or that of SEED=..."
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
	MPY_DIR=$(MPY_DIR) $(BIN)/pytest -n auto --dist loadgroup $(PYTEST_ARGS)

# Only the emulated boards, after everything that they need has been built.
test-boards: $(VENV)/.test boards
	MPY_DIR=$(MPY_DIR) $(BIN)/pytest -n auto --dist loadgroup tests/boards $(PYTEST_ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(VENV)/.demo
	$(BIN)/python -m midge_host.generate

bench: $(VENV)/.test
	$(BIN)/python bench/pc.py

# Cycles and instructions of every kernel: bench/counting/figures.json and docs/performance.md, within a minute.
bench-kernels: $(VENV)/.test toolchains
	$(BIN)/python bench/kernels.py --update

# Coverage-guided fuzzing of what reads files: docs/security.md. Debian's clang for the targets in C, atheris for those
# in Python. SECONDS for each target; FUZZ="core edge" names some.
FUZZERS := clang libclang-rt-dev
SECONDS ?= 60

$(VENV)/.fuzz: $(VENV)/.test
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[fuzz]"
	@touch $@

fuzz: $(VENV)/.fuzz
	@$(call debian,$(FUZZERS))
	$(BIN)/python tests/fuzz/run.py --cache $(CACHE)/fuzz --seconds $(SECONDS) $(FUZZ)

# Random Keras models on every backend against TensorFlow Lite Micro; a failing seed can be run again alone.
N ?= 100
fuzz-graphs: $(VENV)/.test
	$(BIN)/python tests/fuzz/graphs.py $(if $(SEED),--seed $(SEED),-n $(N))

# What the kept inputs execute of the core, file by file.
coverage: $(VENV)/.test
	$(BIN)/python tests/fuzz/run.py --cache $(CACHE)/fuzz --coverage

# Compilers of the native modules and emulators of boards: Debian packages. Does nothing where all are installed.
TOOLCHAINS := gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
	gcc-xtensa-lx106 qemu-system-arm qemu-system-misc

debian = dpkg -s $(1) >/dev/null 2>&1 || { \
	apt-get -qq -o DPkg::Lock::Timeout=500 update && DEBIAN_FRONTEND=noninteractive apt-get -qq \
	-o DPkg::Lock::Timeout=500 install -y --no-install-recommends $(1) >/dev/null; }

toolchains:
	@$(call debian,$(TOOLCHAINS))

# MicroPython's source, for py/dynruntime.mk and tools/mpy_ld.py. MPY_DIR=... uses a copy you have.
$(CACHE)/micropython/py/dynruntime.mk:
	native_modules/fetch_micropython.sh $(CACHE)

NATMOD_DEPENDS := $(if $(filter $(abspath $(CACHE)/micropython),$(MPY_DIR)),$(CACHE)/micropython/py/dynruntime.mk)

natmods: $(VENV)/.test $(NATMOD_DEPENDS)
	$(BIN)/python native_modules/build.py --micropython $(MPY_DIR) --output native_modules/prebuilt $(ARCHS)

check-natmods: $(VENV)/.test $(NATMOD_DEPENDS)
	$(BIN)/python native_modules/build.py --micropython $(MPY_DIR) --output native_modules/prebuilt --check \
		$(if $(MIDGE_NO_SKIPS),--require all) $(ARCHS)

# Firmware of emulated boards, for tests/boards, `midge bench` and `midge run --backend qemu-m0`.
boards: toolchains $(VENV)/.demo $(NATMOD_DEPENDS)
	MPY_DIR=$(MPY_DIR) host/midge_host/boards/firmware/build_qemu.sh $(CACHE)
	MPY_DIR=$(MPY_DIR) PYTHON=$(abspath $(BIN)/python) host/midge_host/boards/firmware/build_pico.sh $(CACHE)

# The figures in docs/boards.md, measured on the emulated boards: some minutes.
boards-report: $(VENV)/.test boards
	$(BIN)/python bench/boards.py

clean:
	rm -rf $(VENV) build dist *.egg-info *.so .pytest_cache .ruff_cache .hypothesis
	rm -rf native_modules/midge_native/build
