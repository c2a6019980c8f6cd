"""What a layer takes on a core: a model of its cycles or instructions, fitted to layers that were counted.

A layer is of a kind, which is the operator and the kernel that it meets; of each kind a few sizes are weighted by
factors for each architecture. costs.json holds them, with the errors of the fit; `python -m counting.costs` (in bench)
writes it from bench/counting/figures.json. No emulator is needed to read it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import prod
from statistics import median
from typing import Any, NamedTuple

from ...device.model_file import ModelFile
from ...device.registry import macs, of_record, record_shapes

FEW_POSITIONS = 4  # below it, a convolution has no scratch memory and runs as a dense layer
DENSE_DEPTH = 640  # above it, or of no whole words, a dense layer has no kernel of its own on some cores
# Instructions or cycles of MicroPython and the library around the kernels for a prediction with weights in memory, and
# of each byte of the reading and the result: differences of counted figures in docs/boards.md and docs/performance.md.
# On Xtensa no MicroPython runs on the emulated core: the RISC-V's.
AROUND = {"armv6m": 12_000, "armv7emsp_cycles": 8_500, "rv32imc": 12_000, "xtensawin": 12_000}
COPIED = 8.3
DECODED = 42.0  # more for a byte of weights that comes out of a coded piece at each prediction, on a Cortex-M0+
STREAMED = 5.5  # more for a byte of weights that is read from the file at each prediction: counted on the Pico


@dataclass(frozen=True)
class Work:
    """The sizes of a layer that decide its cost. `window` is the kernel's height and width."""

    operator: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    window: tuple[int, int]
    macs: int

    @property
    def kind(self) -> str:
        """Name of a fit in costs.json."""
        name, one = self.operator, self.input[-1] == 1
        if name == "CONV_2D":
            return f"{name}, few pixels" if self.positions < FEW_POSITIONS else f"{name}, one channel" if one else name
        if name == "DEPTHWISE_CONV_2D":
            return f"{name}, 3x3" if self.window == (3, 3) else f"{name}, one channel" if one else name
        depth = self.macs // prod(self.output)
        if name == "FULLY_CONNECTED" and (depth > DENSE_DEPTH or depth % 4):
            return f"{name}, long or odd"
        return name

    @property
    def positions(self) -> int:
        return prod(self.output[:-1])

    @property
    def edges(self) -> int:
        """Positions whose window reaches over the input's edge."""
        inside = 1
        for size, output, window in zip(self.input, self.output[:-1], self.window, strict=False):
            stride = max(round(size / output), 1)
            inside *= min(output, max((size - window) // stride + 1, 0))
        return self.positions - inside

    @property
    def sizes(self) -> dict[str, float]:
        """What the cost is a sum of, each times its factor."""
        channels, outputs = self.output[-1], prod(self.output)
        work = self.macs or prod(self.input)
        found = {"work": work, "outputs": outputs, "layer": 1.0}
        if self.operator == "CONV_2D" and self.positions >= FEW_POSITIONS:
            depth = work / outputs
            found |= {"weights": work / self.positions, "gathered": self.positions * depth, "edges": self.edges * depth}
        elif self.operator == "DEPTHWISE_CONV_2D":
            found |= {"channels": channels}
        return found


def work_of(record: dict[str, Any]) -> Work:
    """Of a record's fields."""
    source, output = record_shapes(record)
    window = (record.get("kernel_h", 1), record.get("kernel_w", 1))
    name = of_record(record).name
    return Work(
        name if of_record(record).dtype == "int8" else f"{name}/16", tuple(source), tuple(output), window, macs(record)
    )


@cache
def table() -> dict[str, Any]:
    """costs.json: `factors` by what was counted and kind; `errors` by what was counted and model; `models`: what was
    counted of whole models; `others`: counted layers that bench/counting/figures.json does not have."""
    return json.loads(files(__package__).joinpath("costs.json").read_text(encoding="utf-8"))


def cost(counts: str, work: Work, factors: dict[str, Any] | None = None) -> float | None:
    """Cycles or instructions of a layer; None for a kind of which no layer was counted."""
    found = (factors or table()["factors"])[counts].get(work.kind)
    if found is None:
        return None
    return sum(factor * work.sizes[name] for name, factor in found.items())


@dataclass(frozen=True)
class Estimate:
    """Of a prediction: cycles, and the operators of which nothing is known, which are not in them."""

    cycles: float
    missing: tuple[str, ...]


def estimate(model: ModelFile, counts: str, cycles_each: float, streamed: bool) -> Estimate:
    """Cycles of one prediction on a core."""
    records = [model.whole.records[i] for i in model.predict]
    works = [work_of(record) for record in records]
    costs = [cost(counts, work) for work in works]
    more = _streaming(model) if streamed and len(model.weights) > model.window_bytes else 0
    more += COPIED * sum(tensor.bytes for tensor in model.inputs + model.outputs)
    missing = dict.fromkeys(work.operator for work, found in zip(works, costs, strict=True) if found is None)
    return Estimate(cycles_each * (sum(c for c in costs if c is not None) + AROUND[counts] + more), tuple(missing))


def _streaming(model: ModelFile) -> float:
    """Cycles of reading and decoding weights at each prediction."""
    return STREAMED * model.stored_bytes + (DECODED * len(model.weights) if model.coded else 0)


class Errors(NamedTuple):
    """Of whole models by fits that do not know them, as shares of what was counted."""

    typical: float  # the median
    worst: float


def errors_of(counts: str) -> Errors:
    found = sorted(abs(error) for error in table()["errors"][counts].values())
    return Errors(median(found), found[-1])
