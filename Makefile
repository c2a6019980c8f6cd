# make demo     convert the digit classifier and run it on MicroPython
# make check    what a change needs first, within a minute: style, types, generated files, quick tests
# make test     everything that is tested, in an environment of its own
# make natmods  build the native modules for boards (fetches MicroPython's source)
# make help     the rest

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
CACHE := .cache
MPY_DIR ?= $(abspath $(CACHE)/micropython)
ARCHS ?= x64 armv6m armv7emsp xtensawin rv32imc wasm

# Sources whose change asks for a new build of the package. Python files are read in place by an editable install.
NATIVE_SOURCES := $(wildcard native_modules/core/*.[ch] native_modules/kernels/generic/*.h \
	native_modules/kernels/generic/*/*.[ch] native_modules/kernels/pc/*/*.[ch] native_modules/bindings/cpython/*.[ch])

.PHONY: help demo demo-doorbell demo-faces demo-keywords demo-machine demo-normal demo-wake-word check test test-boards site pictures wheel lint format generate toolchains natmods check-natmods bundle circup boards boards-report bench bench-kernels sizes fuzz fuzz-graphs coverage mutants clean

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo "make demo-doorbell  hear rings and knocks, and look who is there, on MicroPython"
	@echo "make demo-faces  find faces on pictures, on MicroPython"
	@echo "make demo-keywords  hear yes, no and stop, spoken by a machine or in WAV=..., on MicroPython"
	@echo "make demo-machine  a bearing wears out: simulated vibration, on MicroPython"
	@echo "make demo-normal   a board learns a machine's hum, simulated vibration, on MicroPython"
	@echo "make demo-wake-word  hear a wake word in recordings, WAV=..., on MicroPython"
	@echo "make lint     check style and types; make format applies the style"
	@echo "make generate write what is generated from host/midge_host/device/"
	@echo "make toolchains  install compilers and emulators for boards (Debian, as root)"
	@echo "make check-natmods  build the native modules anew and compare"
	@echo "make test-boards  build the emulated boards and run their tests"
	@echo "make wheel    one wheel for every system, in dist"
	@echo "make site     these pages as a site in dist/site; make pictures draws what they show anew"
	@echo "make bundle   one library folder for all boards, MicroPython's and CircuitPython's, in dist/lib"
	@echo "make circup   the files of a release for circup, REPOSITORY=OWNER/NAME at GitHub, in dist/circup"
	@echo "make boards   build the firmware of emulated boards"
	@echo "make boards-report  measure the models on them, for docs/boards.md"
	@echo "make bench    compare speed on this PC with TensorFlow Lite Micro and LiteRT"
	@echo "make bench-kernels  count the kernels' cycles, for docs/performance.md"
	@echo "make sizes    note what the native modules take, for docs/sizes.md"
	@echo "make fuzz     look for files that harm, SECONDS=60 for each target"
	@echo "make fuzz-graphs  compare N=1000 random models with TensorFlow Lite Micro, or that of SEED=..."
	@echo "make coverage  lines of the C core that the kept inputs of the fuzzers execute"
	@echo "make mutants  put small faults into the code and see whether tests notice"
	@echo "make clean    remove what was built here"

LINT = $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/python -m mypy

# One environment; each level of extras leaves a stamp. The demo's packages are compiled when they are first imported,
# which few of their files are: that is half of the time.
$(VENV)/.demo: pyproject.toml setup.py host/midge_host/device/banks.py $(NATIVE_SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -e ".[demo]"
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@

demo: $(VENV)/.demo
	@$(BIN)/midge demo

# The network that sees persons is not of this project: fetched once, into the current folder.
demo-doorbell: $(VENV)/.demo
	@$(BIN)/pip install --quiet --disable-pip-version-check scikit-image
	@[ -e person.midge ] || $(BIN)/python examples/person/fetch.py
	@$(BIN)/midge demo doorbell

demo-faces: $(VENV)/.demo
	@$(BIN)/pip install --quiet --disable-pip-version-check scikit-image
	@$(BIN)/midge demo faces

demo-keywords: $(VENV)/.demo
	@$(BIN)/midge demo keywords $(WAV)

demo-machine: $(VENV)/.demo
	@$(BIN)/midge demo machine

demo-normal: $(VENV)/.demo
	@$(BIN)/midge demo normal

# The model is not of this project; the recording of the word "Alexa" is yours.
WAV ?=
demo-wake-word: $(VENV)/.demo
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps pymicro-wakeword
	@$(BIN)/midge demo wake-word $(WAV)

test: $(VENV)/.test
	@[ -e "$(MPY_DIR)/py/dynruntime.mk" ] || native_modules/fetch_micropython.sh $(CACHE) || true
	$(LINT)
	MPY_DIR=$(MPY_DIR) $(BIN)/pytest -n auto --dist loadgroup $(PYTEST_ARGS)

QUICK := $(addprefix tests/,host/test_rooms.py host/test_spec.py host/test_models.py host/test_refusals.py \
	host/test_folding.py host/test_planner.py host/test_state.py device/test_device_api.py device/test_types.py \
	device/test_frozen.py host/test_operators.py)

check: $(VENV)/.test
	$(LINT)
	MPY_DIR=$(MPY_DIR) $(BIN)/pytest -q -n auto --dist loadgroup -m "not thorough" $(QUICK) $(PYTEST_ARGS)

# Only the emulated boards, after everything that they need has been built.
test-boards: $(VENV)/.test boards
	MPY_DIR=$(MPY_DIR) $(BIN)/pytest -n auto --dist loadgroup tests/boards $(PYTEST_ARGS)

lint: $(VENV)/.test
	$(LINT)

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

# docs/sizes.md: what the native modules take, as built last by `make natmods`.
sizes: $(VENV)/.test boards
	$(BIN)/python bench/sizes.py --update

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

# Small faults put into a copy of the code, one at a time: some test must notice each. MUTANTS="_loader" names some.
mutants: $(VENV)/.test
	MPY_DIR=$(MPY_DIR) $(BIN)/python tests/mutation/run.py $(MUTANTS)

# The kept inputs' coverage of the core: executed lines by file.
coverage: $(VENV)/.test
	$(BIN)/python tests/fuzz/run.py --cache $(CACHE)/fuzz --coverage

# Compilers of the native modules, emulators of boards and a browser: Debian packages. Does nothing where all are
# installed.
TOOLCHAINS := gcc-arm-none-eabi libnewlib-arm-none-eabi gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf \
	gcc-xtensa-lx106 qemu-system-arm qemu-system-misc gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
	clang lld binaryen chromium

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

# One wheel for every system and Python, without compiled code for the PC: dist/midge-VERSION-py3-none-any.whl.
wheel: $(VENV)/.demo
	MIDGE_PURE=1 $(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

# The pages as a site, and what the commands print as pictures in them.
$(VENV)/.site: $(VENV)/.demo
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[site]"
	@touch $@

site: $(VENV)/.site
	$(BIN)/python docs/site/build.py

pictures: $(VENV)/.test
	$(BIN)/python docs/site/pictures.py

# What can be copied to any board as it is: the library with the native modules of both runtimes and all processors.
bundle: $(VENV)/.demo
	rm -rf dist/lib
	$(BIN)/python -m midge_host.deploy.bundle dist/lib

# What a release at GitHub has to hold so that `circup install midge` finds it: the library in three archives.
REPOSITORY ?= midge/midge
TAG ?= $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' device_lib/midge/__init__.py)
circup: $(VENV)/.test
	rm -rf dist/circup
	$(BIN)/python -m midge_host.deploy.circup dist/circup $(REPOSITORY) $(TAG)

# Firmware of emulated boards, for tests/boards, `midge bench` and `midge run --backend qemu-m0`.
boards: toolchains $(VENV)/.demo $(NATMOD_DEPENDS)
	MPY_DIR=$(MPY_DIR) host/midge_host/boards/firmware/build_qemu.sh $(CACHE)
	MPY_DIR=$(MPY_DIR) PYTHON=$(abspath $(BIN)/python) host/midge_host/boards/firmware/build_pico.sh $(CACHE)

# The figures in docs/boards.md, measured on the emulated boards: some minutes.
boards-report: $(VENV)/.test boards
	$(BIN)/python bench/boards.py

clean:
	rm -rf $(VENV) build dist *.egg-info *.so .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf native_modules/bindings/micropython/build
