"""The ESP32's native module: its own machine code, on an emulated core, gives TFLM's bytes."""

from __future__ import annotations

import subprocess
from array import array
from pathlib import Path

import numpy as np
import pytest
from reference_models import MODELS, STREAMING, sets_of

import models
import tflm
from midge_host import backends
from midge_host.boards import xtensa
from midge_host.conversion import convert
from midge_host.device.spec import RECORD_BYTES
from midge_host.errors import MidgeError
from operator_cases import CASES

BACKEND = "qemu-xtensa"
PREBUILT = xtensa.ROOT / "native_modules" / "prebuilt"
WEIGHTS = ["ram", "stream"]
REAL = 5  # inputs of each set of real ones, besides the ten seeded ones

pytestmark = [pytest.mark.board(BACKEND), pytest.mark.xdist_group(BACKEND)]


@pytest.fixture(autouse=True)
def needs_the_emulator() -> None:
    if why := backends.problem(BACKEND):
        pytest.skip(why)


def check(path: Path, inputs: list[np.ndarray], expected: list[np.ndarray], weights: str) -> None:
    result = backends.run(BACKEND, path, inputs, weights)
    for got, want in zip(result.outputs, expected, strict=True):
        np.testing.assert_array_equal(got, want.reshape(got.shape))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("two_outputs", [False, True])
def test_model(make_model, two_outputs: bool, weights: str) -> None:
    source, inputs = models.residual(two_outputs=two_outputs), models.residual_inputs(10)
    check(make_model(source), inputs, tflm.run(source, inputs), weights)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", MODELS)
def test_reference_model(shared_data: Path, tmp_path: Path, name: str, weights: str, record_property) -> None:
    path = tmp_path / f"{name}.midge"
    convert(shared_data / "models" / f"{name}.tflite", path)
    data = np.load(shared_data / "models" / f"{name}.npz")
    sets = [] if name in STREAMING else sets_of(data)
    parts = [("", None), *((f"real_{s}_", REAL) for s in sets)]
    inputs, expected = (
        np.concatenate([data[f"{prefix}{key}"][:count] for prefix, count in parts]) for key in ("inputs", "tflm")
    )
    check(path, [inputs], [expected], weights)
    record_property("measured", {"model": name, "weights": weights})


def test_operators(make_model) -> None:
    for i, case in enumerate(CASES):
        check(make_model(case.tflite), case.inputs, case.expected(), WEIGHTS[i % 2])


def test_readings_of_other_types(make_model) -> None:
    """Pixels and real values are encoded by the module."""
    path = make_model(models.residual())
    rng = np.random.default_rng(3)
    shape = (4, 1, *models.SIZE)
    for values in (rng.integers(0, 256, shape).astype(np.uint8), rng.normal(0, 2, shape).astype(np.float32)):
        check(path, [values], backends.run("numpy", path, [values]).outputs, "ram")


def test_instructions_are_counted_exactly(tmp_path: Path) -> None:
    (tmp_path / "loop.S").write_text(".align 4\nf: entry a1, 16\n1: addi a2, a2, -1\n bnez a2, 1b\n retw\n")
    subprocess.run([xtensa.WRAPPER, "-c", "loop.S", "-o", "loop.o"], check=True, cwd=tmp_path)
    copy = ["xtensa-lx106-elf-objcopy", "-O", "binary", "-j", ".text", "loop.o", "loop.bin"]
    subprocess.run(copy, check=True, cwd=tmp_path)
    machine = xtensa.Machine(counting=True)
    machine.write(machine.heap, (tmp_path / "loop.bin").read_bytes())
    once, often = (machine.call(machine.heap, n)[1] for n in (1, 1_000_001))
    assert once <= 20  # the call itself
    assert often - once in range(1_999_999, 2_000_002)


def test_a_core_that_stops() -> None:
    machine = xtensa.Machine()
    machine.write(machine.heap, bytes(16))  # no instruction
    with pytest.raises(MidgeError, match="the emulated core stopped with exception 0"):
        machine.call(machine.heap)
    with pytest.raises(MidgeError, match="the emulated core stopped"):
        machine.read(machine.heap, 4)


def test_another_file_is_refused() -> None:
    for name in ("x64", "armv6m"):
        with pytest.raises(ValueError, match=r"no \.mpy file for xtensawin"):
            xtensa.parse((PREBUILT / f"midge_core-{name}.mpy").read_bytes())


def test_arguments() -> None:
    module = xtensa.NativeModule((PREBUILT / "midge_core-xtensawin.mpy").read_bytes())
    with pytest.raises(TypeError):
        module.check("program", 0, 0)
    with pytest.raises(OverflowError):
        module.check(b"", 1 << 30, 0)
    assert module.check(bytes(RECORD_BYTES), 0, 0) == 16 + 1  # operator 0 is unknown
    assert module.encode(bytes(3), array("b"), bytearray(8)) == 2  # no tensor
    assert set(module.instructions) == {"check", "encode"}
