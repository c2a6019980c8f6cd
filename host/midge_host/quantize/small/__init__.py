"""A model in few bytes: weights of few bits where that changes the outputs least.

Each channel gets steps by how much its error matters to the outputs (effects.py), and weights that are whole multiples
of them, rounded for what the layer gives (rounding.py, weights.py). One number, the price of a bit, says how coarse
all of it is. Other layers than convolutions and Dense ones keep 8 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ...ir import batch
from ...ir.graph import Graph
from .. import scores
from ..calibrate import calibrate, few
from ..choose import Activations
from ..integers import Integers
from ..judge import Judge, before_saturation
from ..readings import encoded
from ..rows import LAYERS
from .effects import channel_effects
from .weights import Weights

__all__ = ["Effects", "Kept", "channel_effects", "coarse", "shrinkable"]

_TIMES = 2  # as many readings as biases are settled by: moments need more
Effects = Mapping[int, np.ndarray]  # (groups, channels), by a layer's number in the graph


@dataclass(frozen=True)
class Kept:
    """What is left of a model on readings. agreement: the share to which it gives the answer of the floats, of a model
    with a row of outputs. error: power of the differences at the outputs, as a part of theirs."""

    agreement: float | None
    error: float


def shrinkable(graph: Graph) -> list[int]:
    """The numbers of the layers whose weights can get coarser."""
    return [i for i, node in enumerate(graph.nodes) if isinstance(node, LAYERS) and node.weights.data is not None]


def _weights_of(graph: Graph) -> int:
    """How many weights these layers have."""
    return sum(graph.nodes[i].inputs[1].size for i in shrinkable(graph))


def coarse(
    reference: Graph,
    fit: list[np.ndarray],
    others: list[np.ndarray] | None,
    activations: Activations,
    effects: Effects,
    price: float,
) -> tuple[Integers, Kept]:
    """The graph in integers with weights that fit a price: that of a bit of every weight, as a part of the outputs'
    power, or 0 for weights of 8 bits. What is kept on `others`, readings that it was not made from, or on `fit`."""
    calibration = calibrate(reference, fit)
    made = activations.scales(reference, calibration).integers()
    used = few(reference, fit, times=_TIMES)
    judge = Judge(reference, used, others)
    choose = Weights(reference, used, effects, price / _weights_of(reference)) if price else None
    error = judge.settle(made, choose)
    return made, Kept(_agreement(reference, made, others or fit), error)


def _agreement(reference: Graph, made: Integers, readings: list[np.ndarray]) -> float | None:
    """The share of readings to which the first outputs' largest value is the same one."""
    tensor = before_saturation(reference, reference.outputs[0].tensor)
    if tensor.size < 2 or any(tensor.size == e.tensor.size for e in reference.inputs):
        return None
    graphs = (reference, tensor), (made.graph, made.tensors[id(tensor)])
    rows = [batch.run(g, encoded(g, readings))[id(t)].reshape(len(readings[0]), -1) for g, t in graphs]
    return float((scores.choices(rows[0]) == scores.choices(rows[1])).mean())
