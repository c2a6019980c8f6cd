"""`midge convert --small`: how many bytes which loss costs, and the weights for what is asked for.

Every point of the curve is a conversion of its own, with weights made from a half of the readings and outputs compared
on the other one. What is written is made from all of them, several times where a size is asked for, and the one whose
outputs are nearest is taken. joblib shares them out: to all processors, or to what `joblib.parallel_config` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from ..device.model_file import ModelFile
from ..errors import MidgeError
from ..ir import batch
from ..ir.graph import Graph
from ..ir.verify import verify
from ..quantize import Activations, Quantised, halves
from ..quantize.judge import decibels
from ..quantize.proof import percent
from ..quantize.small import Effects, Kept, channel_effects, coarse, shrinkable

# Of a bit of every weight, as a part of the outputs' power. 0: weights of 8 bits.
PRICES = (0.0, *(0.002 * 2.0**i for i in range(8)))
LOSS = 1.0  # points, unless something is asked for
_COARSER = 1.1  # times the price, where a file is a little too large
_CLOSER = 2  # more prices, between two of them, where a size is asked for
TRIES = 6  # of files of about that size: which of them is the best one is chance

FileOf = Callable[[Graph], ModelFile]


@dataclass(frozen=True)
class Wanted:
    """bytes: of the file, at most. loss: points of agreement lost at most, beside weights of 8 bits; of a model that
    does not choose, per cent of the outputs' power."""

    bytes: int | None = None
    loss: float = LOSS


@dataclass(frozen=True)
class Point:
    """bytes: of the file, packed. kept: on readings that the weights were not made from."""

    price: float
    bytes: int
    kept: Kept

    def facts(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "bytes": self.bytes,
            "agreement": self.kept.agreement,
            "decibels": round(decibels(self.kept.error), 1),
        }


Try = tuple[Graph, Point]


@dataclass(frozen=True)
class Shrunk:
    """quantised: the model, with coarse weights. curve: what it was picked from, the largest file first; chosen: the
    point of its price; bytes: of its own file."""

    quantised: Quantised
    curve: list[Point]
    chosen: Point
    bytes: int

    def lines(self) -> list[str]:
        """What was chosen, in words."""
        was, kept = self.curve[0], self.chosen.kept
        answers = f"{percent(kept.agreement)} answered as floats do, " if kept.agreement is not None else ""
        return [
            f"weights of few bits: a file of {self.bytes:,} bytes, {was.bytes:,} with 8 bits; on readings that "
            f"they were not made from {answers}{decibels(kept.error):.1f} dB at the outputs"
        ]

    def facts(self) -> dict[str, Any]:
        """Plain data for --json."""
        return {"bytes": self.bytes, "chosen": self.chosen.facts(), "curve": [p.facts() for p in self.curve]}


def shrunk(quantised: Quantised, wanted: Wanted, where: str, file_of: FileOf) -> Shrunk:
    """The model with weights in as few bytes as may be. where: of the source, for errors. file_of: what is written of
    a graph, which it may change; joblib hands it to other processes.

    Raises MidgeError for a model that none of this fits.
    """
    reference = quantised.reference
    layers = shrinkable(reference)
    if batch.is_stream(reference):
        raise MidgeError(f"{where}: --small needs readings that stand alone, and this model keeps a state")
    if not layers:
        raise MidgeError(f"{where}: no convolution and no Dense layer whose weights --small could make coarser")
    readings = quantised.calibration.readings
    fit, others = halves(reference, readings)
    limit = math.inf if wanted.bytes is None else wanted.bytes
    with Parallel(n_jobs=-1) as run:
        found = run(delayed(channel_effects)(reference, readings, i) for i in layers)
        effects = dict(zip(layers, found, strict=True))

        def tried(prices: list[float], fit: list[np.ndarray], others: list[np.ndarray] | None) -> list[Try]:
            same = (reference, fit, others, quantised.activations, effects)
            return list(run(delayed(attempt)(*same, price, file_of) for price in prices))

        curve = [point for _, point in tried(list(PRICES), fit, others)]
        if wanted.bytes is not None:
            curve += [point for _, point in tried(_between(curve, wanted.bytes), fit, others)]
        curve.sort(key=lambda point: point.price)
        chosen, least = _best(curve, wanted), min(point.bytes for point in curve)
        prices = _about(chosen, curve, wanted) if chosen else []
        while chosen and prices[0] <= PRICES[-1] * _COARSER:
            made = tried(prices, readings, readings)
            fitting = [(graph, point) for graph, point in made if point.bytes <= limit]
            if fitting:
                graph, point = min(fitting, key=lambda pair: pair[1].kept.error)
                verify(graph)
                return Shrunk(replace(quantised, graph=graph), curve, chosen, point.bytes)
            least = min(least, *(point.bytes for _, point in made))
            prices = [max(prices[0] * _COARSER, PRICES[1])]  # more readings gave larger files
    raise MidgeError(f"{where}: no file of {wanted.bytes:,} bytes; the smallest has {least:,}")


def attempt(
    reference: Graph,
    fit: list[np.ndarray],
    others: list[np.ndarray] | None,
    activations: Activations,
    effects: Effects,
    price: float,
    file_of: FileOf,
) -> Try:
    made, kept = coarse(reference, fit, others, activations, effects, price)
    return made.graph, Point(price, _file_bytes(made.graph, file_of), kept)


def _file_bytes(graph: Graph, file_of: FileOf) -> int:
    model = file_of(deepcopy(graph))
    model.pack()
    return len(model.to_bytes())


def _between(curve: list[Point], size: int) -> list[float]:
    """Prices between those whose files are next to a size."""
    larger = [p.price for p in curve if p.bytes > size and p.price]
    if not larger or max(larger) == PRICES[-1]:
        return []
    low = max(larger)
    ratio = min(p.price for p in curve if p.price > low) / low
    return [low * ratio ** ((i + 1) / (_CLOSER + 1)) for i in range(_CLOSER)]


def _about(chosen: Point, curve: list[Point], wanted: Wanted) -> list[float]:
    """The price of a point, first, and where a size is asked for others down to that of the point before it."""
    finer = max((p.price for p in curve if p.price < chosen.price), default=0.0)
    if wanted.bytes is None or not finer:
        return [chosen.price]
    return [chosen.price * (finer / chosen.price) ** (i / TRIES) for i in range(TRIES)]


def _best(curve: list[Point], wanted: Wanted) -> Point | None:
    """The point that is asked for: the largest file of the size, or the smallest of the loss."""
    if wanted.bytes is not None:
        return next((p for p in curve if p.bytes <= wanted.bytes), None)
    lost = [_lost(p.kept, curve[0].kept) > wanted.loss for p in curve]
    # One good point behind bad ones is luck.
    return curve[lost.index(True) - 1] if True in lost else curve[-1]


def _lost(kept: Kept, whole: Kept) -> float:
    if kept.agreement is None or whole.agreement is None:
        return 100 * (kept.error - whole.error)
    return 100 * (whole.agreement - kept.agreement)
