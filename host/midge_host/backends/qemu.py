"""MicroPython on emulated boards as backends: a disk with what `midge deploy` copies, and a script."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from ..boards import qemu
from ..boards.repl import BoardError
from ..deploy.library import library_files, native_files
from ..device.model_file import read
from ..errors import MidgeError
from . import RunResult
from .micropython import input_bytes, job, result

SECONDS = 3600  # for all predictions


def problem(name: str) -> str | None:
    if not native_files(qemu.BOARDS[name].arch):
        return "its native modules are not built; run: make natmods"
    return qemu.problem(name)


def library(name: str) -> dict[str, bytes]:
    """The device library and the native modules, as files for the board's disk."""
    everything = library_files("micropython") | (native_files(qemu.BOARDS[name].arch) or {})
    return {f"lib/{path}": data for path, data in everything.items()}


def run(name: str, model: Path, inputs: list[np.ndarray], weights: str, reset: bool) -> RunResult:
    rom, disk = {"in.bin": input_bytes(inputs)}, library(name)
    (rom if weights == "map" else disk)["model.midge"] = Path(model).read_bytes()
    path = "/rom/model.midge" if weights == "map" else "/model.midge"
    with qemu.Qemu(name, rom, disk, counting=True) as board:
        return predict(board, path, model, inputs, weights, "/rom/in.bin", reset=reset)


def predict(
    board: qemu.Qemu,
    path: str,
    model: Path,
    inputs: list[np.ndarray],
    weights: str,
    source: str,
    native: bool = True,
    reset: bool = False,
) -> RunResult:
    """Runs a model that is on the board as `path`, with the inputs in its file `source`."""
    description = read(model)
    todo = job(path, description, inputs, weights, native, source, "/out.bin", reset)
    try:
        board.exec((files(__package__) / "board_script.py").read_text())
        report = board.exec(f"main({todo!r})", SECONDS)
    except BoardError as error:
        raise MidgeError(f"{board.name}: {error}") from None
    return result(report, board.repl.get("/out.bin"), description, len(inputs[0]))
