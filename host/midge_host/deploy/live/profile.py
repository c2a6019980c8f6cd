"""What each layer of a model takes on a real board, all its strips where it is made by rows, beside what is modelled of
its core."""

from __future__ import annotations

from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from ...device import spec
from ...device.definition import HEAD
from ...device.model_file import ModelFile, read
from ...targets.catalogue import boards, costs
from ...targets.catalogue.chips import Core
from .. import Board
from ..links import Mpremote
from . import SECONDS, board_with, facts, program

ROUNDS = 5


@dataclass(frozen=True)
class Layer:
    """Milliseconds on the board, the median of the rounds; and modelled ones, None where nothing is known."""

    index: int
    name: str
    operator: str
    macs: int
    measured: float
    modelled: float | None


@dataclass(frozen=True)
class Profile:
    """`whole`: milliseconds of a prediction on the board, None for a model of sound; `modelled` likewise. `clock_hz`:
    of the board as it says, None where it does not. `core`: whose cycles were modelled. `heap_bytes`: of the loaded
    model, library and native modules included."""

    board: Board
    backend: str
    weights_mode: str
    clock_hz: int | None
    core: Core | None
    heap_bytes: int | None
    layers: list[Layer]
    whole: float | None
    modelled: float | None

    @property
    def around(self) -> float | None:
        """Milliseconds of a prediction that are no layer's: MicroPython, and reading and result."""
        return None if self.whole is None else max(0.0, self.whole - sum(layer.measured for layer in self.layers))


def profile(path: Path, port: str, weights: str = "auto", rounds: int = ROUNDS) -> Profile:
    """Measures a model that is on the board. Raises MidgeError where it is not, or does not run there."""
    with board_with(path, port) as (link, board):
        return _measure(link, board, path.name, read(path), weights, rounds)


def _measure(link: Mpremote, board: Board, name: str, model: ModelFile, weights: str, rounds: int) -> Profile:
    places = {"RECORD": spec.RECORD_BYTES, "BANK_AT": HEAD.offsets["bank"]}
    first, *rest = link.lines(program("profile", PATH=name, WEIGHTS=weights, ROUNDS=rounds, **places), SECONDS)
    backend, mode, heap = literal_eval(first)
    clock_hz = facts(link).clock_hz
    times = [literal_eval(line) for line in rest]
    core = boards.core_of(board.machine, board.architecture) if clock_hz and backend == "native" else None
    streams = mode == "stream" and len(model.weights) > model.window_bytes
    layers = []
    records = model.whole.records
    for at, index in enumerate([*model.feed, *model.predict]):
        work = costs.work_of(records[index])
        modelled = _milliseconds(records[index], work, core, clock_hz, streams) if core and clock_hz else None
        measured = median(taken[at] for _, taken in times) / 1e3
        layers.append(Layer(index, model.names[index], model.operator(index).name, work.macs, measured, modelled))
    whole = modelled = None
    if not model.sound:
        whole = median(time for time, _ in times) / 1e3
        if core and clock_hz:
            found = costs.estimate(model, core.counts, core.cycles.value, streams)
            modelled = None if found.missing else 1e3 * found.cycles / clock_hz
    return Profile(board, backend, mode, clock_hz, core, heap, layers, whole, modelled)


def _milliseconds(record: dict[str, Any], work: costs.Work, core: Core, clock_hz: int, streams: bool) -> float | None:
    """Of a layer, as modelled. streams: its weights come from the file."""
    cost = costs.cost(core.counts, work)
    if cost is None:
        return None
    if streams:
        cost += costs.STREAMED * record["blocks"] * record["block_bytes"]
    return 1e3 * cost * core.cycles.value / clock_hz
