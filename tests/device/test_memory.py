"""Memory is exact: the arena that a file states is what a run touches, and predict_into allocates nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from allocations import ALLOCATIONS

import core
import models
from midge import _loader
from midge_host.backends import micropython
from midge_host.device import model_file
from midge_host.device.model_file import ModelFile
from operator_cases import CASES

GUARD = 64


def program_of(model: ModelFile) -> bytearray:
    return bytearray(model.program())


# A whole network and every fifth single operator; some of those leave no operator to run.
WITHOUT_OPERATORS = ("reshape", "shape", "squeeze", "expand_dims", "quantize", "dequantize")
MEASURED = [pytest.param(models.residual(), id="residual")] + [
    pytest.param(case.tflite, id=case.name) for case in CASES[::5] if not case.name.startswith(WITHOUT_OPERATORS)
]


@pytest.mark.parametrize("data", MEASURED)
def test_run_stays_in_its_arena(make_model, data: bytes) -> None:
    model = model_file.read(make_model(data))
    rng = np.random.default_rng(0)
    guard = rng.integers(0, 256, GUARD, dtype=np.uint8).tobytes()
    memory = bytearray(guard + rng.integers(0, 256, model.arena_bytes, dtype=np.uint8).tobytes() + guard)
    program, weights = program_of(model), model.weights
    arena = memoryview(memory)[GUARD : GUARD + model.arena_bytes]
    assert core.check(program, model.arena_bytes, len(weights)) == 0
    assert core.run(program, len(model.records), arena, weights) == 0
    assert memory[:GUARD] == guard and memory[-GUARD:] == guard
    assert program == program_of(model)


@pytest.mark.parametrize("data", MEASURED)
def test_one_byte_less_is_refused(make_model, data: bytes) -> None:
    model = model_file.read(make_model(data))
    program, less = program_of(model), model.arena_bytes - 1
    assert core.check(program, less, len(model.weights)) & 15 == 2
    assert core.run(program, len(model.records), bytearray(less), model.weights) & 15 == 2
    if len(model.weights):
        arena = bytearray(model.arena_bytes)
        assert core.run(program, len(model.records), arena, model.weights[:-1]) & 15 == 3


@pytest.mark.parametrize("weights", ["ram", "stream"])
def test_predict_into_allocates_nothing(make_model, tmp_path: Path, weights: str) -> None:
    make_model(models.residual())
    micropython.lay_out(tmp_path, native=True)
    script = tmp_path / "script.py"
    script.write_text(ALLOCATIONS.replace("WEIGHTS", repr(weights)))
    done = subprocess.run(
        [micropython.executable(), str(script)],
        cwd=tmp_path,
        env={"MICROPYPATH": str(tmp_path)},
        text=True,
        capture_output=True,
    )
    assert done.stdout.strip() == "allocated 0", done.stdout + done.stderr


def test_pieces_of_weights_fit_the_room_for_them(make_model) -> None:
    """With every amount of room from the largest weight block on."""
    model = model_file.read(make_model(models.residual()))
    program, count = model.program(), len(model.records)
    least = max(record["block_bytes"] for record in model.records)
    for room in range(least, len(model.weights) + 8, 4):
        steps = _loader.plan(program, 0, count, room)
        assert max(step[1] for step in steps) <= room
        assert sum(step[1] * step[6] for step in steps) == len(model.weights)
