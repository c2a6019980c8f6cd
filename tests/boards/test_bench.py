"""`midge bench` on cores that count instructions."""

from __future__ import annotations

import subprocess
import sys

import pytest

import models
from midge_host import backends
from midge_host.backends import counts
from midge_host.backends.counts import RISC_V, XTENSA
from midge_host.commands import bench
from midge_host.device import model_file

# One for each emulated core.
BOARDS = [
    pytest.param(board, marks=[pytest.mark.board(bench.BOARDS[board]), pytest.mark.xdist_group(bench.BOARDS[board])])
    for board in ("pico2", "esp32", "esp32c3")
]


def run_midge(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", "from midge_host.commands.main import main; main()", "bench", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def backend(board: str) -> str:
    name = bench.BOARDS[board]
    if why := backends.problem(name):
        pytest.skip(why)
    return name


@pytest.mark.parametrize("board", BOARDS)
def test_parts_are_the_whole(make_model, board: str, backend: str) -> None:
    path = make_model(models.residual(two_outputs=True))
    model = model_file.read(path)
    found = bench.bench(path, board)
    layers = [layer["instructions"] for layer in found["layers"]]
    assert [layer["name"] for layer in found["layers"]] == model.names and min(layers) > 0
    parts = [found["reading"]["instructions"], *layers, found["result"]["instructions"]]
    around = found["micropython"]["instructions"] if found["micropython"] else 0
    assert min(parts) > 0 and sum(parts) + around == found["instructions"]
    assert found["how"]["instructions"].startswith("counted: ")
    assert [layer["instructions"] for layer in bench.bench(path, board, "map")["layers"]] == layers
    # Without the first prediction, in which a board imports what it needs. The backend counts one call for all layers.
    few, more = (
        n * (counts.of_prediction(backend, path, [x.repeat(n, 0) for x in backends.random_readings(model)]) or 0)
        for n in (1, 12)
    )
    assert found["instructions"] == pytest.approx((more - few) / 11, rel=0.02)


@pytest.mark.parametrize("board", BOARDS)
def test_table(make_model, board: str, backend: str) -> None:
    done = run_midge(str(make_model(models.dense(layers=1))), "--board", board)
    assert done.returncode == 0, done.stderr
    counts_micropython = backend != XTENSA
    for text, there in {
        "FULLY_CONNECTED": True,
        "instructions/MAC": True,
        "counted   instructions: ": True,
        "cycles/MAC": False,
        "one prediction": counts_micropython,
        "measured  heap: ": counts_micropython,
        "MicroPython's share is not known": not counts_micropython,
    }.items():
        assert (text in done.stdout) == there, text


@pytest.mark.parametrize("board", BOARDS)
def test_streamed_weights_are_refused(make_model, board: str, backend: str) -> None:
    done = run_midge(str(make_model(models.dense(layers=1))), "--board", board, "--weights", "stream", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"midge: --weights stream: on {board}, ")


@pytest.mark.board(RISC_V)
@pytest.mark.xdist_group(RISC_V)
@pytest.mark.parametrize("board", ["esp32c3"])
def test_a_model_that_does_not_fit(make_model, board: str, backend: str) -> None:
    done = run_midge(str(make_model(models.dense(layers=3, width=450))), "--board", board)
    assert done.returncode == 1 and done.stdout == ""
    assert "MemoryError" in done.stderr and done.stderr.count("\n") == 1
